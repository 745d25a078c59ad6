package org.mezzo.hooks.ask;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.mezzo.fixtures.Await;
import org.mezzo.protocol.v1.AgentID;
import org.mezzo.protocol.v1.AgentInfo;
import org.mezzo.protocol.v1.ContainerID;
import org.mezzo.protocol.v1.FrameworkID;
import org.mezzo.protocol.v1.FrameworkInfo;
import org.mezzo.protocol.v1.Label;
import org.mezzo.protocol.v1.Labels;
import org.mezzo.protocol.v1.Resource;
import org.mezzo.protocol.v1.TaskID;
import org.mezzo.protocol.v1.TaskInfo;
import org.mezzo.protocol.v1.TaskState;
import org.mezzo.protocol.v1.TaskStatus;
import org.mezzo.testing.FakeDaemonContext;

@Timeout(120)
class AskHookTest {
  private static final FrameworkInfo FRAMEWORK =
      FrameworkInfo.newBuilder().setUser("u").setName("f").build();
  private static final AgentInfo AGENT = AgentInfo.newBuilder().setHostname("host1").build();
  private static final TaskInfo TASK =
      TaskInfo.newBuilder()
          .setName("ta\nsk")
          .setTaskId(TaskID.newBuilder().setValue("t"))
          .setAgentId(AgentID.newBuilder().setValue("a"))
          .setLabels(Labels.newBuilder().addLabels(label("own", "mine")))
          .build();

  /** Sets ID to the id of a question that was read into Q. */
  private static final String ID = "ID=${Q#*:}; ID=${ID%%,*}";

  private static final String LABELS =
      "{\\\"labels\\\":[{\\\"key\\\":\\\"asked\\\",\\\"value\\\":\\\"$$\\\"}]}";

  /** Answers each question with the label "asked", which has the process id. */
  private static final String LABELLING =
      "while read -r Q; do "
          + ID
          + "; echo \"{\\\"id\\\":$ID,\\\"labels\\\":"
          + LABELS
          + "}\"; done";

  @TempDir Path folder;
  private final AskHook hook = new AskHook();
  private final FakeDaemonContext agent = FakeDaemonContext.agent();
  private HttpServer server;

  @AfterEach
  void close() throws Exception {
    hook.close();
    if (server != null) {
      server.stop(0);
    }
  }

  private static Label label(String key, String value) {
    return Label.newBuilder().setKey(key).setValue(value).build();
  }

  private void open(Map<String, String> parameters) throws InterruptedException {
    hook.open(agent.withParameters(parameters));
  }

  private void command(String command, String points) throws Exception {
    // A machine may be slow: where a test is not about it, there is as much time as there can be.
    open(Map.of("command", command, "points", points, "timeout_ms", "900"));
  }

  private Labels labels() {
    return hook.agentRunTaskLabels(TASK, FRAMEWORK, AGENT);
  }

  private String answeredBy() {
    Labels labels = labels();
    return labels.getLabelsCount() == 1 && labels.getLabels(0).getKey().equals("asked")
        ? labels.getLabels(0).getValue()
        : "";
  }

  private double count(String metric) {
    return agent.metrics().value(metric);
  }

  @Test
  void oneProcessAnswersAllQuestions() throws Exception {
    Path questions = folder.resolve("questions");
    command("tee -a " + questions + " | (" + LABELLING + ")", "agentRunTaskLabels");
    Await.until(() -> !answeredBy().isEmpty());
    String first = answeredBy();
    assertThat(first).isNotEmpty();
    for (int i = 0; i < 20; i++) {
      assertThat(answeredBy()).isEqualTo(first);
    }
    assertThat(count("starts")).isEqualTo(1);
    List<String> lines = Files.readAllLines(questions);
    assertThat(lines.get(1))
        .isEqualTo(
            "{\"id\":2,\"point\":\"agentRunTaskLabels\",\"task_info\":{\"name\":\"ta\\nsk\","
                + "\"task_id\":{\"value\":\"t\"},\"agent_id\":{\"value\":\"a\"},"
                + "\"labels\":{\"labels\":[{\"key\":\"own\",\"value\":\"mine\"}]}},"
                + "\"framework_info\":{\"user\":\"u\",\"name\":\"f\","
                + "\"failover_timeout\":0.0,\"checkpoint\":false},"
                + "\"agent_info\":{\"hostname\":\"host1\",\"port\":5051}}");
    // Nobody is asked about the other points.
    assertThat(hook.agentTaskEnvironment(TASK)).isEmpty();
    assertThat(Files.readAllLines(questions)).hasSameSizeAs(lines);
  }

