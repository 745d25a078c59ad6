package org.mezzo.deployment.greeting;

import org.mezzo.api.Module;

/** A kind of module for tests. */
public interface Greeter extends Module {
  String greet(String name) throws Exception;
}
