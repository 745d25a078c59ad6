package org.mezzo.client;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.protobuf.ByteString;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.mezzo.protocol.v1.Address;
import org.mezzo.protocol.v1.AgentID;
import org.mezzo.protocol.v1.CommandInfo;
import org.mezzo.protocol.v1.ContainerID;
import org.mezzo.protocol.v1.ContainerStatus;
import org.mezzo.protocol.v1.FrameworkID;
import org.mezzo.protocol.v1.Offer;
import org.mezzo.protocol.v1.OfferID;
import org.mezzo.protocol.v1.Resource;
import org.mezzo.protocol.v1.TaskID;
import org.mezzo.protocol.v1.TaskInfo;
import org.mezzo.protocol.v1.TaskState;
import org.mezzo.protocol.v1.TaskStatus;
import org.mezzo.protocol.v1.URL;
import org.mezzo.protocol.v1.Value;
import org.mezzo.protocol.v1.scheduler.Call;
import org.mezzo.protocol.v1.scheduler.Event;

class CommandRunnerTest {
  private FakeDaemon daemon;
  private final ByteArrayOutputStream output = new ByteArrayOutputStream();
  private final ByteArrayOutputStream errors = new ByteArrayOutputStream();
  private final LinkedBlockingQueue<String> progress = new LinkedBlockingQueue<>();
  private final List<TaskState> states = new ArrayList<>();
  private List<String> program = List.of();
  private CommandRunner runner;
  private FakeDaemon.Stream stream;

  @BeforeEach
  void start() throws Exception {
    daemon = new FakeDaemon();
  }

  @AfterEach
  void stop() {
    daemon.close();
  }

  @Test
  void outputComesBackWholeAndTheFrameworkEnds() throws Exception {
    CompletableFuture<CommandRunner.Result> result = run(1, Optional.empty());
    offer("o1", 4, 1024);
    TaskInfo task = launched().get(0);
    assertThat(task.getCommand().getShell()).isTrue();
    assertThat(task.getCommand().getValue()).isEqualTo("echo hello");
    assertThat(task.getCommand().getEnvironment().getVariables(0).getName()).isEqualTo("KEY");
    assertThat(task.getResourcesList())
        .allSatisfy(resource -> assertThat(resource.getAllocationInfo().getRole()).isEqualTo("*"));
    String sandbox = "/frameworks/f/executors/" + task.getTaskId().getValue() + "/runs/c1/";
    daemon.files.put(sandbox + "stdout", "hello ".getBytes(StandardCharsets.UTF_8));
    daemon.files.put(sandbox + "stderr", new byte[0]);

    update(task, TaskState.TASK_RUNNING, "", "u1");
    Call acknowledge = call(Call.Type.ACKNOWLEDGE);
    assertThat(acknowledge.getAcknowledge().getUuid().toStringUtf8()).isEqualTo("u1");
    byte[] all = ("hello " + "wörld ".repeat(50)).getBytes(StandardCharsets.UTF_8);
    daemon.files.put(sandbox + "stdout", all);
    daemon.files.put(sandbox + "stderr", "last words".getBytes(StandardCharsets.UTF_8));
    update(task, TaskState.TASK_FINISHED, "Command exited with status 0", "u2");

    assertThat(result.get(60, TimeUnit.SECONDS)).isEqualTo(new CommandRunner.Result(0, ""));
    assertThat(output.toByteArray()).isEqualTo(all);
    assertThat(errors.toString(StandardCharsets.UTF_8)).isEqualTo("last words");
    assertThat(states).containsExactly(TaskState.TASK_RUNNING, TaskState.TASK_FINISHED);
    call(Call.Type.TEARDOWN);
  }

  @Test
  void aProgramRunsWithoutAShell() throws Exception {
    program = List.of("ls", "-l", "my file");
    run(1, Optional.empty());
    offer("o1", 4, 1024);
    CommandInfo command = launched().get(0).getCommand();
    assertThat(command.getShell()).isFalse();
    assertThat(command.getValue()).isEqualTo("ls");
    assertThat(command.getArgumentsList()).containsExactly("ls", "-l", "my file");
    runner.kill();
  }

  @Test
  void sandboxIsLookedUpWhereTheVirtualPathIsUnknown() throws Exception {
    CompletableFuture<CommandRunner.Result> result = run(1, Optional.empty());
    offer("o1", 4, 1024);
    TaskInfo task = launched().get(0);
    daemon.taskId = task.getTaskId().getValue();
    daemon.directory = "/var/lib/mezzo/slaves/a/frameworks/f/executors/e/runs/c1";
    daemon.files.put(daemon.directory + "/stdout", "found".getBytes(StandardCharsets.UTF_8));
    daemon.files.put(daemon.directory + "/stderr", new byte[0]);

    update(task, TaskState.TASK_RUNNING, "", "u1");
    update(task, TaskState.TASK_FINISHED, "", "u2");

    assertThat(result.get(60, TimeUnit.SECONDS).exitCode()).isZero();
    assertThat(output.toString(StandardCharsets.UTF_8)).isEqualTo("found");
  }

