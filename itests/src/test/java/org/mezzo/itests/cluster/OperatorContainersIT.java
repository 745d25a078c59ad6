package org.mezzo.itests.cluster;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.mezzo.fixtures.Await;

/**
 * Containers that operators launch beside tasks, over the wire as clients of Mesos do it, and the
 * commands that use them, before a terminal.
 */
class OperatorContainersIT {
  private static final Duration LIMIT = Duration.ofSeconds(120);

  @TempDir Path folder;
  private MasterAndAgent cluster;
  private MezzoProcess agent;
  private TestFramework framework;
  private JsonNode container;
  private final String alone = "alone-" + UUID.randomUUID();

  @BeforeEach
  void start() throws Exception {
    cluster = new MasterAndAgent(folder);
    cluster.startMaster("--allocation_interval=100ms");
    startAgent();
    framework =
        TestFramework.subscribe(
            cluster.master(),
            """
            {"user":"%s","name":"operated","roles":["r"],"checkpoint":true,
             "failover_timeout":600.0,
             "capabilities":[{"type":"MULTI_ROLE"},{"type":"PARTITION_AWARE"}]}\
            """
                .formatted(System.getProperty("user.name")));
    cluster.own(framework);
    JsonNode offer = framework.await("OFFERS", event -> true, LIMIT).at("/offers/offers/0");
    framework.launch(offer, List.of("task"), "echo $$ > pid; exec sleep 1000");
  }

  private void startAgent(String... flags) throws Exception {
    List<String> all = new ArrayList<>(List.of("--resources=cpus:8;mem:4096;disk:1024"));
    all.addAll(List.of(flags));
    agent = cluster.startAgent(all.toArray(new String[0]));
    cluster.awaitAgent(true);
  }

  @AfterEach
  void stop() throws Exception {
    call("KILL_CONTAINER", "\"container_id\":{\"value\":\"" + alone + "\"}");
    cluster.close();
  }

  private Http.Answer call(String type, String content) throws IOException {
    return Http.postJson(cluster.agent().resolve("/api/v1"), json(type, content));
  }

  private static String json(String type, String content) {
    return "{\"type\":\"%s\",\"%s\":{%s}}".formatted(type, type.toLowerCase(), content);
  }

  /** The id of the task's container, as the tools of Mesos look it up. */
  private JsonNode container() throws Exception {
    if (container == null) {
      framework.awaitState("task", "TASK_RUNNING");
      JsonNode task =
          Http.get(cluster.master().resolve("/tasks?task_id=task")).json().at("/tasks/0");
      container = task.at("/statuses/0/container_status/container_id");
    }
    return container;
  }

  private String nested(String value) throws Exception {
    ObjectNode id = Http.JSON.createObjectNode();
    id.putObject("container_id").put("value", value).set("parent", container());
    String text = id.toString();
    return text.substring(1, text.length() - 1);
  }

  @Test
  void bothKindsOutliveAnAgentThatIsKilled() throws Exception {
    String own = "\"container_id\":{\"value\":\"" + alone + "\"}";
    String sleeps = ",\"command\":{\"value\":\"exec sleep 1000\"}";
    assertThat(call("LAUNCH_CONTAINER", own + sleeps).status()).isEqualTo(200);
    assertThat(call("LAUNCH_NESTED_CONTAINER", nested("in") + sleeps).status()).isEqualTo(200);
    String ends = nested("ends");
    assertThat(call("LAUNCH_CONTAINER", ends + ",\"command\":{\"value\":\"exit 7\"}").status())
        .isEqualTo(200);
    assertThat(call("WAIT_CONTAINER", ends).json().at("/wait_container/exit_status").asInt())
        .isEqualTo(7 << 8);
    agent.killAlone();
    cluster.awaitAgent(false);
    startAgent();
    assertThat(call("WAIT_CONTAINER", ends).json().at("/wait_container/exit_status").asInt())
        .isEqualTo(7 << 8);
    JsonNode all = call("GET_CONTAINERS", "\"show_nested\":true,\"show_standalone\":true").json();
    assertThat(all.at("/get_containers/containers")).hasSize(3);
    for (String each : List.of(own, nested("in"))) {
      assertThat(call("KILL_CONTAINER", each).status()).isEqualTo(200);
      assertThat(call("WAIT_CONTAINER", each).json().at("/wait_container/exit_status").asInt())
          .isEqualTo(9);
      assertThat(call("REMOVE_CONTAINER", each).status()).isEqualTo(200);
    }
    assertThat(folder.resolve("agent/containers/" + alone)).doesNotExist();
  }

