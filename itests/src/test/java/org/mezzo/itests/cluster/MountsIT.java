package org.mezzo.itests.cluster;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.mezzo.fixtures.Await;

/** Volumes that are mounted ({@code --isolation=filesystem/linux}), and what is said without. */
class MountsIT {
  private static final Duration LIMIT = Duration.ofSeconds(120);
  private static final String MOUNTS = "--isolation=filesystem/linux";

  private static final String INFO =
      """
      {"user":"root","name":"mounts","roles":["r"],"checkpoint":true,"failover_timeout":600.0,
       "capabilities":[{"type":"MULTI_ROLE"},{"type":"RESERVATION_REFINEMENT"},
                       {"type":"PARTITION_AWARE"}]}\
      """;

  /** Says what it reads at a place, and that it cannot write there. */
  private static final String READS =
      "reads() { grep -q \"of the $1\" \"$2/file\""
          + " && touch \"$2/new\" 2>&1 | grep -q 'Read-only file system'; }; ";

  @TempDir Path folder;
  private MasterAndAgent cluster;
  private TestFramework framework;
  private Path host;
  private Path place;
  private Path other;

  @BeforeEach
  void prepare() throws Exception {
    cluster = new MasterAndAgent(folder);
    host = Files.createDirectory(folder.resolve("host"));
    Files.writeString(host.resolve("file"), "of the host\n");
    place = Files.createDirectory(folder.resolve("place"));
    other = Files.createDirectory(folder.resolve("other"));
  }

  @AfterEach
  void stop() throws Exception {
    cluster.close();
  }

  private static void needsRoot() {
    assumeTrue("root".equals(System.getProperty("user.name")), "mounts need an agent that is root");
  }

  private MezzoProcess startAgent(String... flags) throws IOException {
    return cluster.startAgent(
        Stream.concat(Stream.of("--resources=cpus:4;mem:1024;disk:1024"), Stream.of(flags))
            .toArray(String[]::new));
  }

  private void start(String... flags) throws Exception {
    cluster.startMaster("--allocation_interval=100ms");
    startAgent(flags);
    framework = TestFramework.subscribe(cluster.master(), INFO);
    cluster.own(framework);
  }

  private JsonNode offer() {
    return framework.await("OFFERS", event -> true, LIMIT).at("/offers/offers/0");
  }

  private static ObjectNode json(String text) throws IOException {
    return (ObjectNode) Http.JSON.readTree(text);
  }

  private static String volumes(String... volumes) {
    return "\"container\":{\"type\":\"MESOS\",\"volumes\":[" + String.join(",", volumes) + "]}";
  }

  private static String volume(String mode, Object at, String source) {
    return "{\"mode\":\"%s\",\"container_path\":\"%s\",%s}".formatted(mode, at, source);
  }

  private String ofHost() {
    return "\"source\":{\"type\":\"HOST_PATH\",\"host_path\":{\"path\":\"" + host + "\"}}";
  }

  private static String scalar(String name, double value, String more) {
    return "{\"name\":\"%s\",\"type\":\"SCALAR\",\"scalar\":{\"value\":%s}%s}"
        .formatted(name, value, more);
  }

  private static String reserved(String more) {
    return scalar("disk", 60, ",\"reservations\":[{\"type\":\"DYNAMIC\",\"role\":\"r\"}]" + more);
  }

  private static String persistent(String mode, Object at) {
    return reserved(
        ",\"disk\":{\"persistence\":{\"id\":\"v\"},\"volume\":{\"container_path\":\"%s\",\"mode\":\"%s\"}}"
            .formatted(at, mode));
  }

  private void accept(JsonNode offer, String... operations) throws IOException {
    ObjectNode call = framework.call("ACCEPT");
    ObjectNode accept = call.putObject("accept");
    accept.putArray("offer_ids").add(offer.path("id"));
    accept.putObject("filters").put("refuse_seconds", 0);
    ArrayNode all = accept.putArray("operations");
    for (String operation : operations) {
      all.add(json(operation));
    }
    framework.send(call);
  }