  @Test
  void whatIsAnsweredReplacesAndWhatIsNotLeaves() throws Exception {
    Path answer = folder.resolve("answer");
    command(
        "while read -r Q; do "
            + ID
            + "; read -r A <"
            + answer
            + "; echo \"{\\\"id\\\":$ID$A}\"; done",
        "masterLaunchTaskLabels,masterLaunchTaskResources,agentTaskEnvironment,agentTaskStatus,"
            + "agentResources,agentFetched");
    Files.writeString(answer, ",\"labels\":{\"labels\":[]}\n");
    Await.until(
        () ->
            hook.masterLaunchTaskLabels(TASK, FRAMEWORK, AGENT)
                .equals(Labels.getDefaultInstance()));
    Files.writeString(
        answer,
        ",\"resources\":[{\"name\":\"cpus\",\"type\":\"SCALAR\",\"scalar\":{\"value\":2}}],\"x\":[{}]\n");
    assertThat(hook.masterLaunchTaskResources(TASK, FRAMEWORK, AGENT))
        .extracting(Resource::getName)
        .containsExactly("cpus");
    assertThat(hook.agentResources(AGENT)).hasSize(1);
    Files.writeString(
        answer, ",\"environment\":{\"variables\":[{\"name\":\"A\",\"value\":\"b\"}]}\n");
    assertThat(hook.agentTaskEnvironment(TASK)).isEqualTo(Map.of("A", "b"));
    TaskStatus status =
        TaskStatus.newBuilder()
            .setTaskId(TASK.getTaskId())
            .setState(TaskState.TASK_RUNNING)
            .setMessage("was")
            .build();
    FrameworkID framework = FrameworkID.newBuilder().setValue("f").build();
    Files.writeString(answer, ",\"message\":\"is\",\"container_status\":{\"executor_pid\":7}\n");
    TaskStatus decorated = hook.agentTaskStatus(framework, status);
    assertThat(decorated.getMessage()).isEqualTo("is");
    assertThat(decorated.getContainerStatus().getExecutorPid()).isEqualTo(7);
    assertThat(decorated.getState()).isEqualTo(TaskState.TASK_RUNNING);

    Files.writeString(answer, "\n");
    assertThat(hook.masterLaunchTaskLabels(TASK, FRAMEWORK, AGENT)).isEqualTo(TASK.getLabels());
    assertThat(hook.agentTaskEnvironment(TASK)).isEmpty();
    assertThat(hook.agentTaskStatus(framework, status)).isEqualTo(status);
    hook.agentFetched(ContainerID.newBuilder().setValue("c").build(), Path.of("/a \"b\""));
    assertThat(count("unanswered")).isZero();

    // Not what labels look like; it is an answer all the same, and no reason to start anew.
    Files.writeString(answer, ",\"labels\":{\"labels\":[{\"value\":\"without key\"}]}\n");
    assertThat(hook.masterLaunchTaskLabels(TASK, FRAMEWORK, AGENT)).isEqualTo(TASK.getLabels());
    Files.writeString(answer, ",\"error\":\"no idea\"\n");
    assertThat(hook.masterLaunchTaskLabels(TASK, FRAMEWORK, AGENT)).isEqualTo(TASK.getLabels());
    assertThat(count("unanswered")).isEqualTo(2);
    assertThat(count("starts")).isEqualTo(1);
  }

