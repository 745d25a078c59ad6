package org.mezzo.agent.tasks;

import java.util.Collections;
import java.util.HashMap;
import java.util.Map;
import org.mezzo.protocol.v1.Environment;
import org.mezzo.protocol.v1.Secret;

/**
 * The variables of one container: those whose values are known, and those that are secrets, which
 * stay what the framework gave until the container is launched. What comes later wins. For one
 * thread at a time.
 */
public final class ContainerVariables {
  private final Map<String, String> plain = new HashMap<>();
  private final Map<String, Secret> secrets = new HashMap<>();

  /** The same variables, to be changed by somebody else. */
  public ContainerVariables copy() {
    ContainerVariables copy = new ContainerVariables();
    copy.plain.putAll(plain);
    copy.secrets.putAll(secrets);
    return copy;
  }

  /** Sets one. */
  public void put(String name, String value) {
    secrets.remove(name);
    plain.put(name, value);
  }

  /** Sets several. */
  public void putAll(Map<String, String> variables) {
    variables.forEach(this::put);
  }

  /** Sets those of a command; each has a value or a secret. */
  public void give(Environment given) {
    for (Environment.Variable variable : given.getVariablesList()) {
      if (variable.getType() == Environment.Variable.Type.SECRET) {
        plain.remove(variable.getName());
        secrets.put(variable.getName(), variable.getSecret());
      } else {
        put(variable.getName(), variable.getValue());
      }
    }
  }

  /** Those that are known; a view. */
  public Map<String, String> plain() {
    return Collections.unmodifiableMap(plain);
  }

  /** Those that are secrets; a view. */
  public Map<String, Secret> secrets() {
    return Collections.unmodifiableMap(secrets);
  }
}
