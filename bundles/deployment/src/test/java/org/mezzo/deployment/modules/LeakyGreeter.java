package org.mezzo.deployment.modules;

import java.util.concurrent.CountDownLatch;
import org.mezzo.api.DaemonContext;
import org.mezzo.deployment.greeting.Greeter;

/** Leaves a thread behind. Goes into test bundles. */
public final class LeakyGreeter implements Greeter {
  private static void waitForever() {
    try {
      new CountDownLatch(1).await();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  @Override
  public void open(DaemonContext context) {
    Thread thread = new Thread(LeakyGreeter::waitForever, "left-behind");
    thread.setDaemon(true);
    thread.start();
  }

  @Override
  public String greet(String name) {
    return "hello " + name;
  }
}