  @Test
  void oneThatDiesIsStartedAgain() throws Exception {
    command(LABELLING, "agentRunTaskLabels");
    Await.until(() -> !answeredBy().isEmpty());
    String first = answeredBy();
    ProcessHandle.of(Long.parseLong(first)).orElseThrow().destroyForcibly();
    Await.until("another one answers", () -> !List.of("", first).contains(answeredBy()));
    assertThat(count("starts")).isEqualTo(2);
  }

  /** The value, and how often the command was started though it was asked again and again. */
  @ParameterizedTest
  @ValueSource(
      strings = {
        "exit 3",
        "cat >/dev/null",
        "while read -r Q; do echo rubbish; done",
        "while read -r Q; do echo '{\"id\":0}'; done",
        "while read -r Q; do echo '[]'; done",
        "yes a | tr -d '\\n'",
        "sleep 1000",
        "/does/not/exist",
      })
  void misbehaviourLeavesThingsAsTheyAreAndIsGivenARest(String command) throws Exception {
    open(Map.of("command", command, "points", "agentRunTaskLabels", "timeout_ms", "50"));
    Await.until(
        "it was started a second time",
        () -> {
          assertThat(labels()).isEqualTo(TASK.getLabels());
          return count("starts") >= 2;
        });
    Await.until(
        "it is left alone",
        () -> {
          assertThat(labels()).isEqualTo(TASK.getLabels());
          return count("not_asked") > 0;
        });
    assertThat(count("starts")).isLessThan(6);
  }

  @Test
  void whoHangsIsKilledWithWhatItStarted() throws Exception {
    Path pids = folder.resolve("pids");
    open(
        Map.of(
            "command",
            "sleep 1000 & echo $! >" + pids + "; wait",
            "points",
            "agentRunTaskLabels",
            "timeout_ms",
            "50"));
    Await.until(() -> !Files.readString(pids).isBlank());
    ProcessHandle sleeping =
        ProcessHandle.of(Long.parseLong(Files.readString(pids).trim())).orElseThrow();
    labels();
    Await.until("it is gone", () -> !sleeping.isAlive());
    hook.close();
    Await.until(
        "nothing is left",
        () ->
            ProcessHandle.current()
                .descendants()
                .noneMatch(it -> it.info().command().orElse("").endsWith("/sleep")));
  }

  private final BlockingQueue<String> posted = new LinkedBlockingQueue<>();

  private interface Service {
    void answer(HttpExchange exchange) throws IOException;
  }

  private String serve(Service service) throws IOException {
    server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    server.createContext(
        "/",
        exchange -> {
          posted.add(
              exchange.getRequestHeaders().getFirst("Authorization")
                  + " "
                  + new String(exchange.getRequestBody().readAllBytes(), StandardCharsets.UTF_8));
          service.answer(exchange);
        });
    server.start();
    return "http://127.0.0.1:" + server.getAddress().getPort() + "/hook";
  }

  private static void answer(HttpExchange exchange, int status, String body) throws IOException {
    byte[] bytes = body.getBytes(StandardCharsets.UTF_8);
    exchange.sendResponseHeaders(status, bytes.length == 0 ? -1 : bytes.length);
    exchange.getResponseBody().write(bytes);
    exchange.close();
  }

  private void url(String url, int millis) throws InterruptedException {
    open(
        Map.of(
            "url",
            url,
            "header.Authorization",
            "Bearer x",
            "points",
            "agentRunTaskLabels",
            "timeout_ms",
            Integer.toString(millis)));
  }

