package org.mezzo.agent;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.ByteString;
import java.io.DataInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.mezzo.agent.tokens.SignedTokens;
import org.mezzo.fixtures.Await;
import org.mezzo.link.messages.AgentCall;
import org.mezzo.link.messages.MasterEvent;
import org.mezzo.link.messages.RunTask;
import org.mezzo.modules.Kinds;
import org.mezzo.protocol.json.Json;
import org.mezzo.protocol.v1.AgentID;
import org.mezzo.protocol.v1.CheckInfo;
import org.mezzo.protocol.v1.CheckStatusInfo;
import org.mezzo.protocol.v1.CommandInfo;
import org.mezzo.protocol.v1.ExecutorID;
import org.mezzo.protocol.v1.ExecutorInfo;
import org.mezzo.protocol.v1.FrameworkInfo;
import org.mezzo.protocol.v1.Resource;
import org.mezzo.protocol.v1.TaskID;
import org.mezzo.protocol.v1.TaskInfo;
import org.mezzo.protocol.v1.TaskState;
import org.mezzo.protocol.v1.TaskStatus;
import org.mezzo.protocol.v1.executor.Call;
import org.mezzo.protocol.v1.executor.Event;

/** Executors of frameworks on a whole agent; the test itself speaks for their processes. */
class AgentExecutorsTest extends RunningAgent {
  private static final String JSON = "application/json";
  private static final String PROTOBUF = "application/x-protobuf";
  private static final byte[] KEY =
      "0123456789abcdef0123456789abcdef".getBytes(StandardCharsets.UTF_8);
  private static final HttpClient CLIENT = HttpClient.newHttpClient();

  /** Whose tasks are launched. */
  private FrameworkInfo kept = FRAMEWORK;

  private static Resource scalar(String name, double value) {
    return Made.allocated(Made.scalar(name, value), "test");
  }

  private static ExecutorInfo.Builder executor() {
    return ExecutorInfo.newBuilder()
        .setExecutorId(ExecutorID.newBuilder().setValue("e"))
        .setFrameworkId(FRAMEWORK.getId())
        .setName("custom")
        .setSource("src")
        .setCommand(CommandInfo.newBuilder().setShell(true).setValue("env | sort; sleep 1000"))
        .addResources(scalar("cpus", 0.1))
        .addResources(scalar("mem", 64));
  }

  private void launch(String task, boolean launchExecutor, ExecutorInfo.Builder executor) {
    master.send(
        MasterEvent.newBuilder()
            .setRunTask(
                RunTask.newBuilder()
                    .setFramework(kept)
                    .setLaunchExecutor(launchExecutor)
                    .addTasks(
                        TaskInfo.newBuilder()
                            .setName("n-" + task)
                            .setTaskId(TaskID.newBuilder().setValue(task))
                            .setAgentId(AgentID.newBuilder().setValue("m-S0"))
                            .addResources(scalar("cpus", 0.1))
                            .addResources(scalar("mem", 32))
                            .setExecutor(executor))));
  }

  private static Call.Builder call(Call.Type type) {
    return Call.newBuilder()
        .setType(type)
        .setFrameworkId(FRAMEWORK.getId())
        .setExecutorId(ExecutorID.newBuilder().setValue("e"));
  }

  private static Call update(TaskStatus.Builder status) {
    return call(Call.Type.UPDATE).setUpdate(Call.Update.newBuilder().setStatus(status)).build();
  }

  private static TaskStatus.Builder status(TaskState state) {
    return TaskStatus.newBuilder()
        .setTaskId(TaskID.newBuilder().setValue("a"))
        .setState(state)
        .setSource(TaskStatus.Source.SOURCE_EXECUTOR)
        .setUuid(Made.uuid(state.name()));
  }

  private HttpRequest request(Call call, String type) {
    return HttpRequest.newBuilder(uri("/slave%281%29/api/v1/executor"))
        .header("Content-Type", type)
        .header("Accept", type)
        .POST(
            HttpRequest.BodyPublishers.ofByteArray(
                type.equals(JSON) ? Json.encode(call) : call.toByteArray()))
        .build();
  }

  private String answer(Call call) throws Exception {
    HttpResponse<String> answer =
        CLIENT.send(request(call, JSON), HttpResponse.BodyHandlers.ofString());
    return answer.statusCode() + " " + answer.body();
  }

  /** A stream of events. */
  private final class Stream implements AutoCloseable {
    private final String type;
    private final InputStream body;

