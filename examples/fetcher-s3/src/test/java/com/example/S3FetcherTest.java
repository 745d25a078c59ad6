package com.example;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.sun.net.httpserver.HttpServer;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.mezzo.api.fetcher.Fetcher;
import org.mezzo.testing.FakeDaemonContext;

class S3FetcherTest {
  @TempDir Path folder;
  private final S3Fetcher fetcher = new S3Fetcher();
  private final List<String> progress = new ArrayList<>();
  private HttpServer server;

  @BeforeEach
  void start() throws Exception {
    server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    server.createContext(
        "/bucket/a/key",
        exchange -> {
          exchange.getResponseHeaders().set("ETag", "\"1\"");
          boolean head = exchange.getRequestMethod().equals("HEAD");
          if (head) {
            exchange.getResponseHeaders().set("Content-Length", "4");
          }
          exchange.sendResponseHeaders(200, head ? -1 : 4);
          if (!head) {
            exchange.getResponseBody().write("data".getBytes());
          }
          exchange.close();
        });
    server.start();
    String endpoint = "http://127.0.0.1:" + server.getAddress().getPort();
    fetcher.open(FakeDaemonContext.agent().withParameters(Map.of("endpoint", endpoint)));
  }

  @AfterEach
  void stop() throws Exception {
    fetcher.close();
    server.stop(0);
  }

  private void fetch(String uri) throws Exception {
    fetcher.fetch(
        Fetcher.Request.of(
            URI.create(uri), folder.resolve("target"), Duration.ofSeconds(60), progress::add));
  }

  @Test
  void fetchesAndDescribes() throws Exception {
    fetch("s3://bucket/a/key");
    assertThat(folder.resolve("target")).hasContent("data");
    assertThat(progress).hasSize(1);
    assertThat(fetcher.describe(URI.create("s3://bucket/a/key")))
        .isEqualTo(new Fetcher.Description(Optional.of(4L), Optional.of("\"1\"")));
  }

  @Test
  void saysWhatTheServerRefuses() {
    assertThatThrownBy(() -> fetch("s3://bucket/missing"))
        .hasMessageContaining("Status 404")
        .hasMessageContaining("/bucket/missing");
  }
}
