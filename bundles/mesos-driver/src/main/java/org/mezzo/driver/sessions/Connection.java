package org.mezzo.driver.sessions;

import java.io.ByteArrayOutputStream;
import java.io.Closeable;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.Optional;
import javax.net.ssl.SSLSocket;
import org.apache.hc.core5.http.ClassicHttpRequest;
import org.apache.hc.core5.http.ClassicHttpResponse;
import org.apache.hc.core5.http.ContentType;
import org.apache.hc.core5.http.Header;
import org.apache.hc.core5.http.HttpEntity;
import org.apache.hc.core5.http.HttpException;
import org.apache.hc.core5.http.config.Http1Config;
import org.apache.hc.core5.http.impl.io.DefaultBHttpClientConnection;
import org.apache.hc.core5.http.io.entity.ByteArrayEntity;
import org.apache.hc.core5.http.message.BasicClassicHttpRequest;
import org.apache.hc.core5.io.CloseMode;
import org.apache.hc.core5.util.Timeout;

/**
 * A connection on which calls are sent one after the other. Nothing is sent twice and no redirect
 * is followed. For one thread, but for {@link #close}, which ends whatever that thread waits for.
 */
final class Connection implements Closeable {
  private static final ContentType PROTOBUF = ContentType.create("application/x-protobuf");
  private static final int CONNECT_MS = 10_000;

  /** Of an answer that is an error, no more than this is kept. */
  private static final int MOST_OF_AN_ERROR = 4096;

  /** The head of an answer; its body is still on its way. */
  static final class Answer {
    private final ClassicHttpResponse response;

    private Answer(ClassicHttpResponse response) {
      this.response = response;
    }

    int status() {
      return response.getCode();
    }

    Optional<String> header(String name) {
      return Optional.ofNullable(response.getFirstHeader(name)).map(Header::getValue);
    }

    /** The body as it comes. */
    InputStream body() throws IOException {
      HttpEntity entity = response.getEntity();
      if (entity == null) {
        throw new IOException("the answer has no body");
      }
      return entity.getContent();
    }

    /** The whole body, of which more than a little is left out, so that the next call can go. */
    String text() throws IOException {
      ByteArrayOutputStream said = new ByteArrayOutputStream();
      HttpEntity entity = response.getEntity();
      if (entity != null) {
        try (InputStream in = entity.getContent()) {
          byte[] buffer = new byte[1024];
          for (int read = in.read(buffer); read >= 0; read = in.read(buffer)) {
            if (said.size() < MOST_OF_AN_ERROR) {
              said.write(buffer, 0, read);
            }
          }
        }
      }
      return new String(said.toByteArray(), StandardCharsets.UTF_8).trim();
    }
  }

  private final DefaultBHttpClientConnection connection =
      new DefaultBHttpClientConnection(Http1Config.custom().setBufferSize(1 << 16).build());
  private final Socket socket = new Socket();
  private final URI endpoint;

  private Connection(URI endpoint) {
    this.endpoint = endpoint;
  }

  /**
   * One that is not open yet, so that it can be closed while it is opened.
   *
   * @param endpoint where all its calls go, {@code http(s)://host:port/path}
   */
  static Connection to(URI endpoint) {
    return new Connection(endpoint);
  }

  URI endpoint() {
    return endpoint;
  }

  /**
   * @param silenceMs how long the other side may say nothing when something is due
   */
  void open(Tls tls, int silenceMs) throws IOException {
    String host = endpoint.getHost().replaceAll("[\\[\\]]", "");
    socket.setTcpNoDelay(true);
    socket.connect(new InetSocketAddress(host, endpoint.getPort()), CONNECT_MS);
    socket.setSoTimeout(silenceMs);
    if ("https".equals(endpoint.getScheme())) {
      SSLSocket secured = tls.secure(socket, host, endpoint.getPort());
      secured.startHandshake();
      connection.bind(secured, socket);
    } else {
      connection.bind(socket);
    }
    silence(silenceMs);
  }

  boolean isOpen() {
    return connection.isOpen();
  }

  void silence(int milliseconds) {
    connection.setSocketTimeout(Timeout.ofMilliseconds(milliseconds));
  }

  /** Writes a call; {@link #flush} has to follow, then an {@link #answer} for each. */
  void write(byte[] call, Map<String, String> headers) throws IOException {
    ClassicHttpRequest request = new BasicClassicHttpRequest("POST", endpoint.getRawPath());
    request.setHeader("Host", endpoint.getRawAuthority());
    request.setHeader("Content-Type", PROTOBUF.getMimeType());
    request.setHeader("Accept", PROTOBUF.getMimeType());
    request.setHeader("Content-Length", call.length);
    headers.forEach(request::setHeader);
    request.setEntity(new ByteArrayEntity(call, PROTOBUF));
    try {
      connection.sendRequestHeader(request);
      connection.sendRequestEntity(request);
    } catch (HttpException e) {
      throw new IOException(e);
    }
  }

  void flush() throws IOException {
    connection.flush();
  }

  Answer answer() throws IOException {
    try {
      ClassicHttpResponse response = connection.receiveResponseHeader();
      while (response.getCode() < 200) {
        response = connection.receiveResponseHeader();
      }
      connection.receiveResponseEntity(response);
      return new Answer(response);
    } catch (HttpException e) {
      throw new IOException("what answers at " + endpoint + " is no HTTP server: " + e, e);
    }
  }

  @Override
  public void close() {
    // First what may wait for the other side, which no lock of the connection must hold up.
    try {
      socket.close();
    } catch (IOException e) {
      // It is closed.
    }
    connection.close(CloseMode.IMMEDIATE);
  }
}
