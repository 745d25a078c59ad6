package org.mezzo.daemon.metrics;

import java.util.Map;

/**
 * What a number of a daemon is called. Immutable.
 *
 * @param scope what names of its scope begin with
 * @param family what they begin with in place of that where labels tell scopes apart
 * @param labels of the scope; empty where none are needed
 * @param name within the scope
 */
public record MetricName(String scope, String family, Map<String, String> labels, String name) {

  /** The whole name, as in {@code /metrics/snapshot}. */
  public String flat() {
    return scope + name;
  }

  /** The name that it has in common with its like in other scopes; {@link #labels} is the rest. */
  public String common() {
    return family + name;
  }
}
