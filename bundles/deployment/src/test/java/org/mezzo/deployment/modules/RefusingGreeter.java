package org.mezzo.deployment.modules;

import org.mezzo.api.DaemonContext;
import org.mezzo.deployment.greeting.Greeter;

/** Goes into test bundles. */
public final class RefusingGreeter implements Greeter {
  @Override
  public void open(DaemonContext context) {
    throw new IllegalStateException("not in the mood");
  }

  @Override
  public String greet(String name) {
    return "";
  }
}