  @Test
  void aServiceIsPostedTheQuestion() throws Exception {
    url(
        serve(
            exchange ->
                answer(
                    exchange,
                    200,
                    "{\"labels\":{\"labels\":[{\"key\":\"asked\",\"value\":\"yes\"}]}}")),
        900);
    Await.until(() -> answeredBy().equals("yes"));
    assertThat(posted.poll(60, TimeUnit.SECONDS))
        .startsWith("Bearer x {\"id\":1,\"point\":\"agentRunTaskLabels\",\"task_info\":");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '"',
      value = {"204|", "500|oops", "200|rubbish", "200|[]", "302|", "200|{\"error\":\"no\"}"})
  void aServiceThatSaysNothingUsefulLeavesThingsAsTheyAre(int status, String body)
      throws Exception {
    url(serve(exchange -> answer(exchange, status, body == null ? "" : body)), 900);
    assertThat(labels()).isEqualTo(TASK.getLabels());
    assertThat(labels()).isEqualTo(TASK.getLabels());
    assertThat(count("unanswered")).isEqualTo(status == 204 ? 0 : 2);
  }

  @Test
  void aServiceThatHangsOrIsNotThereIsGivenARest() throws Exception {
    try (ServerSocket silent = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      url("http://127.0.0.1:" + silent.getLocalPort() + "/", 50);
      Await.until(
          "it is left alone",
          () -> {
            assertThat(labels()).isEqualTo(TASK.getLabels());
            return count("not_asked") > 0;
          });
    }
    double before = count("unanswered");
    Await.until(
        "it is asked again, in vain",
        () -> {
          assertThat(labels()).isEqualTo(TASK.getLabels());
          return count("unanswered") > before;
        });
  }

  @Test
  void aServiceThatAnswersDropByDropIsGivenUpInTime() throws Exception {
    CountDownLatch over = new CountDownLatch(1);
    url(
        serve(
            exchange -> {
              exchange.sendResponseHeaders(200, 0);
              try {
                while (!over.await(20, TimeUnit.MILLISECONDS)) {
                  exchange.getResponseBody().write(' ');
                  exchange.getResponseBody().flush();
                }
              } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
              }
            }),
        200);
    try {
      assertThat(labels()).isEqualTo(TASK.getLabels());
      assertThat(count("unanswered")).isEqualTo(1);
    } finally {
      over.countDown();
    }
  }

  @Test
  void anAnswerThatIsTooLongIsNone() throws Exception {
    url(serve(exchange -> answer(exchange, 200, "{\"x\":\"" + "a".repeat(2 << 20) + "\"}")), 900);
    assertThat(labels()).isEqualTo(TASK.getLabels());
    assertThat(count("unanswered")).isEqualTo(1);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '"',
      value = {
        "command    |         | or 'url' says who is asked; give it one of them",
        "url        | http://h/ | give it one of them only",
        "points     |         | 'points' of hook 'ask' has ''; give it one or more of masterLaunch",
        "points     | labels  | has 'labels'; give it one or more of masterLaunchTaskLabels, ",
        "timeout_ms | 1000    | 'timeout_ms' of hook 'ask' is '1000'; give it a whole number from"
            + " 1",
        "header.A   | b       | 'header.A' of hook 'ask' needs 'url'; a command has no headers",
        "timeout    | 1s      | 'timeout' of hook 'ask' is unknown; there are 'command', 'url', ",
      })
  void saysWhichParameterIsWrongAndWhatMayBeThere(String name, String value, String problem) {
    Map<String, String> parameters =
        new HashMap<>(Map.of("command", "cat", "points", "agentTaskStatus"));
    parameters.put(name, value == null ? "" : value);
    assertThatThrownBy(() -> open(parameters))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining(problem);
  }

  @ParameterizedTest
  @CsvSource({"ftp://h/x, one like", "host:80, one like", "'http://a b/', no URL"})
  void saysWhatIsWrongWithAUrl(String url, String problem) {
    assertThatThrownBy(() -> open(Map.of("url", url, "points", "agentTaskStatus")))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("Parameter 'url' of hook 'ask'")
        .hasMessageContaining(problem);
  }
}