  private void launch(String id, String script, String more) throws IOException {
    framework.launch(
        offer(),
        List.of(id),
        Http.JSON.createObjectNode().put("shell", true).put("value", script),
        json("{" + more + "}"));
  }

  private Path sandbox() throws IOException {
    JsonNode executors =
        Http.get(cluster.agent().resolve("/state")).json().at("/frameworks/0/executors");
    return Path.of(executors.path(0).path("directory").asText());
  }

  private void assertNothingMounted() throws IOException {
    assertThat(Files.readString(Path.of("/proc/self/mountinfo")))
        .as("what is mounted on the host")
        .doesNotContain(folder.getFileName().toString());
    assertThat(place).isEmptyDirectory();
    assertThat(host.resolve("file")).hasContent("of the host");
    assertThat(host.resolve("new")).doesNotExist();
  }

  private static long lines(Path file) throws IOException {
    return Files.exists(file) ? Files.readAllLines(file).size() : 0;
  }

  /** A command with all kinds of volumes, its check, and what a kill of the agent leaves. */
  @Test
  void aCommandsVolumesAreForReadingOnlyAndAnywhere() throws Exception {
    needsRoot();
    start(MOUNTS);
    accept(
        offer(),
        "{\"type\":\"RESERVE\",\"reserve\":{\"resources\":[" + reserved("") + "]}}",
        "{\"type\":\"CREATE\",\"create\":{\"volumes\":[" + persistent("RW", "data") + "]}}");
    Await.until(
        "the volume is there",
        LIMIT,
        () -> Files.isDirectory(folder.resolve("agent/volumes/roles/r/v")));
    launch(
        "writer",
        "test ! -L data && echo of the volume >data/file",
        "\"resources\":[" + persistent("RW", "data") + "]");
    framework.awaitState("writer", "TASK_FINISHED");
    assertThat(folder.resolve("agent/volumes/roles/r/v/file")).hasContent("of the volume");

    String check =
        "reads host %s && grep -q 'more of' %s/file && echo x >>checked".formatted(place, other);
    launch(
        "reader",
        READS
            + "reads host in/ro && reads host %s && grep -q volume %s/file || exit 9;"
                .formatted(place, other)
            + " echo more of the volume >%s/file;".formatted(other)
            + " echo own >self/file && test \"$(cat folder/file)\" = own || exit 8;"
            + " until [ -e go ]; do sleep 0.1; done",
        "\"resources\":["
            + persistent("RW", other)
            + "],"
            + volumes(
                volume("RO", "in/ro", ofHost()),
                volume("RO", place, "\"host_path\":\"" + host + "\""),
                volume(
                    "RW",
                    "self",
                    "\"source\":{\"type\":\"SANDBOX_PATH\",\"sandbox_path\":{\"type\":\"SELF\",\"path\":\"folder\"}}"))
            + ",\"check\":{\"type\":\"COMMAND\",\"delay_seconds\":0,\"interval_seconds\":0.2,\"command\":{\"command\":"
            + json("{}").put("shell", true).put("value", READS + check)
            + "}}");
    framework.awaitState("reader", "TASK_RUNNING");
    Path sandbox = sandbox();
    Await.until("the check sees the mounts", LIMIT, () -> lines(sandbox.resolve("checked")) > 0);
    assertNothingMounted();
    assertThat(sandbox.resolve("in/ro")).isEmptyDirectory();
    assertThat(other).isEmptyDirectory();
    assertThat(folder.resolve("agent/volumes/roles/r/v/file")).hasContent("more of the volume");
    assertThat(sandbox.resolve("folder/file")).hasContent("own");
  }

