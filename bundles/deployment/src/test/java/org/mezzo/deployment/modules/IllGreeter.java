package org.mezzo.deployment.modules;

import java.util.Optional;
import org.mezzo.deployment.greeting.Greeter;

/** Goes into test bundles. */
public final class IllGreeter implements Greeter {
  @Override
  public String greet(String name) {
    return "hello " + name;
  }

  @Override
  public Optional<String> health() {
    return Optional.of("a sore throat");
  }
}