    Stream(String type, Call.Subscribe subscribe) throws Exception {
      this.type = type;
      HttpResponse<InputStream> response =
          CLIENT.send(
              request(call(Call.Type.SUBSCRIBE).setSubscribe(subscribe).build(), type),
              HttpResponse.BodyHandlers.ofInputStream());
      assertThat(response.statusCode()).isEqualTo(200);
      assertThat(response.headers().firstValue("Content-Type")).contains(type);
      body = response.body();
    }

    Event next(Event.Type wanted) throws Exception {
      StringBuilder length = new StringBuilder();
      for (int read = body.read(); read != '\n'; read = body.read()) {
        if (read < 0) {
          throw new IOException("The stream ended before " + wanted);
        }
        length.append((char) read);
      }
      byte[] record = new byte[Integer.parseInt(length.toString())];
      new DataInputStream(body).readFully(record);
      Event event =
          type.equals(JSON)
              ? Json.decode(record, Event.getDefaultInstance())
              : Event.parseFrom(record);
      assertThat(event.getType()).as(new String(record, StandardCharsets.UTF_8)).isEqualTo(wanted);
      return event;
    }

    boolean ended() throws IOException {
      return body.read() < 0;
    }

    @Override
    public void close() throws IOException {
      body.close();
    }
  }

  private Stream subscribe(String type) throws Exception {
    // Whoever is asked before the container begins says that there is no such executor.
    Await.until(() -> get("/containers").body().contains("\"executor_pid\""));
    return new Stream(type, Call.Subscribe.getDefaultInstance());
  }

  private AgentCall told() throws Exception {
    AgentCall told = master.told.poll(60, TimeUnit.SECONDS);
    assertThat(told).isNotNull();
    return told;
  }

  @ParameterizedTest
  @ValueSource(strings = {JSON, PROTOBUF})
  void speaksWithAnExecutor(String type) throws Exception {
    flags.put("executor_shutdown_grace_period", "100ms");
    start();
    launch("a", true, executor());
    try (Stream stream = subscribe(type)) {
      Event.Subscribed subscribed = stream.next(Event.Type.SUBSCRIBED).getSubscribed();
      assertThat(subscribed.getExecutorInfo()).isEqualTo(executor().build());
      assertThat(subscribed.getFrameworkInfo().getId()).isEqualTo(FRAMEWORK.getId());
      assertThat(subscribed.getAgentInfo().getId().getValue()).isEqualTo("m-S0");
      assertThat(subscribed.getContainerId().getValue()).hasSize(36);
      TaskInfo launched = stream.next(Event.Type.LAUNCH).getLaunch().getTask();
      assertThat(launched.getTaskId().getValue()).isEqualTo("a");
      assertThat(launched.getExecutor()).isEqualTo(executor().build());

      assertThat(answer(update(status(TaskState.TASK_RUNNING).setMessage("m")))).isEqualTo("202 ");
      Event.Acknowledged acknowledged = stream.next(Event.Type.ACKNOWLEDGED).getAcknowledged();
      assertThat(acknowledged.getUuid()).isEqualTo(Made.uuid("TASK_RUNNING"));
      assertThat(master.next(TaskState.TASK_RUNNING).getStatus().getMessage()).isEqualTo("m");

      MasterEvent.Builder hello = MasterEvent.newBuilder();
      hello
          .getFrameworkMessageBuilder()
          .setFrameworkId(FRAMEWORK.getId())
          .setExecutorId(ExecutorID.newBuilder().setValue("e"))
          .setData(ByteString.copyFromUtf8("down"));
      master.send(hello);
      assertThat(stream.next(Event.Type.MESSAGE).getMessage().getData().toStringUtf8())
          .isEqualTo("down");
      assertThat(
              answer(
                  call(Call.Type.MESSAGE)
                      .setMessage(Call.Message.newBuilder().setData(ByteString.copyFromUtf8("up")))
                      .build()))
          .isEqualTo("202 ");
      assertThat(told().getFrameworkMessage().getData().toStringUtf8()).isEqualTo("up");
      assertThat(answer(call(Call.Type.HEARTBEAT).build())).isEqualTo("202 ");

      assertThat(answer(update(status(TaskState.TASK_FINISHED)))).isEqualTo("202 ");
      stream.next(Event.Type.ACKNOWLEDGED);
      master.next(TaskState.TASK_FINISHED);

      MasterEvent.Builder end = MasterEvent.newBuilder();
      end.getShutdownExecutorBuilder()
          .setFrameworkId(FRAMEWORK.getId())
          .setExecutorId(ExecutorID.newBuilder().setValue("e"));
      master.send(end);
      stream.next(Event.Type.SHUTDOWN);
      // The process does not end by itself: it is destroyed after the grace.
      AgentCall exited = told();
      assertThat(exited.getExecutorExited().getExecutorId().getValue()).isEqualTo("e");
      assertThat(exited.getExecutorExited().getStatus()).isEqualTo(9);
      assertThat(exited.getExecutorExited().getGenerated()).isFalse();
      assertThat(stream.ended()).isTrue();
    }
    assertThat(get("/state").body()).contains("\"completed_executors\":[{\"id\":\"e\"");
    assertThat(get("/metrics/snapshot").body())
        .contains("\"slave/cpus_used\":0.0", "\"slave/executors_terminated\":1.0");
  }

