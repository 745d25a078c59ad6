package org.mezzo.itests.cluster;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.mezzo.fixtures.Await;

/** The cache of fetched files, and what is refused, of an agent as it is shipped. */
class FetcherCacheIT {
  private static final Duration SOON = Duration.ofSeconds(60);
  private static final int SIZE = 2_000_000;
  private static final Map<String, AtomicInteger> gets = new ConcurrentHashMap<>();
  private static final Map<String, String> tags = new ConcurrentHashMap<>();

  /** Of a path that begins with this only the first half arrives while the latch is shut. */
  private static volatile CountDownLatch gate = new CountDownLatch(1);

  private static final String HALF = "/half";
  private static byte[] body;
  private static ExecutorService threads;
  private static HttpServer server;
  private static LocalCluster cluster;

  @BeforeAll
  static void start() throws Exception {
    body = new byte[SIZE];
    new Random(7).nextBytes(body);
    threads = Executors.newCachedThreadPool();
    server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    server.setExecutor(threads);
    server.createContext("/", FetcherCacheIT::serve);
    server.start();
    cluster = LocalCluster.start(Distribution.built(), 1);
  }

  private static void serve(HttpExchange exchange) throws IOException {
    String path = exchange.getRequestURI().getPath();
    try (exchange) {
      exchange.getResponseHeaders().set("ETag", tags.getOrDefault(path, "\"1\""));
      if (exchange.getRequestMethod().equals("HEAD")) {
        exchange.getResponseHeaders().set("Content-Length", "" + SIZE);
        exchange.sendResponseHeaders(200, -1);
        return;
      }
      gets.computeIfAbsent(path, it -> new AtomicInteger()).incrementAndGet();
      exchange.sendResponseHeaders(200, SIZE);
      OutputStream out = exchange.getResponseBody();
      out.write(body, 0, SIZE / 2);
      out.flush();
      if (path.startsWith(HALF)) {
        gate.await();
      }
      out.write(body, SIZE / 2, SIZE - SIZE / 2);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private static int gets(String path) {
    AtomicInteger count = gets.get(path);
    return count == null ? 0 : count.get();
  }

  @AfterAll
  static void stop() {
    gate.countDown();
    if (cluster != null) {
      cluster.close();
    }
    if (server != null) {
      server.stop(0);
      threads.shutdownNow();
    }
  }

  private static TestFramework subscribe() throws Exception {
    return TestFramework.subscribe(
        cluster.master(),
        "{\"user\":\""
            + System.getProperty("user.name")
            + "\",\"name\":\"cache\",\"roles\":[\"cache\"],"
            + "\"capabilities\":[{\"type\":\"MULTI_ROLE\"}]}");
  }

  private static JsonNode offer(TestFramework framework) {
    return framework.await("OFFERS", event -> true).at("/offers/offers/0");
  }

  private static String uri(String path) {
    return "http://127.0.0.1:" + server.getAddress().getPort() + path;
  }

  /** A command that fetches into the file "data", by the cache, and fails if that is not whole. */
  private static ObjectNode command(String uri) {
    ObjectNode command =
        Http.JSON
            .createObjectNode()
            .put("shell", true)
            .put("value", "test $(wc -c <data) = " + SIZE + " && echo x >>data");
    command
        .putArray("uris")
        .addObject()
        .put("value", uri)
        .put("cache", true)
        .put("output_file", "data");
    return command;
  }

  private static void run(String path, String... tasks) throws Exception {
    try (TestFramework framework = subscribe()) {
      framework.launch(offer(framework), List.of(tasks), command(uri(path)));
      Set<String> left = new HashSet<>(List.of(tasks));
      while (!left.isEmpty()) {
        // In the order in which they come, or those passed over would be waited for again.
        JsonNode status = framework.await("UPDATE", event -> true, SOON).at("/update/status");
        framework.acknowledge(status);
        assertThat(status.path("state").asText()).as(status.toString()).isNotEqualTo("TASK_FAILED");
        if (status.path("state").asText().equals("TASK_FINISHED")) {
          left.remove(status.at("/task_id/value").asText());
        }
      }
      framework.teardown();
    }
  }

  private static List<Path> found(String name) {
    List<Path> found = new ArrayList<>();
    // Whatever is deleted meanwhile ends a walk.
    Await.until(
        "all files were looked at",
        () -> {
          found.clear();
          try (Stream<Path> files = Files.walk(cluster.folder())) {
            files.filter(file -> file.getFileName().toString().equals(name)).forEach(found::add);
          }
          return true;
        });
    return found;
  }

  @Test
  void whatWasFetchedOnceIsThereForAllTasksAndAfterARestart() throws Exception {
    run("/tool", "one", "two", "three", "four", "five");
    run("/tool", "later");
    assertThat(gets("/tool")).isEqualTo(1);
    run("/old", "old");
    cluster.process().kill();
    cluster.process().await(SOON);
    tags.put("/old", "\"2\"");
    cluster.start();
    run("/tool", "after");
    assertThat(gets("/tool")).as("requests for what had been fetched").isEqualTo(1);
    run("/old", "after-old");
    assertThat(gets("/old")).as("requests for what had changed meanwhile").isEqualTo(2);
    // What tasks wrote into their files changed nothing.
    Path cache = found("fetcher-cache").get(0);
    try (Stream<Path> files = Files.walk(cache)) {
      assertThat(files.filter(file -> file.getFileName().toString().matches("c[0-9]+-.*")).toList())
          .isNotEmpty()
          .allSatisfy(file -> assertThat(file).hasBinaryContent(body));
    }
  }

  @Test
  void whatAKilledAgentHadHalfIsFetchedAgain() throws Exception {
    try (TestFramework framework = subscribe()) {
      framework.launch(offer(framework), List.of("half"), command(uri(HALF)));
      Await.until(
          "half of it is there",
          SOON,
          () -> {
            for (Path file : found("fetched")) {
              if (Files.size(file) > 0) {
                return true;
              }
            }
            return false;
          });
      cluster.process().kill();
      cluster.process().await(SOON);
    }
    gate.countDown();
    cluster.start();
    Await.until("nothing is left of it", SOON, () -> found("fetched").isEmpty());
    run(HALF, "whole");
    assertThat(gets(HALF)).isEqualTo(2);
  }

  @Test
  void whatLeadsOutOfTheSandboxIsRefusedWithTheReason() throws Exception {
    Path archive = Files.createTempDirectory("mezzo-it-archive");
    Path outside = archive.resolve("outside");
    Process tar =
        new ProcessBuilder(
                "sh",
                "-c",
                "cd \"$1\" && mkdir a outside && ln -s \"$1/outside\" link && tar -cf evil.tar link"
                    + " && rm link && mkdir link && echo >link/file && tar -rf evil.tar link/file",
                "sh",
                archive.toString())
            .inheritIO()
            .start();
    assertThat(tar.waitFor()).isZero();
    try (TestFramework framework = subscribe()) {
      ObjectNode up = command(uri("/up"));
      ((ObjectNode) up.at("/uris/0")).put("output_file", "a/../../up");
      framework.launch(offer(framework), List.of("up"), up);
      JsonNode refused = framework.awaitState("up", "TASK_FAILED");
      assertThat(refused.path("reason").asText()).isEqualTo("REASON_CONTAINER_LAUNCH_FAILED");
      assertThat(refused.path("message").asText())
          .contains("'a/../../up'", "leads out of the sandbox", "without '..'");
      assertThat(gets("/up")).isZero();

      ObjectNode evil = Http.JSON.createObjectNode().put("shell", true).put("value", "true");
      evil.putArray("uris").addObject().put("value", archive.resolve("evil.tar").toString());
      framework.launch(offer(framework), List.of("evil"), evil);
      assertThat(framework.awaitState("evil", "TASK_FAILED").path("message").asText())
          .contains("the archive is not unpacked", "'link/file' would be written through its link");
      assertThat(outside).isEmptyDirectory();
      framework.teardown();
    }
    assertThat(found("stderr"))
        .anySatisfy(file -> assertThat(file).content().contains("'a/../../up'", "without '..'"))
        .anySatisfy(file -> assertThat(file).content().contains("written through its link"));
    assertThat(found("evil.tar")).isEmpty();
  }
}
