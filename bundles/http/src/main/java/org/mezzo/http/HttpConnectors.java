package org.mezzo.http;

import java.io.IOException;
import org.osgi.annotation.versioning.ProviderType;

/** Opens connectors; published as an OSGi service. */
@ProviderType
public interface HttpConnectors {

  /**
   * Binds and serves until closed. HTTP/1.1 and cleartext HTTP/2 (prior knowledge and upgrade) on
   * the same port; with a TLS context HTTP/1.1 and HTTP/2 by ALPN.
   *
   * @throws IOException when the address cannot be bound; the message names it
   */
  HttpConnector open(ConnectorOptions options, HttpHandler handler) throws IOException;
}
