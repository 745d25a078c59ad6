package org.mezzo.http;

import java.io.IOException;
import org.mezzo.http.jetty.JettyConnector;
import org.osgi.service.component.annotations.Component;

/** Connectors on Jetty. Works with and without OSGi: {@code new JettyConnectors()} will do. */
@Component(service = HttpConnectors.class)
public final class JettyConnectors implements HttpConnectors {

  /** Opens nothing by itself. */
  public JettyConnectors() {}

  @Override
  public HttpConnector open(ConnectorOptions options, HttpHandler handler) throws IOException {
    return JettyConnector.open(options, handler);
  }
}