  @Test
  void showsExecutorsAsTheyAre() throws Exception {
    start();
    launch("a", true, executor());
    launch("b", false, executor());
    Await.until("a waits", () -> get("/state").body().contains("\"queued_tasks\":[{\"id\":\"a\""));
    try (Stream stream = subscribe(JSON)) {
      stream.next(Event.Type.SUBSCRIBED);
      stream.next(Event.Type.LAUNCH);
      stream.next(Event.Type.LAUNCH);
      assertThat(get("/state").body())
          .contains(
              "\"executors\":[{\"id\":\"e\",\"name\":\"custom\",\"source\":\"src\",",
              "\"resources\":{\"disk\":0.0,\"mem\":128.0,\"gpus\":0.0,\"cpus\":0.3},"
                  + "\"role\":\"test\"",
              "\"executor_id\":\"e\"",
              "\"queued_tasks\":[]");
      assertThat(get("/containers").body())
          .contains("\"executor_name\":\"custom\"", "\"source\":\"src\"", "\"executor_pid\":");
      assertThat(call("{\"type\":\"GET_EXECUTORS\"}").body())
          .contains("\"name\":\"custom\"", "\"command\":{\"shell\":true");
      assertThat(call("{\"type\":\"GET_TASKS\"}").body())
          .contains("\"launched_tasks\":[", "\"executor_id\":{\"value\":\"e\"}");
      assertThat(get("/metrics/snapshot").body())
          .contains("\"slave/executors_running\":1.0", "\"slave/cpus_used\":0.3");
      master.sessions.get(0).close();
      AgentCall again;
      do {
        again = master.registrations.poll(60, TimeUnit.SECONDS);
        assertThat(again).isNotNull();
        // Those from before the launch may still stand in line.
      } while (again.getReregister().getExecutorsCount() == 0);
      assertThat(again.getReregister().getExecutorsList())
          .singleElement()
          .satisfies(it -> assertThat(it.getExecutor()).isEqualTo(executor().build()));
      assertThat(again.getReregister().getTasksList())
          .allSatisfy(it -> assertThat(it.getTask().getExecutorId().getValue()).isEqualTo("e"));
    }
  }

  @Test
  void refusesCallsThatAreWrong() throws Exception {
    start();
    assertThat(answer(call(Call.Type.SUBSCRIBE).build()))
        .isEqualTo("400 Failed to validate Executor::Call: Expecting 'subscribe' to be present");
    assertThat(
            answer(
                call(Call.Type.SUBSCRIBE)
                    .setSubscribe(Call.Subscribe.getDefaultInstance())
                    .build()))
        .isEqualTo("400 Framework cannot be found");
    launch("a", true, executor());
    Await.until(() -> get("/containers").body().contains("\"executor_pid\""));
    Call running = update(status(TaskState.TASK_RUNNING));
    assertThat(answer(running)).isEqualTo("403 Executor is not subscribed");
    assertThat(
            answer(
                running.toBuilder().setExecutorId(ExecutorID.newBuilder().setValue("x")).build()))
        .isEqualTo("400 Executor cannot be found");
    String invalid = "400 Failed to validate Executor::Call: ";
    assertThat(answer(update(status(TaskState.TASK_RUNNING).clearUuid())))
        .isEqualTo(invalid + "Expecting 'uuid' to be present");
    assertThat(
            answer(update(status(TaskState.TASK_RUNNING).setUuid(ByteString.copyFromUtf8("abc")))))
        .isEqualTo(invalid + "Not a valid UUID");
    assertThat(answer(update(status(TaskState.TASK_STAGING))))
        .isEqualTo(
            invalid
                + "Received TASK_STAGING from executor e of framework f-1 which is not allowed");
    assertThat(
            answer(
                update(status(TaskState.TASK_RUNNING).setSource(TaskStatus.Source.SOURCE_MASTER))))
        .isEqualTo(
            invalid
                + "Received Call from executor e of framework f-1 with invalid source, expecting"
                + " 'SOURCE_EXECUTOR'");
    assertThat(
            answer(
                update(
                    status(TaskState.TASK_RUNNING)
                        .setExecutorId(ExecutorID.newBuilder().setValue("other")))))
        .isEqualTo(
            invalid + "ExecutorID in Call: e does not match ExecutorID in TaskStatus: other");
    assertThat(
            answer(
                update(
                    status(TaskState.TASK_RUNNING)
                        .setCheckStatus(CheckStatusInfo.newBuilder().setType(CheckInfo.Type.TCP)))))
        .isEqualTo(invalid + "Expecting 'tcp' to be set for TCP check's status");
    assertThat(answer(call(Call.Type.UNKNOWN).build())).isEqualTo("501 501 Not Implemented.");
    assertThat(get("/api/v1/executor").body())
        .isEqualTo("405 Method Not Allowed. Expecting one of { 'POST' }, but received 'GET'.");
    assertThat(get("/metrics/snapshot").body()).contains("\"slave/invalid_status_updates\":6.0");
  }

