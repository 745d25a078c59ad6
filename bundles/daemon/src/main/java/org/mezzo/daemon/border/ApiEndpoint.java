package org.mezzo.daemon.border;

/**
 * An endpoint with its declaration: one small class each, given to {@link Router#add}; that is all
 * a new one needs.
 */
public interface ApiEndpoint extends Endpoint {
  /** What the endpoint is; the same each time. */
  EndpointDeclaration declaration();
}
