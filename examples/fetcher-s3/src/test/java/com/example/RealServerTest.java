package com.example;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.fail;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.mezzo.api.fetcher.Fetcher;
import org.mezzo.testing.FakeDaemonContext;

/** Against a server of others that speaks the protocol, where {@code moto_server} is installed. */
class RealServerTest {
  private static final int TRIES = 600;

  private final HttpClient http = HttpClient.newHttpClient();
  @TempDir Path folder;

  @Test
  void fetchesFromMoto() throws Exception {
    Optional<Path> program =
        Stream.of(System.getenv().getOrDefault("PATH", "").split(":"))
            .map(each -> Path.of(each, "moto_server"))
            .filter(Files::isExecutable)
            .findFirst();
    Assumptions.assumeTrue(program.isPresent(), "moto_server is not installed here");
    int port;
    try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      port = socket.getLocalPort();
    }
    String endpoint = "http://127.0.0.1:" + port;
    Process moto =
        new ProcessBuilder(program.get().toString(), "-H", "127.0.0.1", "-p", "" + port)
            .redirectErrorStream(true)
            .redirectOutput(folder.resolve("log").toFile())
            .start();
    try {
      await(moto, endpoint);
      byte[] object = new byte[3_000_000];
      new Random(1).nextBytes(object);
      put(endpoint + "/bucket", new byte[0], "public-read");
      put(endpoint + "/bucket/a%20b/key", object, "public-read");
      put(endpoint + "/bucket/secret", object, "private");
      S3Fetcher fetcher = new S3Fetcher();
      fetcher.open(FakeDaemonContext.agent().withParameters(Map.of("endpoint", endpoint)));

      fetch(fetcher, "s3://bucket/a%20b/key");
      assertThat(folder.resolve("target")).hasBinaryContent(object);
      Fetcher.Description before = fetcher.describe(URI.create("s3://bucket/a%20b/key"));
      assertThat(before.size()).contains((long) object.length);
      assertThat(before.version()).isPresent();
      put(endpoint + "/bucket/a%20b/key", "other".getBytes(), "public-read");
      Fetcher.Description after = fetcher.describe(URI.create("s3://bucket/a%20b/key"));
      assertThat(after.size()).contains(5L);
      assertThat(after.version()).isNotEqualTo(before.version());
      assertThatThrownBy(() -> fetch(fetcher, "s3://bucket/secret"))
          .hasMessageContaining("Status 403");
      assertThatThrownBy(() -> fetch(fetcher, "s3://bucket/none"))
          .hasMessageContaining("Status 404");
      fetcher.close();
    } finally {
      // What pyenv puts in its place starts the server as its child.
      moto.descendants().forEach(ProcessHandle::destroyForcibly);
      moto.destroyForcibly().waitFor();
    }
  }

  private void fetch(S3Fetcher fetcher, String uri) throws Exception {
    fetcher.fetch(
        Fetcher.Request.of(
            URI.create(uri), folder.resolve("target"), Duration.ofSeconds(60), said -> {}));
  }

  private void put(String url, byte[] content, String acl) throws Exception {
    HttpResponse<String> answer =
        http.send(
            HttpRequest.newBuilder(URI.create(url))
                .header("x-amz-acl", acl)
                .PUT(HttpRequest.BodyPublishers.ofByteArray(content))
                .build(),
            HttpResponse.BodyHandlers.ofString());
    assertThat(answer.statusCode()).as(answer.body()).isEqualTo(200);
  }

  private void await(Process moto, String endpoint) throws Exception {
    IOException last;
    int tries = TRIES;
    do {
      try {
        http.send(
            HttpRequest.newBuilder(URI.create(endpoint)).build(),
            HttpResponse.BodyHandlers.discarding());
        return;
      } catch (IOException e) {
        last = e;
      }
    } while (--tries > 0 && !moto.waitFor(100, TimeUnit.MILLISECONDS));
    fail("moto_server did not come up: " + Files.readString(folder.resolve("log")), last);
  }
}
