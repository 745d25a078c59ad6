package org.mezzo.deployment.modules;

import org.mezzo.deployment.greeting.Greeter;

/** Goes into test bundles. */
public final class GoodGreeter implements Greeter {
  @Override
  public String greet(String name) {
    return "hello " + name;
  }
}
