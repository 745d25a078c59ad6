package org.mezzo.deployment.modules;

import org.mezzo.deployment.greeting.Greeter;

/** Goes into test bundles. */
public final class SlowGreeter implements Greeter {
  @Override
  public String greet(String name) throws InterruptedException {
    Thread.sleep(10_000);
    return "at last " + name;
  }
}