  @Test
  void sandboxesGoOnceTheirContainersHaveEndedWhereTheyAreToBeDeleted() throws Exception {
    String own = "\"container_id\":{\"value\":\"" + alone + "\"}";
    String sleeps = ",\"command\":{\"value\":\"exec sleep 1000\"}";
    assertThat(call("LAUNCH_CONTAINER", own + sleeps).status()).isEqualTo(200);
    assertThat(call("LAUNCH_NESTED_CONTAINER", nested("in") + sleeps).status()).isEqualTo(200);
    Path standalone = folder.resolve("agent/containers/" + alone);
    Path inner;
    try (Stream<Path> all = Files.walk(folder.resolve("agent/slaves"))) {
      inner = all.filter(it -> it.endsWith("containers/in")).findFirst().orElseThrow();
    }
    agent.killAlone();
    cluster.awaitAgent(false);
    startAgent(
        "--gc_non_executor_container_sandboxes", "--gc_delay=2secs", "--disk_watch_interval=100ms");
    for (Path each : List.of(standalone, inner)) {
      assertThat(each).isDirectory();
    }
    assertThat(call("KILL_CONTAINER", own).status()).isEqualTo(200);
    Await.until("it is gone", LIMIT, () -> !Files.exists(standalone));
    assertThat(inner).isDirectory();
    assertThat(call("KILL_CONTAINER", nested("in")).status()).isEqualTo(200);
    Await.until("it is gone", LIMIT, () -> !Files.exists(inner));
    assertThat(inner.getParent().getParent().resolve("pid")).exists();
  }

  /** A request on a connection of its own, written and read byte by byte. */
  private final class Raw implements AutoCloseable {
    private final Socket socket;
    final OutputStream out;
    final InputStream in;
    String head = "";

    Raw(String... headers) throws IOException {
      socket = new Socket("127.0.0.1", cluster.agent().getPort());
      socket.setSoTimeout((int) LIMIT.toMillis());
      out = socket.getOutputStream();
      in = socket.getInputStream();
      write("POST /api/v1 HTTP/1.1\r\nHost: agent\r\n" + String.join("\r\n", headers) + "\r\n\r\n");
    }

    void write(String text) throws IOException {
      out.write(text.getBytes(StandardCharsets.UTF_8));
      out.flush();
    }

    /** A record in a chunk of its own. */
    void record(String json) throws IOException {
      int size = json.getBytes(StandardCharsets.UTF_8).length;
      String record = size + "\n" + json;
      write(
          Integer.toHexString(record.getBytes(StandardCharsets.UTF_8).length)
              + "\r\n"
              + record
              + "\r\n");
    }

    void end() throws IOException {
      write("0\r\n\r\n");
    }

    private String line() throws IOException {
      StringBuilder line = new StringBuilder();
      for (int read = in.read(); read >= 0 && read != '\n'; read = in.read()) {
        if (read != '\r') {
          line.append((char) read);
        }
      }
      return line.toString();
    }

    /** The status line and the headers. */
    String head() throws IOException {
      StringBuilder all = new StringBuilder();
      for (String line = line(); !line.isEmpty(); line = line()) {
        all.append(line).append('\n');
      }
      head = all.toString();
      return head;
    }

    /** What a chunked answer holds, to its end, or to where a text is in it. */
    String body(String until) throws IOException {
      ByteArrayOutputStream all = new ByteArrayOutputStream();
      while (!all.toString(StandardCharsets.UTF_8).contains(until)) {
        int size = Integer.parseInt(line(), 16);
        all.write(in.readNBytes(size));
        line();
        if (size == 0) {
          return all.toString(StandardCharsets.UTF_8);
        }
      }
      return all.toString(StandardCharsets.UTF_8);
    }

    @Override
    public void close() throws IOException {
      socket.close();
    }
  }