  /** The namespace of a container is as it was for the agent that comes after. */
  @Test
  void theyOutliveTheAgent() throws Exception {
    needsRoot();
    cluster.startMaster("--allocation_interval=100ms");
    MezzoProcess agent = startAgent(MOUNTS);
    framework = TestFramework.subscribe(cluster.master(), INFO);
    cluster.own(framework);
    launch(
        "t",
        READS + "until [ -e go ]; do sleep 0.1; done; reads host " + place,
        volumes(volume("RO", place, ofHost()))
            + ",\"check\":{\"type\":\"COMMAND\",\"delay_seconds\":0,\"interval_seconds\":0.2,\"command\":{\"command\":"
            + json("{}")
                .put("shell", true)
                .put("value", READS + "reads host " + place + " && echo x >>checked")
            + "}}");
    framework.awaitState("t", "TASK_RUNNING");
    Path sandbox = sandbox();
    Await.until("the check sees it", LIMIT, () -> lines(sandbox.resolve("checked")) > 0);
    agent.killAlone();
    cluster.awaitAgent(false);
    long before = lines(sandbox.resolve("checked"));
    startAgent(MOUNTS);
    Await.until(
        "the check of the next agent sees it, too",
        LIMIT,
        () -> lines(sandbox.resolve("checked")) > before + 1);
    assertNothingMounted();
    Files.createFile(sandbox.resolve("go"));
    framework.awaitState("t", "TASK_FINISHED");
    assertNothingMounted();
  }

  @Test
  void tasksOfAGroupShareAFolderEachInItsWay() throws Exception {
    needsRoot();
    start(MOUNTS);
    JsonNode offer = offer();
    String shared =
        "\"source\":{\"type\":\"SANDBOX_PATH\",\"sandbox_path\":{\"type\":\"PARENT\",\"path\":\"shared\"}}";
    accept(
        offer,
        "{\"type\":\"LAUNCH_GROUP\",\"launch_group\":{\"executor\":{\"type\":\"DEFAULT\",\"executor_id\":{\"value\":\"e\"},"
            + "\"framework_id\":{\"value\":\""
            + framework.frameworkId()
            + "\"},\"resources\":["
            + scalar("cpus", 0.1, "")
            + ","
            + scalar("mem", 32, "")
            + ","
            + scalar("disk", 10, "")
            + "]},\"task_group\":{\"tasks\":["
            + grouped(
                offer, "writer", "echo of the writer >at/file", volumes(volume("RW", "at", shared)))
            + ","
            + grouped(
                offer,
                "reader",
                READS
                    + "until [ -e at/file ]; do sleep 0.1; done; reads writer at && reads host "
                    + place,
                volumes(volume("RO", "at", shared), volume("RO", place, ofHost())))
            + "]}}}");
    framework.awaitState("writer", "TASK_FINISHED");
    framework.awaitState("reader", "TASK_FINISHED");
    assertNothingMounted();
  }

  private static String grouped(JsonNode offer, String id, String script, String more)
      throws IOException {
    ObjectNode task = json("{" + more + "}").put("name", id);
    task.putObject("task_id").put("value", id);
    task.set("agent_id", offer.path("agent_id"));
    task.putObject("command").put("shell", true).put("value", script);
    task.putArray("resources").add(json(scalar("cpus", 0.1, ""))).add(json(scalar("mem", 32, "")));
    return task.toString();
  }

  @Test
  void withoutThemTheTaskIsToldTheRemedy() throws Exception {
    start();
    launch("t", "true", volumes(volume("RO", place, ofHost())));
    assertThat(framework.awaitState("t", "TASK_FAILED").path("message").asText())
        .contains("for reading only", MOUNTS);
    MezzoProcess refused =
        cluster.own(
            MezzoProcess.start(
                Distribution.built(),
                folder.resolve("logs"),
                "agent",
                "--master=127.0.0.1:1",
                "--port=0",
                "--runtime_dir=" + folder.resolve("run2"),
                "--work_dir=" + folder.resolve("agent2"),
                "--launcher=shell",
                MOUNTS));
    assertThat(refused.await(LIMIT)).isNotZero();
    assertThat(refused.stderr() + refused.stdout())
        .contains("Isolation 'filesystem/linux' cannot be", "--launcher=native");
  }
}
