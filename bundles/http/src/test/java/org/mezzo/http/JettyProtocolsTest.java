package org.mezzo.http;

import static org.assertj.core.api.Assertions.assertThat;

import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyStore;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.TrustManagerFactory;
import org.eclipse.jetty.http.HttpFields;
import org.eclipse.jetty.http.HttpURI;
import org.eclipse.jetty.http.HttpVersion;
import org.eclipse.jetty.http.MetaData;
import org.eclipse.jetty.http2.api.Session;
import org.eclipse.jetty.http2.api.Stream;
import org.eclipse.jetty.http2.client.HTTP2Client;
import org.eclipse.jetty.http2.frames.HeadersFrame;
import org.eclipse.jetty.http2.frames.ResetFrame;
import org.eclipse.jetty.util.Callback;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class JettyProtocolsTest {
  private final BlockingQueue<ResponseStream> streams = new LinkedBlockingQueue<>();
  private final BlockingQueue<Optional<Throwable>> closed = new LinkedBlockingQueue<>();

  private HttpConnector open(Optional<SSLContext> tls, Duration idle) throws Exception {
    return new JettyConnectors()
        .open(
            new ConnectorOptions("test", InetAddress.getLoopbackAddress(), 0, tls, 8, idle),
            exchange -> {
              if (exchange.path().equals("/stream")) {
                ResponseStream stream = exchange.stream(200, Map.of("A-Header", "x"), 1 << 20);
                stream.onClosed(cause -> closed.add(Optional.ofNullable(cause)));
                streams.add(stream);
              } else {
                exchange.respond(
                    HttpResponse.text(
                        200,
                        exchange
                            .clientCertificate()
                            .map(it -> it.getSubjectX500Principal().getName())
                            .orElse("hello")));
              }
            });
  }

  /** What one HTTP/2 stream received. */
  private static final class Received implements Stream.Listener {
    final CompletableFuture<MetaData.Response> head = new CompletableFuture<>();
    final BlockingQueue<String> data = new LinkedBlockingQueue<>();
    final CompletableFuture<Boolean> end = new CompletableFuture<>();

    @Override
    public void onHeaders(Stream stream, HeadersFrame frame) {
      head.complete((MetaData.Response) frame.getMetaData());
      if (frame.isEndStream()) {
        end.complete(true);
      } else {
        stream.demand();
      }
    }

    @Override
    public void onDataAvailable(Stream stream) {
      Stream.Data read = stream.readData();
      if (read == null) {
        stream.demand();
        return;
      }
      ByteBuffer bytes = read.frame().getByteBuffer();
      if (bytes.hasRemaining()) {
        data.add(StandardCharsets.UTF_8.decode(bytes.slice()).toString());
      }
      boolean last = read.frame().isEndStream();
      read.release();
      if (last) {
        end.complete(true);
      } else {
        stream.demand();
      }
    }
  }

  private static Stream request(Session session, HttpConnector connector, String path, Received to)
      throws Exception {
    var fields = HttpFields.build().put("accept", "application/json").put("x-own", "value");
    var request =
        new MetaData.Request(
            "GET",
            HttpURI.from("http://127.0.0.1:" + connector.address().getPort() + path),
            HttpVersion.HTTP_2,
            fields);
    return session.newStream(new HeadersFrame(request, null, true), to).get(60, TimeUnit.SECONDS);
  }

  @Test
  void multiplexesWithPriorKnowledge() throws Exception {
    HTTP2Client client = new HTTP2Client();
    client.start();
    try (HttpConnector connector = open(Optional.empty(), Duration.ofSeconds(30))) {
      Session session =
          client
              .connect(
                  new InetSocketAddress("127.0.0.1", connector.address().getPort()),
                  new Session.Listener() {})
              .get(60, TimeUnit.SECONDS);
      Received stream = new Received();
      Stream opened = request(session, connector, "/stream", stream);
      ResponseStream answer = streams.poll(60, TimeUnit.SECONDS);
      assertThat(stream.head.get(60, TimeUnit.SECONDS).getHttpFields().get("a-header"))
          .isEqualTo("x");
      for (int i = 0; i < 100; i++) {
        Received other = new Received();
        request(session, connector, "/hello", other);
        assertThat(other.head.get(60, TimeUnit.SECONDS).getStatus()).isEqualTo(200);
        assertThat(other.data.poll(60, TimeUnit.SECONDS)).isEqualTo("hello");
        assertThat(other.end.get(60, TimeUnit.SECONDS)).isTrue();
      }
      answer.write("one".getBytes(StandardCharsets.UTF_8));
      assertThat(stream.data.poll(60, TimeUnit.SECONDS)).isEqualTo("one");

      opened.reset(new ResetFrame(opened.getId(), 8), Callback.NOOP);
      assertThat(closed.poll(60, TimeUnit.SECONDS)).isPresent();
      assertThat(answer.write(new byte[1])).isFalse();

      Received ended = new Received();
      request(session, connector, "/stream", ended);
      ResponseStream second = streams.poll(60, TimeUnit.SECONDS);
      second.write("two".getBytes(StandardCharsets.UTF_8));
      second.end();
      assertThat(ended.end.get(60, TimeUnit.SECONDS)).isTrue();
      assertThat(closed.poll(60, TimeUnit.SECONDS)).isEmpty();

      Received third = new Received();
      request(session, connector, "/stream", third);
      streams.poll(60, TimeUnit.SECONDS);
      third.head.get(60, TimeUnit.SECONDS);
      session.close(0, "done", Callback.NOOP);
      client.stop();
      assertThat(closed.poll(60, TimeUnit.SECONDS)).isPresent();
    } finally {
      client.stop();
    }
  }

  @Test
  void keepsSilentStreamsBeyondTheIdleTimeout() throws Exception {
    HTTP2Client client = new HTTP2Client();
    client.setIdleTimeout(60_000);
    client.start();
    try (HttpConnector connector = open(Optional.empty(), Duration.ofSeconds(2))) {
      Session session =
          client
              .connect(
                  new InetSocketAddress("127.0.0.1", connector.address().getPort()),
                  new Session.Listener() {})
              .get(60, TimeUnit.SECONDS);
      Received stream = new Received();
      request(session, connector, "/stream", stream);
      ResponseStream answer = streams.poll(60, TimeUnit.SECONDS);
      assertThat(closed.poll(4, TimeUnit.SECONDS)).isNull();
      assertThat(answer.write("late".getBytes(StandardCharsets.UTF_8))).isTrue();
      assertThat(stream.data.poll(60, TimeUnit.SECONDS)).isEqualTo("late");
    } finally {
      client.stop();
    }
  }

  @Test
  void negotiatesOverTls(@TempDir Path dir) throws Exception {
    SSLContext context = context(dir);
    try (HttpConnector connector = open(Optional.of(context), Duration.ofSeconds(30))) {
      for (HttpClient.Version version : HttpClient.Version.values()) {
        HttpClient client = HttpClient.newBuilder().version(version).sslContext(context).build();
        var answer =
            client.send(
                HttpRequest.newBuilder(
                        URI.create("https://localhost:" + connector.address().getPort() + "/"))
                    .build(),
                BodyHandlers.ofString());
        assertThat(answer.version()).isEqualTo(version);
        assertThat(answer.body()).isEqualTo("CN=localhost");

        CompletableFuture<?> stream =
            client
                .sendAsync(
                    HttpRequest.newBuilder(
                            URI.create(
                                "https://localhost:" + connector.address().getPort() + "/stream"))
                        .build(),
                    BodyHandlers.ofInputStream())
                .thenAccept(
                    streamed -> {
                      try (var in = streamed.body()) {
                        assertThat(in.readNBytes(3)).asString().isEqualTo("abc");
                      } catch (java.io.IOException e) {
                        throw new java.io.UncheckedIOException(e);
                      }
                    });
        streams.poll(60, TimeUnit.SECONDS).write("abc".getBytes(StandardCharsets.UTF_8));
        stream.get(60, TimeUnit.SECONDS);
        assertThat(closed.poll(60, TimeUnit.SECONDS)).as("%s", version).isPresent();
      }
    }
  }

  /** A context whose key is its own authority. */
  private static SSLContext context(Path dir) throws Exception {
    Path store = dir.resolve("keys.p12");
    List<String> command =
        new ArrayList<>(
            List.of(Path.of(System.getProperty("java.home"), "bin/keytool").toString()));
    command.addAll(
        List.of(
            "-genkeypair -alias test -keyalg EC -dname CN=localhost -validity 30 -storetype PKCS12"
                .split(" ")));
    command.addAll(
        List.of(
            "-ext", "SAN=dns:localhost", "-storepass", "secret", "-keystore", store.toString()));
    assertThat(new ProcessBuilder(command).redirectErrorStream(true).start().waitFor()).isZero();
    KeyStore keys = KeyStore.getInstance("PKCS12");
    try (var in = Files.newInputStream(store)) {
      keys.load(in, "secret".toCharArray());
    }
    KeyManagerFactory own = KeyManagerFactory.getInstance(KeyManagerFactory.getDefaultAlgorithm());
    own.init(keys, "secret".toCharArray());
    KeyStore trusted = KeyStore.getInstance("PKCS12");
    trusted.load(null, null);
    trusted.setCertificateEntry("test", keys.getCertificate("test"));
    TrustManagerFactory others =
        TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
    others.init(trusted);
    SSLContext context = SSLContext.getInstance("TLS");
    context.init(own.getKeyManagers(), others.getTrustManagers(), null);
    return context;
  }
}
