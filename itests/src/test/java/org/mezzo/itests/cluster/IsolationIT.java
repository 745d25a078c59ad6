package org.mezzo.itests.cluster;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.sun.net.httpserver.HttpServer;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.mezzo.fixtures.Await;

/** What modules around a task's process do for it, as its framework sees it. */
class IsolationIT {
  private static final String USER = System.getProperty("user.name");
  private static final boolean CGROUPS =
      Files.isWritable(Path.of("/sys/fs/cgroup/memory/cgroup.procs"))
          || Files.isWritable(Path.of("/sys/fs/cgroup/cgroup.subtree_control"));
  private static final String PARAMETERS =
      """
      {"libraries":[{"modules":[{"name":"labels","parameters":[
        {"key":"label.zone","value":"north"},{"key":"label.team","value":"blue"}]}]}]}\
      """;

  @TempDir static Path folder;
  private static LocalCluster cluster;

  @BeforeAll
  static void start() throws Exception {
    cluster =
        LocalCluster.start(
            Distribution.built(),
            1,
            "--isolation="
                + (CGROUPS ? "cgroups/cpu,cgroups/mem," : "")
                + "network/addresses,disk/du,posix/rlimits",
            "--enforce_container_disk_quota",
            "--container_disk_watch_interval=100ms",
            "--cgroups_root=mezzo-it-" + ProcessHandle.current().pid(),
            "--hooks=labels",
            "--modules=" + PARAMETERS.replaceAll("\\s+", ""));
    // Tasks of other users have to pass through it to their sandboxes.
    Files.setPosixFilePermissions(cluster.folder(), PosixFilePermissions.fromString("rwx--x--x"));
  }

  @AfterAll
  static void stop() throws Exception {
    if (cluster != null) {
      cluster.close();
    }
    for (String hierarchy : List.of("memory", "cpu", "cpuacct", "freezer", "unified", ".")) {
      assertThat(Path.of("/sys/fs/cgroup", hierarchy, "mezzo-it-" + ProcessHandle.current().pid()))
          .as("cgroups that the agent leaves behind")
          .doesNotExist();
    }
  }

  private static ObjectNode command(String text) {
    return Http.JSON.createObjectNode().put("value", text);
  }

  @Test
  void aTaskBeyondItsDiskFailsAndSaysWhy() throws Exception {
    try (TestFramework framework = subscribe(USER)) {
      ObjectNode disk = Http.JSON.createObjectNode();
      disk.putArray("resources")
          .addObject()
          .put("name", "disk")
          .put("type", "SCALAR")
          .putObject("scalar")
          .put("value", 4);
      framework.launch(
          offer(framework),
          List.of("fills"),
          command("dd if=/dev/zero of=much bs=1M count=8; sleep 1000"),
          disk);
      JsonNode failed = framework.awaitState("fills", "TASK_FAILED");
      assertThat(failed.path("reason").asText())
          .as(failed.toString())
          .isEqualTo("REASON_CONTAINER_LIMITATION_DISK");
      assertThat(failed.path("message").asText())
          .contains("Disk limit exceeded: sandbox uses", " of 4 MB", "much with");
    }
  }

  @Test
  void limitsOfProcessesThatATaskAsksForAreSet() throws Exception {
    try (TestFramework framework = subscribe(USER)) {
      ObjectNode limited = Http.JSON.createObjectNode();
      limited.set(
          "container",
          Http.JSON.readTree(
              "{\"type\":\"MESOS\",\"rlimit_info\":{\"rlimits\":["
                  + "{\"type\":\"RLMT_NOFILE\",\"soft\":77,\"hard\":99}]}}"));
      framework.launch(
          offer(framework),
          List.of("limited"),
          command("test $(ulimit -Sn) = 77 && test $(ulimit -Hn) = 99"),
          limited);
      framework.awaitState("limited", "TASK_FINISHED");
    }
  }

