package org.mezzo.daemon.border;

import java.util.Set;
import org.mezzo.http.HttpExchange;

/**
 * What there is to know of an endpoint before it is asked. Immutable.
 *
 * @param path begins with a slash, without the daemon's id, for example {@code /state}; {@code /}
 *     matches only itself, any other path what is below it, too
 * @param methods those it takes, others are answered with 405; empty when it takes any
 * @param access which realm a request has to be authenticated for
 * @param permission whose leave it needs
 * @param help what {@code /help} tells
 */
public record EndpointDeclaration(
    String path,
    Set<String> methods,
    Access access,
    Permission<HttpExchange> permission,
    Help help) {
  public EndpointDeclaration {
    methods = Set.copyOf(methods);
  }

  /** An endpoint that takes any method. */
  public EndpointDeclaration(
      String path, Access access, Permission<HttpExchange> permission, Help help) {
    this(path, Set.of(), access, permission, help);
  }
}
