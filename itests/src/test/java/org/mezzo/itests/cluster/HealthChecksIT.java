package org.mezzo.itests.cluster;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.mezzo.fixtures.Await;

/** What frameworks see of checks and health checks of command tasks. */
class HealthChecksIT {
  private static LocalCluster cluster;

  @BeforeAll
  static void start() throws Exception {
    cluster = LocalCluster.start(Distribution.built(), 1);
  }

  @AfterAll
  static void stop() {
    if (cluster != null) {
      cluster.close();
    }
  }

  private static TestFramework subscribe() throws Exception {
    return TestFramework.subscribe(
        cluster.master(),
        "{\"user\":\""
            + System.getProperty("user.name")
            + "\",\"name\":\"checks\",\"roles\":[\"checks\"],"
            + "\"capabilities\":[{\"type\":\"MULTI_ROLE\"}]}");
  }

  /** Launches a task with this beside its command. */
  private static void launch(TestFramework framework, String id, String command, String more)
      throws IOException {
    framework.launch(
        framework.await("OFFERS", event -> true).at("/offers/offers/0"),
        List.of(id),
        Http.JSON.createObjectNode().put("shell", true).put("value", command),
        (ObjectNode) Http.JSON.readTree(more.replace('\'', '"')));
  }

  private static InetAddress loopback() throws IOException {
    return InetAddress.getByAddress(new byte[] {127, 0, 0, 1});
  }

  private static Path sandbox(String task) throws IOException {
    try (Stream<Path> files = Files.walk(cluster.folder().resolve("work"))) {
      return files
          .filter(path -> path.toString().endsWith("/executors/" + task + "/runs/latest"))
          .findFirst()
          .orElseThrow()
          .toRealPath();
    }
  }

  private static List<String> groups(Path file) throws IOException {
    return Files.readAllLines(file);
  }

  private static double metric(String name) throws IOException {
    URI agent = URI.create("http://127.0.0.1:" + cluster.agents().get(0).path("port").asInt());
    return Http.get(agent.resolve("/metrics/snapshot")).json().path(name).asDouble(-1);
  }

  @Test
  void aTaskWhoseAnswersTurnBadIsToldAndKilled() throws Exception {
    AtomicInteger status = new AtomicInteger(200);
    HttpServer server = HttpServer.create(new InetSocketAddress(loopback(), 0), 0);
    server.createContext(
        "/health",
        exchange -> {
          exchange.sendResponseHeaders(status.get(), -1);
          exchange.close();
        });
    server.start();
    try (TestFramework framework = subscribe()) {
      launch(
          framework,
          "web",
          "sleep 1000",
          "{'health_check':{'type':'HTTP','http':{'port':"
              + server.getAddress().getPort()
              + ",'path':'/health'},'delay_seconds':0,'interval_seconds':0.2,"
              + "'grace_period_seconds':0,'consecutive_failures':2}}");
      JsonNode running = framework.awaitState("web", "TASK_RUNNING");
      assertThat(running.has("healthy")).isFalse();
      JsonNode healthy = framework.awaitState("web", "TASK_RUNNING");
      assertThat(healthy.path("reason").asText())
          .isEqualTo("REASON_TASK_HEALTH_CHECK_STATUS_UPDATED");
      assertThat(healthy.path("healthy").asBoolean(false)).isTrue();
      Await.until(
          "/state shows it",
          () ->
              Http.get(cluster.master().resolve("/tasks"))
                  .json()
                  .at("/tasks")
                  .findValues("healthy")
                  .stream()
                  .anyMatch(JsonNode::asBoolean));

      status.set(500);
      for (int i = 1; i <= 2; i++) {
        JsonNode ill = framework.awaitState("web", "TASK_RUNNING");
        assertThat(ill.path("reason").asText())
            .isEqualTo("REASON_TASK_HEALTH_CHECK_STATUS_UPDATED");
        assertThat(ill.path("healthy").asBoolean(true)).isFalse();
        assertThat(ill.path("message").asText()).contains("the answer had status 500");
      }
      JsonNode killed = framework.awaitState("web", "TASK_KILLED");
      assertThat(killed.path("healthy").asBoolean(true)).isFalse();
      assertThat(killed.has("reason")).isFalse();
      framework.teardown();
    } finally {
      server.stop(0);
    }
  }