  private static TestFramework subscribe(String user) throws Exception {
    return TestFramework.subscribe(
        cluster.master(),
        "{\"user\":\""
            + user
            + "\",\"name\":\"isolation\",\"roles\":[\"isolation\"],"
            + "\"capabilities\":[{\"type\":\"MULTI_ROLE\"}]}");
  }

  private static JsonNode offer(TestFramework framework) {
    return framework.await("OFFERS", event -> true).at("/offers/offers/0");
  }

  private static String sandboxFile(
      TestFramework framework, JsonNode offer, String task, String name) throws Exception {
    JsonNode address = offer.at("/url/address");
    URI agent =
        URI.create("http://" + address.path("ip").asText() + ":" + address.path("port").asInt());
    String path =
        "/frameworks/" + framework.frameworkId() + "/executors/" + task + "/runs/latest/" + name;
    return Http.get(agent.resolve("/files/read?offset=0&path=" + path))
        .json()
        .path("data")
        .asText();
  }

  @Test
  void aTaskBeyondItsMemoryFailsAndSaysWhy() throws Exception {
    assumeTrue(CGROUPS, "this account may not make cgroups with a memory controller");
    String grow = "x=0123456789; while :; do x=$x$x; done";
    try (TestFramework framework = subscribe(USER)) {
      // The first process, and one that the first process would outlive.
      for (String command : List.of(grow, "sh -c '" + grow + "'; sleep 1000")) {
        for (int i = 0; i < 3; i++) {
          String task = "grows-" + command.length() + "-" + i;
          framework.launch(offer(framework), task, command);
          JsonNode failed = framework.awaitState(task, "TASK_FAILED");
          assertThat(failed.path("reason").asText())
              .as(failed.toString())
              .isEqualTo("REASON_CONTAINER_LIMITATION_MEMORY");
          assertThat(failed.path("message").asText())
              .contains(
                  "Memory limit exceeded: limit 32 MB", "used ", "peak 3", "Raise the task's");
          assertThat(failed.at("/limitation/resources/0/name").asText()).isEqualTo("mem");
          assertThat(failed.at("/limitation/resources/0/scalar/value").asDouble())
              .isBetween(30.0, 32.0);
        }
      }
      framework.teardown();
    }
  }

  @Test
  void theKernelIsListenedToForTheMemoryOfContainers() throws Exception {
    assumeTrue(CGROUPS, "this account may not make cgroups with a memory controller");
    assumeTrue(
        Files.exists(Distribution.built().home().resolve("lib/native"))
            || !Files.exists(Path.of("/sys/fs/cgroup/memory/cgroup.procs")),
        "the shell launcher listens to nothing");
    try (TestFramework framework = subscribe(USER)) {
      framework.launch(offer(framework), "rests", "sleep 1000");
      framework.awaitState("rests", "TASK_RUNNING");
      Await.until(
          "nothing is polled",
          () -> memoryMetric("containers") == 1 && memoryMetric("containers_polled") == 0);
      framework.teardown();
    }
  }

  private static double memoryMetric(String name) throws Exception {
    URI agent = URI.create("http://127.0.0.1:" + cluster.agents().get(0).path("port").asInt());
    return Http.get(agent.resolve("/metrics/snapshot"))
        .json()
        .path("modules/isolator/cgroups/mem/" + name)
        .asDouble(Double.NaN);
  }

  @Test
  void aTaskThatFailsByItselfWithinItsMemorySaysOnlyThat() throws Exception {
    try (TestFramework framework = subscribe(USER)) {
      framework.launch(offer(framework), "dies", "kill -9 $$");
      JsonNode failed = framework.awaitState("dies", "TASK_FAILED");
      assertThat(failed.path("message").asText())
          .isEqualTo("Command terminated with signal Killed");
      assertThat(failed.path("reason").asText()).isNotEqualTo("REASON_CONTAINER_LIMITATION_MEMORY");
      framework.teardown();
    }
  }

