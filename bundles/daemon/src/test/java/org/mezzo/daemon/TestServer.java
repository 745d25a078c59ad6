package org.mezzo.daemon;

import java.io.IOException;
import java.net.InetAddress;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.time.Duration;
import java.util.Optional;
import org.mezzo.http.ConnectorOptions;
import org.mezzo.http.HttpConnector;
import org.mezzo.http.HttpHandler;
import org.mezzo.http.JettyConnectors;

/** A handler behind a real connector, with a client for it. */
public final class TestServer implements AutoCloseable {
  private final HttpConnector connector;
  private final HttpClient client =
      HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();

  public TestServer(HttpHandler handler) throws IOException {
    connector =
        new JettyConnectors()
            .open(
                new ConnectorOptions(
                    "test",
                    InetAddress.getLoopbackAddress(),
                    0,
                    Optional.empty(),
                    8,
                    Duration.ofSeconds(30)),
                handler);
  }

  public URI uri(String pathAndQuery) {
    return URI.create("http://127.0.0.1:" + connector.address().getPort() + pathAndQuery);
  }

  public HttpClient client() {
    return client;
  }

  public HttpResponse<String> get(String pathAndQuery) throws Exception {
    return send("GET", pathAndQuery, new byte[0]);
  }

  /** Sends a request; headers come as name, value, name, value. */
  public HttpResponse<String> send(
      String method, String pathAndQuery, byte[] body, String... headers) throws Exception {
    HttpRequest.Builder request =
        HttpRequest.newBuilder(uri(pathAndQuery))
            .timeout(Duration.ofSeconds(60))
            .method(method, BodyPublishers.ofByteArray(body));
    if (headers.length > 0) {
      request.headers(headers);
    }
    return client.send(request.build(), BodyHandlers.ofString());
  }

  @Override
  public void close() {
    connector.close();
  }
}