  @Test
  void aCommandRunsInTheSandboxAndItsStatusIsToldWhenItChanges() throws Exception {
    try (TestFramework framework = subscribe()) {
      launch(
          framework,
          "files",
          "cat /proc/self/cgroup >own; sleep 1000",
          "{'check':{'type':'COMMAND','command':{'command':{'shell':true,"
              + "'value':'echo looking; id -un >part; mv part who;"
              + " echo $MEZZO_CONTAINER_ID >part; mv part where;"
              + " cat /proc/self/cgroup >part; mv part groups; exit $(cat status)',"
              + "'environment':{'variables':[{'name':'A','value':'b'}]}}},"
              + "'delay_seconds':0,'interval_seconds':0.2}}");
      JsonNode starting = framework.awaitState("files", "TASK_STARTING");
      assertThat(starting.at("/check_status/type").asText()).isEqualTo("COMMAND");
      assertThat(starting.at("/check_status/command").isObject()).isTrue();
      assertThat(starting.at("/check_status/command").has("exit_code")).isFalse();
      framework.awaitState("files", "TASK_RUNNING");
      Path sandbox = sandbox("files");
      for (int expected : new int[] {3, 0}) {
        Path next = sandbox.resolve("next");
        Files.writeString(next, expected + "\n");
        Files.move(next, sandbox.resolve("status"));
        while (true) {
          // Before the file is there the command has a status of its own.
          JsonNode told = framework.awaitState("files", "TASK_RUNNING");
          assertThat(told.path("reason").asText()).isEqualTo("REASON_TASK_CHECK_STATUS_UPDATED");
          if (told.at("/check_status/command/exit_code").asInt(-1) == expected) {
            break;
          }
        }
        Files.delete(sandbox.resolve("status"));
      }
      assertThat(sandbox.resolve("who"))
          .content()
          .isEqualTo(System.getProperty("user.name") + "\n");
      assertThat(sandbox.resolve("stderr")).content().contains("looking");
      assertThat(sandbox.resolve("stdout")).content().isEmpty();

      // In the task's container, and in its groups where there are any.
      String container = sandbox.getFileName().toString();
      assertThat(Files.readString(sandbox.resolve("where"))).startsWith(container + ".check-");
      assertThat(groups(sandbox.resolve("groups")))
          .allMatch(group -> !group.contains("check-") || group.contains("/" + container + "/"))
          .filteredOn(group -> !group.contains("check-"))
          .isSubsetOf(groups(sandbox.resolve("own")));
      // However often it was made, how it ended is kept of none.
      Await.until("nothing is kept", () -> metric("containerizer/results_kept") == 0);

      ObjectNode kill = framework.call("KILL");
      kill.putObject("kill").putObject("task_id").put("value", "files");
      framework.send(kill);
      framework.awaitState("files", "TASK_KILLED");
      Await.until("no check is left", () -> metric("slave/check_commands_running") == 0);
      framework.teardown();
    }
  }

  @Test
  void aCommandThatDoesNotEndIsKilledWithTheTask() throws Exception {
    try (TestFramework framework = subscribe()) {
      launch(
          framework,
          "stuck",
          "sleep 1000",
          "{'check':{'type':'COMMAND','command':{'command':{'shell':true,"
              + "'value':'echo $$ >pid.new; mv pid.new pid; sleep 1000'}},"
              + "'delay_seconds':0,'timeout_seconds':0}}");
      framework.awaitState("stuck", "TASK_RUNNING");
      Path pid = sandbox("stuck").resolve("pid");
      Await.until("the command runs", () -> Files.exists(pid));
      long process = Long.parseLong(Files.readString(pid).strip());
      assertThat(ProcessHandle.of(process)).isPresent();
      ObjectNode kill = framework.call("KILL");
      kill.putObject("kill").putObject("task_id").put("value", "stuck");
      framework.send(kill);
      framework.awaitState("stuck", "TASK_KILLED");
      Await.until("the command is gone", () -> ProcessHandle.of(process).isEmpty());
      framework.teardown();
    }
  }

  @Test
  void aTaskInANetworkOfItsOwnIsTriedThere() throws Exception {
    assumeTrue("root".equals(System.getProperty("user.name")), "only root has networks made");
    ServerSocket server = new ServerSocket(0, 50, loopback());
    try (TestFramework framework = subscribe()) {
      launch(
          framework,
          "alone",
          "exec unshare -n sh -c 'ip link set lo up; readlink /proc/self/ns/net >net; exec sleep"
              + " 1000'",
          "{'check':{'type':'TCP','tcp':{'port':"
              + server.getLocalPort()
              + "},'delay_seconds':0,'interval_seconds':0.2},"
              + "'health_check':{'type':'COMMAND','delay_seconds':0,'interval_seconds':0.2,'command':{'shell':true,'value':'["
              + " $(readlink /proc/self/ns/net) = $(cat net) ]'}}}");
      framework.awaitState("alone", "TASK_RUNNING");
      JsonNode told;
      do {
        // The first may come before it is there.
        told = framework.awaitState("alone", "TASK_RUNNING");
      } while (told.at("/check_status/tcp/succeeded").asBoolean(true)
          || !told.path("healthy").asBoolean(false));
      framework.teardown();
    } finally {
      server.close();
    }
  }

  @Test
  void connectionsAreTried() throws Exception {
    ServerSocket server = new ServerSocket(0, 50, loopback());
    try (TestFramework framework = subscribe()) {
      launch(
          framework,
          "port",
          "sleep 1000",
          "{'check':{'type':'TCP','tcp':{'port':"
              + server.getLocalPort()
              + "},'delay_seconds':0,'interval_seconds':0.2}}");
      framework.awaitState("port", "TASK_RUNNING");
      JsonNode open = framework.awaitState("port", "TASK_RUNNING");
      assertThat(open.at("/check_status/tcp/succeeded").asBoolean(false)).isTrue();
      server.close();
      JsonNode closed = framework.awaitState("port", "TASK_RUNNING");
      assertThat(closed.at("/check_status/tcp/succeeded").asBoolean(true)).isFalse();
      framework.teardown();
    } finally {
      server.close();
    }
  }
}