  @Test
  void failedTaskGivesItsStatus() throws Exception {
    CompletableFuture<CommandRunner.Result> result = run(2, Optional.empty());
    offer("o1", 1, 128);
    TaskInfo first = launched().get(0);
    offer("o2", 1, 128);
    TaskInfo second = launched().get(0);
    for (TaskInfo task : List.of(first, second)) {
      String sandbox = "/frameworks/f/executors/" + task.getTaskId().getValue() + "/runs/c1/";
      daemon.files.put(sandbox + "stdout", "x".getBytes(StandardCharsets.UTF_8));
      daemon.files.put(sandbox + "stderr", new byte[0]);
    }

    update(first, TaskState.TASK_FINISHED, "", "u1");
    update(second, TaskState.TASK_FAILED, "Command exited with status 3", "u2");

    CommandRunner.Result ended = result.get(60, TimeUnit.SECONDS);
    assertThat(ended.exitCode()).isEqualTo(3);
    assertThat(ended.message()).contains("TASK_FAILED: Command exited with status 3");
    assertThat(output.toString(StandardCharsets.UTF_8)).isEqualTo("xx");
  }

  @Test
  void unfittingOffersAreDeclinedAndExplained() throws Exception {
    CompletableFuture<CommandRunner.Result> result = run(1, Optional.empty());
    offer("o1", 0.5, 128);

    assertThat(call(Call.Type.DECLINE).getDecline().getOfferIds(0).getValue()).isEqualTo("o1");
    String said = progress.poll(60, TimeUnit.SECONDS);
    while (said != null && !said.startsWith("Waiting for offers")) {
      said = progress.poll(60, TimeUnit.SECONDS);
    }
    assertThat(said).contains("cpus:1").contains("offer of host-1 has only cpus:0.5");
    runner.kill();
    assertThat(result.get(60, TimeUnit.SECONDS).exitCode()).isEqualTo(143);
  }

  @Test
  void killEndsTheTask() throws Exception {
    CompletableFuture<CommandRunner.Result> result = run(1, Optional.empty());
    offer("o1", 1, 128);
    TaskInfo task = launched().get(0);
    String sandbox = "/frameworks/f/executors/" + task.getTaskId().getValue() + "/runs/c1/";
    daemon.files.put(sandbox + "stdout", new byte[0]);
    daemon.files.put(sandbox + "stderr", new byte[0]);
    update(task, TaskState.TASK_RUNNING, "", "u1");

    runner.kill();

    assertThat(call(Call.Type.KILL).getKill().getTaskId()).isEqualTo(task.getTaskId());
    update(task, TaskState.TASK_KILLED, "Command terminated with signal Terminated", "u2");
    assertThat(result.get(60, TimeUnit.SECONDS).exitCode()).isEqualTo(143);
  }

  @Test
  void timeoutKills() throws Exception {
    CompletableFuture<CommandRunner.Result> result = run(1, Optional.of(Duration.ofSeconds(5)));
    offer("o1", 1, 128);
    TaskInfo task = launched().get(0);
    call(Call.Type.KILL);
    update(task, TaskState.TASK_ERROR, "gone", "");

    assertThat(result.get(60, TimeUnit.SECONDS).exitCode()).isEqualTo(124);
  }

  @Test
  void withdrawnOfferIsTriedAgain() throws Exception {
    CompletableFuture<CommandRunner.Result> result = run(1, Optional.empty());
    offer("o1", 1, 128);
    TaskInfo task = launched().get(0);
    stream.send(
        Event.newBuilder()
            .setType(Event.Type.UPDATE)
            .setUpdate(
                Event.Update.newBuilder()
                    .setStatus(
                        TaskStatus.newBuilder()
                            .setTaskId(task.getTaskId())
                            .setState(TaskState.TASK_DROPPED)
                            .setSource(TaskStatus.Source.SOURCE_MASTER)
                            .setReason(TaskStatus.Reason.REASON_INVALID_OFFERS)))
            .build());
    call(Call.Type.REVIVE);

    offer("o2", 1, 128);

    assertThat(launched().get(0).getTaskId()).isNotEqualTo(task.getTaskId());
    runner.kill();
    call(Call.Type.KILL);
    assertThat(result).isNotDone();
    stream.send(
        Event.newBuilder()
            .setType(Event.Type.ERROR)
            .setError(Event.Error.newBuilder().setMessage("enough"))
            .build());
    assertThat(result.get(60, TimeUnit.SECONDS).message()).contains("enough");
  }

  @Test
  void unreadableResourcesAreRefused() {
    assertThatThrownBy(() -> runner("cpus:lots", 1, Optional.empty()))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("cpus:lots");
  }

