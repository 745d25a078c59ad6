package org.mezzo.deployment.modules;

import java.util.Optional;
import org.mezzo.api.DaemonContext;
import org.mezzo.deployment.greeting.Greeter;

/** Greets with the word that it is told, says when it is not well, and refuses one. */
public final class ToldGreeter implements Greeter {
  private String word = "";

  @Override
  public void open(DaemonContext context) {
    word = context.parameters().getOrDefault("word", "hello");
    if (word.equals("bad")) {
      throw new IllegalArgumentException("that is no word");
    }
  }

  @Override
  public Optional<String> health() {
    return word.equals("ill") ? Optional.of("I feel ill") : Optional.empty();
  }

  @Override
  public String greet(String name) {
    return word + " " + name;
  }
}
