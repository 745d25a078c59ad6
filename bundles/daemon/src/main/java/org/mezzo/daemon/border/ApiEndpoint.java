package org.mezzo.daemon.border;

import java.util.List;

/**
 * An endpoint with its declaration: one small class each, given to {@link Router#add}; that is all
 * a new one needs.
 */
public interface ApiEndpoint extends Endpoint {
  /** What the endpoint is; the same each time. */
  EndpointDeclaration declaration();

  /** The calls that it takes, where it is an API of calls. */
  default List<CallHelp> calls() {
    return List.of();
  }
}