  private Raw session(String id, String script, String container, String... headers)
      throws Exception {
    String body =
        json(
            "LAUNCH_NESTED_CONTAINER_SESSION",
            nested(id) + ",\"command\":{\"value\":\"" + script + "\"}" + container);
    List<String> all = new ArrayList<>(List.of(headers));
    all.add("Content-Type: application/json");
    all.add("Content-Length: " + body.getBytes(StandardCharsets.UTF_8).length);
    Raw raw = new Raw(all.toArray(new String[0]));
    raw.write(body);
    return raw;
  }

  private static String base64(String text) {
    return Base64.getEncoder().encodeToString(text.getBytes(StandardCharsets.UTF_8));
  }

  private static String data(String stream, String text) {
    String json =
        "{\"type\":\"DATA\",\"data\":{\"type\":\""
            + stream
            + "\",\"data\":\""
            + base64(text)
            + "\"}}";
    return json.length() + "\n" + json;
  }

  @Test
  void aSessionStreamsRecordsAsMesosDoes() throws Exception {
    try (Raw raw =
        session(
            "s1",
            "echo out; sleep 0.2; echo err >&2; exit 3",
            "",
            "Accept: application/recordio",
            "Message-Accept: application/json")) {
      assertThat(raw.head())
          .startsWith("HTTP/1.1 200 OK\n")
          .contains("Content-Type: application/recordio\n")
          .contains("Message-Content-Type: application/json\n")
          .contains("Transfer-Encoding: chunked\n");
      assertThat(raw.body("never")).isEqualTo(data("STDOUT", "out\n") + data("STDERR", "err\n"));
    }
    assertThat(
            call("WAIT_CONTAINER", nested("s1")).json().at("/wait_container/exit_status").asInt())
        .isEqualTo(3 << 8);
    try (Raw raw = session("s2", "echo out", "", "Accept: application/json")) {
      assertThat(raw.head())
          .contains("Content-Type: application/json\n")
          .doesNotContain("Message-Content-Type");
      assertThat(raw.body("never")).isEqualTo(data("STDOUT", "out\n"));
    }
    try (Raw raw =
        session("s3", "true", "", "Accept: application/recordio", "Message-Accept: text/plain")) {
      assertThat(raw.head()).startsWith("HTTP/1.1 406 ");
    }
    Http.Answer none = call("ATTACH_CONTAINER_OUTPUT", "\"container_id\":" + container());
    assertThat(none.status() + " " + none.text())
        .isEqualTo("500 I/O switchboard server was disabled for this container");
  }

  private Raw input(String id) throws Exception {
    Raw raw =
        new Raw(
            "Content-Type: application/recordio",
            "Message-Content-Type: application/json",
            "Accept: application/json",
            "Transfer-Encoding: chunked");
    raw.record(json("ATTACH_CONTAINER_INPUT", "\"type\":\"CONTAINER_ID\"," + nested(id)));
    return raw;
  }

  private static String io(String content) {
    return json(
        "ATTACH_CONTAINER_INPUT", "\"type\":\"PROCESS_IO\",\"process_io\":{" + content + "}");
  }

  private static String typed(String text) {
    return io("\"type\":\"DATA\",\"data\":{\"type\":\"STDIN\",\"data\":\"" + base64(text) + "\"}");
  }

  @Test
  void aSessionReadsWhatIsTypedAndEndsWithItsConnection() throws Exception {
    String heartbeat =
        io(
            "\"type\":\"CONTROL\",\"control\":{\"type\":\"HEARTBEAT\",\"heartbeat\":"
                + "{\"interval\":{\"nanoseconds\":30000000000}}}");
    try (Raw output =
        session(
            "s",
            "echo ready; cat; echo over",
            "",
            "Accept: application/recordio",
            "Message-Accept: application/json")) {
      output.head();
      output.body(base64("ready\n"));
      // The tools of Mesos try the connection before they type.
      try (Raw trial = input("s")) {
        trial.end();
        assertThat(trial.head()).startsWith("HTTP/1.1 200 OK\n");
      }
      try (Raw input = input("s")) {
        input.record(heartbeat);
        input.record(typed("hello\n"));
        assertThat(output.body(base64("hello\n"))).isEqualTo(data("STDOUT", "hello\n"));
        input.record(typed(""));
        assertThat(output.body("never")).isEqualTo(data("STDOUT", "over\n"));
      }
    }
    try (Raw late = input("s")) {
      late.end();
      assertThat(late.head()).startsWith("HTTP/1.1 500 ");
    }
    try (Raw output =
        session("gone", "echo ready; exec sleep 1000", "", "Accept: application/json")) {
      output.head();
      output.body(base64("ready\n"));
    }
    assertThat(
            call("WAIT_CONTAINER", nested("gone")).json().at("/wait_container/exit_status").asInt())
        .isEqualTo(9);
  }