  @ParameterizedTest
  @CsvSource({
    "TASK_FINISHED, '', 0",
    "TASK_FAILED, Command exited with status 7, 7",
    "TASK_FAILED, Command terminated with signal Killed, 137",
    "TASK_FAILED, Command terminated with signal SIGSEGV, 139",
    "TASK_FAILED, Command terminated with signal Segmentation fault (core dumped), 139",
    "TASK_FAILED, Memory limit exceeded, 1",
    "TASK_KILLED, '', 143",
    "TASK_LOST, Agent removed, 1"
  })
  void exitCodesAreThoseOfAShell(TaskState state, String message, int code) {
    TaskStatus status =
        TaskStatus.newBuilder()
            .setTaskId(TaskID.newBuilder().setValue("t"))
            .setState(state)
            .setMessage(message)
            .build();
    assertThat(ExitCodes.of(status)).isEqualTo(code);
  }

  private CommandRunner runner(String resources, int instances, Optional<Duration> timeout) {
    return new CommandRunner(
        ClientOptions.of(LeaderLocator.of(daemon.address())),
        new CommandRunner.Options(
            program.isEmpty() ? "echo hello" : program.get(0),
            program,
            "test",
            "*",
            resources,
            Map.of("KEY", "value"),
            instances,
            timeout,
            Optional.empty()),
        new CommandRunner.Listener() {
          @Override
          public void state(String taskId, TaskStatus status) {
            states.add(status.getState());
          }

          @Override
          public void output(String taskId, boolean standardError, byte[] bytes) {
            (standardError ? errors : output).writeBytes(bytes);
          }

          @Override
          public void progress(String message) {
            progress.add(message);
          }
        });
  }

  private CompletableFuture<CommandRunner.Result> run(int instances, Optional<Duration> timeout)
      throws Exception {
    runner = runner("cpus:1;mem:128", instances, timeout);
    CompletableFuture<CommandRunner.Result> result = new CompletableFuture<>();
    Thread thread =
        new Thread(
            () -> {
              try {
                result.complete(runner.run());
              } catch (Exception e) {
                result.completeExceptionally(e);
              }
            });
    thread.setDaemon(true);
    thread.start();
    stream = daemon.stream();
    stream.send(SchedulerClientTest.subscribed(15));
    return result;
  }

  private void offer(String id, double cpus, double mem) throws Exception {
    stream.send(
        Event.newBuilder()
            .setType(Event.Type.OFFERS)
            .setOffers(
                Event.Offers.newBuilder()
                    .addOffers(
                        Offer.newBuilder()
                            .setId(OfferID.newBuilder().setValue(id))
                            .setFrameworkId(FrameworkID.newBuilder().setValue("f"))
                            .setAgentId(AgentID.newBuilder().setValue("a"))
                            .setHostname("host-1")
                            .setUrl(
                                URL.newBuilder()
                                    .setScheme("http")
                                    .setAddress(
                                        Address.newBuilder()
                                            .setIp("127.0.0.1")
                                            .setPort(daemon.port())))
                            .addResources(scalar("cpus", cpus))
                            .addResources(scalar("mem", mem))))
            .build());
  }

  private static Resource scalar(String name, double value) {
    return Resource.newBuilder()
        .setName(name)
        .setType(Value.Type.SCALAR)
        .setScalar(Value.Scalar.newBuilder().setValue(value))
        .setAllocationInfo(Resource.AllocationInfo.newBuilder().setRole("*"))
        .build();
  }

  private List<TaskInfo> launched() throws Exception {
    return call(Call.Type.ACCEPT).getAccept().getOperations(0).getLaunch().getTaskInfosList();
  }

  private Call call(Call.Type type) throws Exception {
    while (true) {
      Call call = daemon.calls.poll(60, TimeUnit.SECONDS);
      assertThat(call).as(type + " call").isNotNull();
      if (call.getType() == type) {
        return call;
      }
    }
  }

  private void update(TaskInfo task, TaskState state, String message, String uuid)
      throws Exception {
    TaskStatus.Builder status =
        TaskStatus.newBuilder()
            .setTaskId(task.getTaskId())
            .setAgentId(task.getAgentId())
            .setState(state)
            .setMessage(message);
    if (uuid.isEmpty()) {
      status.setSource(TaskStatus.Source.SOURCE_MASTER);
    } else {
      status
          .setSource(TaskStatus.Source.SOURCE_EXECUTOR)
          .setUuid(ByteString.copyFromUtf8(uuid))
          .setContainerStatus(
              ContainerStatus.newBuilder().setContainerId(ContainerID.newBuilder().setValue("c1")));
    }
    stream.send(
        Event.newBuilder()
            .setType(Event.Type.UPDATE)
            .setUpdate(Event.Update.newBuilder().setStatus(status))
            .build());
  }
}
