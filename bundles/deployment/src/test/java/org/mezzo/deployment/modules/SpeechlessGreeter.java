package org.mezzo.deployment.modules;

import java.util.concurrent.CountDownLatch;
import org.mezzo.deployment.greeting.Greeter;

/** Does not return from rehearsing. */
public final class SpeechlessGreeter implements Greeter {
  @Override
  public void rehearse() throws Exception {
    new CountDownLatch(1).await();
  }

  @Override
  public String greet(String name) {
    return "";
  }
}