  @Test
  void aHookAddsTheLabelsOfItsParameters() throws Exception {
    try (TestFramework framework = subscribe(USER)) {
      framework.launch(offer(framework), "labelled", "sleep 1000");
      framework.awaitState("labelled", "TASK_RUNNING");
      JsonNode tasks =
          Http.postJson(cluster.master().resolve("/api/v1"), "{\"type\":\"GET_TASKS\"}")
              .json()
              .at("/get_tasks/tasks");
      assertThat(tasks.findParents("labels"))
          .anySatisfy(
              task -> {
                assertThat(task.at("/task_id/value").asText()).isEqualTo("labelled");
                assertThat(task.at("/labels/labels").findValuesAsText("key"))
                    .containsExactlyInAnyOrder("zone", "team");
                assertThat(task.at("/labels/labels").findValuesAsText("value"))
                    .containsExactlyInAnyOrder("north", "blue");
              });
      framework.teardown();
    }
  }

  @Test
  void aTaskKnowsItsAddressAndSoDoesItsFramework() throws Exception {
    try (TestFramework framework = subscribe(USER)) {
      JsonNode offer = offer(framework);
      framework.launch(offer, "address", "echo $MESOS_CONTAINER_IP; sleep 1000");
      JsonNode running = framework.awaitState("address", "TASK_RUNNING");
      assertThat(running.at("/container_status/network_infos/0/ip_addresses/0/ip_address").asText())
          .isEqualTo("127.0.0.1");
      Await.until(
          "the task wrote its address",
          Duration.ofSeconds(60),
          () -> sandboxFile(framework, offer, "address", "stdout").equals("127.0.0.1\n"));
      framework.teardown();
    }
  }

  @Test
  void urisAreInTheSandboxBeforeTheTaskStarts() throws Exception {
    Path file = Files.writeString(folder.resolve("from-file"), "by file\n");
    HttpServer server =
        HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    server.createContext(
        "/from-http",
        exchange -> {
          byte[] body = "by http\n".getBytes(StandardCharsets.UTF_8);
          exchange.sendResponseHeaders(200, body.length);
          exchange.getResponseBody().write(body);
          exchange.close();
        });
    server.start();
    try (TestFramework framework = subscribe(USER)) {
      ObjectNode command =
          Http.JSON.createObjectNode().put("shell", true).put("value", "cat from-file from-http");
      command.putArray("uris").addObject().put("value", "file://" + file);
      command
          .withArray("uris")
          .addObject()
          .put("value", "http://127.0.0.1:" + server.getAddress().getPort() + "/from-http");
      JsonNode offer = offer(framework);
      framework.launch(offer, List.of("fetches"), command);
      framework.awaitState("fetches", "TASK_FINISHED");
      assertThat(sandboxFile(framework, offer, "fetches", "stdout"))
          .isEqualTo("by file\nby http\n");
      framework.teardown();
    } finally {
      server.stop(0);
    }
  }

  @Test
  void aTaskOfAnotherUserGetsNoFileThatUserMayNotRead() throws Exception {
    assumeTrue(USER.equals("root"), "only an agent that is root can read more than its tasks");
    Path secret = Files.writeString(folder.resolve("secret"), "secret");
    Files.setPosixFilePermissions(secret, PosixFilePermissions.fromString("rw-------"));
    try (TestFramework framework = subscribe("nobody")) {
      ObjectNode command = Http.JSON.createObjectNode().put("shell", true).put("value", "true");
      command.putArray("uris").addObject().put("value", "file://" + secret);
      framework.launch(offer(framework), List.of("steals"), command);
      JsonNode failed = framework.awaitState("steals", "TASK_FAILED");
      assertThat(failed.path("reason").asText()).isEqualTo("REASON_CONTAINER_LAUNCH_FAILED");
      assertThat(failed.path("message").asText())
          .contains("file://" + secret, "user 'nobody' may not read");
      framework.teardown();
    }
  }
}
