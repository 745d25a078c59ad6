package org.mezzo.deployment.modules;

import org.mezzo.deployment.greeting.Greeter;

/** Goes into test bundles. */
public final class ThrowingGreeter implements Greeter {
  @Override
  public String greet(String name) {
    throw new IllegalStateException("no manners");
  }
}
