package org.mezzo.deployment.modules;

import org.mezzo.deployment.greeting.Greeter;
import org.mezzo.deployment.words.Words;

/** Goes into a bundle that needs a library. */
public final class WordyGreeter implements Greeter {
  @Override
  public String greet(String name) {
    if (Words.hello().isBlank()) {
      throw new IllegalStateException("no words");
    }
    return Words.hello() + " " + name;
  }
}