  /**
   * What an agent that was killed has not got comes with SUBSCRIBE, so nothing that follows it may
   * come before.
   */
  @Test
  void anAgentThatIsBackTakesNothingOfAnExecutorBeforeItSubscribed() throws Exception {
    kept = FRAMEWORK.toBuilder().setCheckpoint(true).build();
    flags.put("executor_reregistration_timeout", "15secs");
    start();
    flags.put("port", Integer.toString(agent.address().getPort()));
    launch("a", true, executor());
    subscribe(JSON).close();
    agent.close();
    start();
    Call.Update running =
        Call.Update.newBuilder().setStatus(status(TaskState.TASK_RUNNING)).build();
    Call finished = update(status(TaskState.TASK_FINISHED));
    Await.until(
        "the executor is known",
        () -> !answer(finished).equals("503 Agent has not finished recovery"));
    assertThat(answer(finished)).isEqualTo("403 Executor is not subscribed");
    try (Stream stream =
        new Stream(
            JSON,
            Call.Subscribe.newBuilder()
                .addUnacknowledgedUpdates(running)
                .addUnacknowledgedUpdates(finished.getUpdate())
                .build())) {
      stream.next(Event.Type.SUBSCRIBED);
      master.next(TaskState.TASK_RUNNING);
      master.next(TaskState.TASK_FINISHED);
    }
  }

  @Test
  void anExecutorThatTheMasterThinksToBeThereAndIsNotGetsNoTask() throws Exception {
    start();
    launch("a", false, executor());
    TaskStatus dropped = master.next(TaskState.TASK_DROPPED).getStatus();
    assertThat(dropped.getReason()).isEqualTo(TaskStatus.Reason.REASON_EXECUTOR_TERMINATED);

    // What the master set aside for one that never comes to be is given back.
    launch("b", true, executor().clearCommand());
    assertThat(master.next(TaskState.TASK_FAILED).getStatus().getMessage())
        .contains("`executor.command`");
    assertThat(told().getExecutorExited().getExecutorId().getValue()).isEqualTo("e");
  }

  @Test
  void anExecutorThatDoesNotRegisterIsDestroyed() throws Exception {
    flags.put("executor_registration_timeout", "100ms");
    start();
    launch("a", true, executor());
    TaskStatus failed = master.next(TaskState.TASK_FAILED).getStatus();
    assertThat(failed.getReason())
        .isEqualTo(TaskStatus.Reason.REASON_EXECUTOR_REGISTRATION_TIMEOUT);
    assertThat(failed.getMessage())
        .startsWith("Executor did not register within 100ms: its process ");
    assertThat(told().hasExecutorExited()).isTrue();
  }

  private HttpResponse<String> call(Call.Builder call, String token) throws Exception {
    HttpRequest.Builder request =
        HttpRequest.newBuilder(uri("/api/v1/executor"))
            .header("Content-Type", JSON)
            .POST(HttpRequest.BodyPublishers.ofByteArray(Json.encode(call.build())));
    if (!token.isEmpty()) {
      request.header("Authorization", "Bearer " + token);
    }
    return CLIENT.send(request.build(), HttpResponse.BodyHandlers.ofString());
  }

