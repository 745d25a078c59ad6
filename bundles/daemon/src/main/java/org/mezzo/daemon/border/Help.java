package org.mezzo.daemon.border;

import java.util.List;

/**
 * What {@code /help} tells of an endpoint. Immutable.
 *
 * @param summary one line
 * @param description whole sentences on what it answers with, and when
 * @param parameters of the query
 */
public record Help(String summary, String description, List<Parameter> parameters) {
  public Help {
    parameters = List.copyOf(parameters);
  }

  /** One parameter of the query, for example {@code limit=VALUE}. */
  public record Parameter(String name, String meaning) {}

  /** Help on an endpoint whose query has no parameters. */
  public static Help of(String summary, String description) {
    return new Help(summary, description, List.of());
  }

  /** The same with one more parameter. */
  public Help with(String name, String meaning) {
    List<Parameter> more = new java.util.ArrayList<>(parameters);
    more.add(new Parameter(name, meaning));
    return new Help(summary, description, more);
  }
}