  // The commands.

  private Process exec(List<String> command) throws IOException {
    ProcessBuilder builder =
        new ProcessBuilder(command)
            .redirectOutput(folder.resolve("out").toFile())
            .redirectError(folder.resolve("err").toFile());
    builder.environment().put("JAVA_HOME", System.getProperty("java.home"));
    builder.environment().put("MEZZO_MASTER", "127.0.0.1:" + cluster.master().getPort());
    return builder.start();
  }

  private int ended(Process process) throws Exception {
    assertThat(process.waitFor(LIMIT.toSeconds(), TimeUnit.SECONDS)).isTrue();
    return process.exitValue();
  }

  private String mezzo() throws IOException {
    return Distribution.built().command().toString();
  }

  @Test
  void theCommandExecBringsOutputInputAndStatus() throws Exception {
    container();
    Process plain =
        exec(
            List.of(
                mezzo(),
                "task",
                "exec",
                "task",
                "sh",
                "-c",
                "until [ -s pid ]; do sleep 0.1; done; pwd; echo e >&2; cat pid; exit 5"));
    assertThat(ended(plain)).isEqualTo(5);
    List<String> lines = Files.readAllLines(folder.resolve("out"));
    assertThat(lines).hasSize(2);
    assertThat(lines.get(0)).contains("/executors/task/runs/");
    assertThat(Files.readString(folder.resolve("err"))).isEqualTo("e\n");
    Process piped = exec(List.of(mezzo(), "task", "exec", "-i", "task", "sort"));
    try (OutputStream in = piped.getOutputStream()) {
      in.write("b\na\n".getBytes(StandardCharsets.UTF_8));
    }
    assertThat(ended(piped)).isZero();
    assertThat(folder.resolve("out")).hasContent("a\nb");
    Process noTerminal = exec(List.of(mezzo(), "task", "exec", "-t", "task", "true"));
    noTerminal.getOutputStream().close();
    assertThat(ended(noTerminal)).isEqualTo(2);
    assertThat(Files.readString(folder.resolve("err"))).contains("is no terminal");
  }

  @Test
  void inATerminalKeysAndTheSizeOfTheWindowGetThere() throws Exception {
    assumeTrue(Files.isExecutable(Path.of("/usr/bin/script")), "there is no script of util-linux");
    container();
    Path resize = folder.resolve("resize");
    String remote =
        "stty size; tty >/dev/null && echo tty; trap 'echo interrupted; exit 7' INT;"
            + " trap 'stty size' WINCH; echo ready; while :; do sleep 0.1; done";
    String local =
        "stty rows 33 cols 77; (while [ ! -e '%s' ]; do sleep 0.1; done; stty rows 44 cols 99 </dev/tty) & "
                .formatted(resize)
            + "exec '%s' task exec -it task sh -c \"%s\"".formatted(mezzo(), remote);
    Process process =
        exec(List.of("/usr/bin/script", "-qec", local, folder.resolve("typescript").toString()));
    try (OutputStream keys = process.getOutputStream()) {
      Path out = folder.resolve("out");
      Await.until("the shell is ready", LIMIT, () -> Files.readString(out).contains("ready"));
      assertThat(Files.readString(out)).contains("33 77", "tty\r\n");
      Files.createFile(resize);
      Await.until("the new size is told", LIMIT, () -> Files.readString(out).contains("44 99"));
      keys.write(3);
      keys.flush();
      assertThat(ended(process)).isEqualTo(7);
      assertThat(Files.readString(out)).contains("interrupted");
    }
  }
}