  private static Call.Builder message() {
    return call(Call.Type.MESSAGE)
        .setMessage(Call.Message.newBuilder().setData(ByteString.copyFromUtf8("hello")));
  }

  private Path sandboxes() {
    return folder.resolve("work/slaves/m-S0/frameworks/f-1/executors/e/runs");
  }

  /** The token that the executor found in its environment. */
  private String tokenInSandbox() throws Exception {
    Await.until(() -> Files.exists(sandboxes().resolve("latest")));
    Path stdout = sandboxes().resolve("latest/stdout");
    // Whole only with the end of its line.
    Pattern line = Pattern.compile("(?m)^MESOS_EXECUTOR_AUTHENTICATION_TOKEN=(.*)\n");
    Await.until(() -> line.matcher(Files.readString(stdout)).find());
    Matcher found = line.matcher(Files.readString(stdout));
    assertThat(found.find()).isTrue();
    return found.group(1);
  }

  private void demandTokens() throws Exception {
    Path file = folder.resolve("key");
    Files.write(file, KEY);
    flags.put("authenticate_http_executors", "true");
    flags.put("jwt_secret_key", file.toString());
  }

  /** Rule 187. */
  @Test
  void anExecutorSpeaksForItselfByItsToken() throws Exception {
    demandTokens();
    modules.register(Kinds.SECRET_GENERATOR, "jwt", SignedTokens.generator(KEY));
    start();
    launch("a", true, executor());
    String token = tokenInSandbox();

    HttpResponse<String> unnamed = call(message(), "");
    assertThat(unnamed.statusCode()).isEqualTo(401);
    assertThat(unnamed.headers().firstValue("WWW-Authenticate"))
        .contains("Bearer realm=\"mesos-agent-executor\"");
    assertThat(call(message(), token + "x").statusCode()).isEqualTo(401);
    HttpResponse<String> own = call(message(), token);
    assertThat(own.statusCode() + own.body()).isEqualTo("403Executor is not subscribed");
    assertThat(call(call(Call.Type.HEARTBEAT), token).statusCode()).isEqualTo(202);

    String container = sandboxes().resolve("latest").toRealPath().getFileName().toString();
    assertThat(token).isEqualTo(SignedTokens.of(KEY, "f-1", "e", container));
    for (String foreign :
        List.of(
            SignedTokens.of(KEY, "f-2", "e", container),
            SignedTokens.of(KEY, "f-1", "e2", container),
            SignedTokens.of(KEY, "f-1", "e", "another"))) {
      HttpResponse<String> answer = call(message(), foreign);
      assertThat(answer.statusCode()).isEqualTo(403);
      assertThat(answer.body()).startsWith("The token is not that of executor 'e'");
    }
    assertThat(
            call(call(Call.Type.HEARTBEAT), SignedTokens.of(KEY, "f-2", "e", container))
                .statusCode())
        .isEqualTo(403);
    assertThat(get("/state").body() + get("/containers").body()).doesNotContain(token);
    assertThat(get("/flags").body()).doesNotContain("0123456789abcdef");
  }

  /** Rule 185. */
  @Test
  void anAgentThatLeavesSaysSoOnceAndEndsWithWhatRunsOnIt() throws Exception {
    CountDownLatch ended = new CountDownLatch(1);
    onShutdown = ended::countDown;
    start();
    launch("a", true, executor());
    Path stdout = folder.resolve("work/slaves/m-S0/frameworks/f-1/executors/e/runs/latest/stdout");
    Await.until(() -> Files.exists(stdout));
    LeaveSignal signal = new LeaveSignal();
    signal.add(agent::leave);
    signal.heard();
    signal.heard();
    AgentCall call = master.told.poll(60, TimeUnit.SECONDS);
    while (call != null && !call.hasUnregister()) {
      call = master.told.poll(60, TimeUnit.SECONDS);
    }
    assertThat(call).isNotNull();
    assertThat(ended.getCount()).as("not before the master has forgotten it").isOne();
    master.sessions.get(0).close();
    assertThat(ended.await(60, TimeUnit.SECONDS)).isTrue();
    Await.until(() -> get("/containers").body().equals("[]"));
    assertThat(master.sessions).as("it does not come back").isEmpty();
    assertThat(master.told).noneMatch(AgentCall::hasUnregister);
    assertThat(folder.resolve("work/meta/agent/agent.info")).exists();
  }
}
