package org.mezzo.itests.cluster;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.mezzo.fixtures.Await;

/** What slow and careless web servers do to the tasks of an agent. */
class FetchingIT {
  private static final Duration SOON = Duration.ofSeconds(60);
  private static final AtomicInteger slow = new AtomicInteger();
  private static ExecutorService threads;
  private static HttpServer server;
  private static LocalCluster cluster;

  @BeforeAll
  static void start() throws Exception {
    threads = Executors.newCachedThreadPool();
    server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    server.setExecutor(threads);
    server.createContext(
        "/slow",
        exchange -> {
          slow.incrementAndGet();
          try (exchange) {
            exchange.sendResponseHeaders(200, 0);
            // Until the one who reads is gone.
            while (!Thread.currentThread().isInterrupted()) {
              exchange.getResponseBody().write(new byte[100]);
              exchange.getResponseBody().flush();
              Thread.sleep(20);
            }
          } catch (InterruptedException | IOException e) {
            Thread.currentThread().interrupt();
          } finally {
            slow.decrementAndGet();
          }
        });
    server.createContext(
        "/closed",
        exchange -> {
          exchange.sendResponseHeaders(403, -1);
          exchange.close();
        });
    server.start();
    cluster = LocalCluster.start(Distribution.built(), 1);
  }

  @AfterAll
  static void stop() {
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
            + "\",\"name\":\"fetching\",\"roles\":[\"fetching\"],"
            + "\"capabilities\":[{\"type\":\"MULTI_ROLE\"}]}");
  }

  private static JsonNode offer(TestFramework framework) {
    return framework.await("OFFERS", event -> true).at("/offers/offers/0");
  }

  private static ObjectNode command(String uri) {
    ObjectNode command = Http.JSON.createObjectNode().put("shell", true).put("value", "true");
    command.putArray("uris").addObject().put("value", uri);
    return command;
  }

  private static String base() {
    return "127.0.0.1:" + server.getAddress().getPort();
  }

  @Test
  void aKillDuringASlowFetchIsAnsweredAtOnceAndEndsTheFetch() throws Exception {
    try (TestFramework framework = subscribe()) {
      framework.launch(offer(framework), List.of("slow"), command("http://" + base() + "/slow/x"));
      Await.until("the fetch began", SOON, () -> slow.get() == 1);
      ObjectNode kill = framework.call("KILL");
      kill.putObject("kill").putObject("task_id").put("value", "slow");
      framework.send(kill);
      // The fetch would go on for ever.
      framework.awaitState("slow", "TASK_KILLED");
      Await.until("nobody reads any more", SOON, () -> slow.get() == 0);
      assertNothingStaged();
      framework.teardown();
    }
  }

  @Test
  void slowFetchesDelayNoOtherLaunchAndEndWithTheirFramework() throws Exception {
    try (TestFramework framework = subscribe()) {
      List<String> tasks = new ArrayList<>();
      for (int i = 0; i < 9; i++) {
        tasks.add("slow-" + i);
      }
      framework.launch(offer(framework), tasks, command("http://" + base() + "/slow/x"));
      Await.until("all fetches began", SOON, () -> slow.get() == tasks.size());
      JsonNode offer = offer(framework);
      // The others are fetched for as long as it takes.
      framework.launch(offer, "quick", "true");
      framework.awaitState("quick", "TASK_FINISHED");
      assertThat(slow).hasValue(tasks.size());
      framework.teardown();
      Await.until("nobody reads any more", SOON, () -> slow.get() == 0);
      assertNothingStaged();
    }
  }

  @Test
  void thePasswordOfAUriIsToldNowhere() throws Exception {
    try (TestFramework framework = subscribe()) {
      String uri = "http://me:pass-word@" + base() + "/closed/x.tgz?key=k-e-y";
      framework.launch(offer(framework), List.of("secret"), command(uri));
      JsonNode failed = framework.awaitState("secret", "TASK_FAILED");
      assertThat(failed.path("message").asText())
          .contains("http://" + base() + "/closed/x.tgz?...", "Status 403")
          .doesNotContain("pass-word")
          .doesNotContain("k-e-y");
      framework.teardown();
    }
    assertThat(cluster.process().stderr())
        .contains("Task 'secret' could not be launched")
        .doesNotContain("pass-word")
        .doesNotContain("k-e-y");
    List<Path> said = new ArrayList<>();
    // Whatever is deleted meanwhile ends a walk.
    Await.until(
        "all files were looked at",
        () -> {
          said.clear();
          try (Stream<Path> files = Files.walk(cluster.folder())) {
            files.filter(file -> file.endsWith("stderr")).forEach(said::add);
          }
          return true;
        });
    assertThat(said)
        .anySatisfy(file -> assertThat(file).content().contains("closed/x.tgz?..."))
        .allSatisfy(
            file -> assertThat(file).content().doesNotContain("pass-word").doesNotContain("k-e-y"));
  }

  private static void assertNothingStaged() {
    Await.until(
        "nothing of a fetch is left behind",
        SOON,
        () -> {
          try (Stream<Path> files = Files.walk(cluster.folder())) {
            return files.noneMatch(
                file -> file.getParent().getFileName().toString().equals("fetching"));
          }
        });
  }
}
