package org.mezzo.agent;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.google.protobuf.ByteString;
import java.io.IOException;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.mezzo.agent.tasks.TaskEnvironment;
import org.mezzo.api.fetcher.Fetcher;
import org.mezzo.api.hook.Hook;
import org.mezzo.api.secret.SecretResolver;
import org.mezzo.fixtures.Await;
import org.mezzo.link.messages.AgentCall;
import org.mezzo.link.messages.MasterEvent;
import org.mezzo.link.messages.RunTask;
import org.mezzo.link.messages.StatusUpdate;
import org.mezzo.protocol.v1.AgentID;
import org.mezzo.protocol.v1.AgentInfo;
import org.mezzo.protocol.v1.CommandInfo;
import org.mezzo.protocol.v1.ContainerInfo;
import org.mezzo.protocol.v1.DurationInfo;
import org.mezzo.protocol.v1.Environment;
import org.mezzo.protocol.v1.FrameworkID;
import org.mezzo.protocol.v1.FrameworkInfo;
import org.mezzo.protocol.v1.Image;
import org.mezzo.protocol.v1.KillPolicy;
import org.mezzo.protocol.v1.Label;
import org.mezzo.protocol.v1.Labels;
import org.mezzo.protocol.v1.Resource;
import org.mezzo.protocol.v1.Secret;
import org.mezzo.protocol.v1.TaskID;
import org.mezzo.protocol.v1.TaskInfo;
import org.mezzo.protocol.v1.TaskState;
import org.mezzo.protocol.v1.TaskStatus;
import org.mezzo.protocol.v1.TaskStatus.Reason;
import org.mezzo.protocol.v1.TaskStatus.Source;
import org.mezzo.protocol.v1.Value;

class AgentTest extends RunningAgent {
  /** The next call that tells an id; before it there may be more that ask for one. */
  private AgentCall reregistration() throws Exception {
    while (true) {
      AgentCall call = master.registrations.poll(60, TimeUnit.SECONDS);
      assertThat(call).isNotNull();
      if (call.hasReregister()) {
        return call;
      }
    }
  }

  private static TaskInfo.Builder task(String id, String command) {
    return TaskInfo.newBuilder()
        .setName("n-" + id)
        .setTaskId(TaskID.newBuilder().setValue(id))
        .setAgentId(AgentID.newBuilder().setValue("m-S0"))
        .addResources(scalar("cpus", 0.1))
        .addResources(scalar("mem", 32))
        .setCommand(CommandInfo.newBuilder().setShell(true).setValue(command));
  }

  private static Resource scalar(String name, double value) {
    Resource.Builder resource =
        Resource.newBuilder()
            .setName(name)
            .setType(Value.Type.SCALAR)
            .setScalar(Value.Scalar.newBuilder().setValue(value));
    resource.getAllocationInfoBuilder().setRole("test");
    return resource.build();
  }

  private void run(TaskInfo.Builder task) {
    master.send(
        MasterEvent.newBuilder()
            .setRunTask(RunTask.newBuilder().setFramework(FRAMEWORK).addTasks(task)));
  }

  private void kill(String task, Long graceMillis) {
    MasterEvent.Builder event = MasterEvent.newBuilder();
    event
        .getKillTaskBuilder()
        .setFrameworkId(FRAMEWORK.getId())
        .setTaskId(TaskID.newBuilder().setValue(task));
    if (graceMillis != null) {
      event.getKillTaskBuilder().setKillPolicy(grace(graceMillis));
    }
    master.send(event);
  }

  private static KillPolicy grace(long millis) {
    return KillPolicy.newBuilder()
        .setGracePeriod(DurationInfo.newBuilder().setNanoseconds(millis * 1_000_000))
        .build();
  }

  @Test
  void registersWithWhatItHas() throws Exception {
    flags.put("attributes", "rack:r1;level:10");
    flags.put("hostname", "here");
    AgentCall call = start();
    assertThat(call.hasRegister()).isTrue();
    assertThat(call.getRegister().getAgent().getHostname()).isEqualTo("here");
    assertThat(call.getRegister().getAgent().getPort()).isEqualTo(agent.address().getPort());
    assertThat(call.getRegister().getAgent().getResourcesList()).hasSize(4);
    assertThat(call.getRegister().getAgent().getAttributesList()).hasSize(2);
    assertThat(call.getRegister().getVersion()).isEqualTo("1.12.0");
    assertThat(call.getRegister().getAddress().getIp()).isEqualTo("127.0.0.1");
  }

  @Test
  void aTaskGoesThroughItsStates() throws Exception {
    start();
    run(task("t1", "echo hi; exit 3"));
    StatusUpdate starting = master.next(TaskState.TASK_STARTING);
    StatusUpdate running = master.next(TaskState.TASK_RUNNING);
    StatusUpdate failed = master.next(TaskState.TASK_FAILED);
    for (StatusUpdate update : new StatusUpdate[] {starting, running, failed}) {
      TaskStatus status = update.getStatus();
      assertThat(status.getSource()).isEqualTo(Source.SOURCE_EXECUTOR);
      assertThat(status.getExecutorId().getValue()).isEqualTo("t1");
      assertThat(status.getAgentId().getValue()).isEqualTo("m-S0");
      assertThat(status.getUuid().size()).isEqualTo(16);
      assertThat(status.getContainerStatus().getContainerId().getValue()).hasSize(36);
      // TASK_STARTING is told while the process is being made.
      assertThat(status.getContainerStatus().hasExecutorPid()).isEqualTo(update != starting);
      assertThat(status.getContainerStatus().getNetworkInfos(0).getIpAddresses(0).getIpAddress())
          .isEqualTo("127.0.0.1");
      assertThat(status.hasReason()).isFalse();
    }
    assertThat(failed.getStatus().getMessage()).isEqualTo("Command exited with status 3");
    assertThat(starting.getStatus().hasMessage()).isFalse();

    Path latest = folder.resolve("work/slaves/m-S0/frameworks/f-1/executors/t1/runs/latest/stdout");
    assertThat(latest).hasContent("hi\n");
    String read = "/files/read?path=/frameworks/f-1/executors/t1/runs/latest/stdout&offset=0";
    assertThat(get(read).body()).contains("\"data\":\"hi\\n\"");
    assertThat(get("/slave(1)/state".replace("(", "%28").replace(")", "%29")).body())
        .contains("\"completed_executors\":[{\"id\":\"t1\"");
    assertThat(get("/health").statusCode()).isEqualTo(200);
    assertThat(get("/metrics/snapshot").body())
        .contains("\"slave/tasks_failed\":1.0")
        .contains("\"slave/cpus_revocable_total\":0.0")
        .contains("\"slave/invalid_status_updates\":0.0")
        .contains("\"slave/executors_registering\":0.0")
        .contains("\"slave/recovery_errors\":0.0")
        .contains("\"slave/recovery_time_secs\":");
  }

  @Test
  void refusesContainersThatAreMoreThanAProcess() throws Exception {
    start();
    TaskInfo.Builder task = task("image", "true");
    task.getContainerBuilder()
        .setType(ContainerInfo.Type.MESOS)
        .getMesosBuilder()
        .getImageBuilder()
        .setType(Image.Type.DOCKER)
        .getDockerBuilder()
        .setName("busybox");
    run(task);
    TaskStatus failed = master.next(TaskState.TASK_FAILED).getStatus();
    assertThat(failed.getReason()).isEqualTo(Reason.REASON_CONTAINER_LAUNCH_FAILED);
    assertThat(failed.getMessage()).contains("container.mesos.image");
  }

  private static TaskInfo.Builder secretive(String id, String command) {
    TaskInfo.Builder task = task(id, command);
    task.getCommandBuilder()
        .getEnvironmentBuilder()
        .addVariablesBuilder()
        .setName("KEY")
        .setType(Environment.Variable.Type.SECRET)
        .getSecretBuilder()
        .setType(Secret.Type.REFERENCE)
        .getReferenceBuilder()
        .setName("hidden");
    return task;
  }

  private void resolver(SecretResolver resolver) {
    modules.register(SecretResolver.class, SecretResolver.KIND, "default", () -> resolver);
  }

  @Test
  void aSecretIsWhatTheResolverSays() throws Exception {
    resolver(
        secret ->
            Secret.Value.newBuilder()
                .setData(
                    ByteString.copyFromUtf8("the " + secret.getReference().getName() + " 'one'"))
                .build());
    start();
    run(secretive("t", "echo $KEY"));
    master.next(TaskState.TASK_STARTING);
    master.next(TaskState.TASK_RUNNING);
    master.next(TaskState.TASK_FINISHED);
    assertThat(folder.resolve("work/slaves/m-S0/frameworks/f-1/executors/t/runs/latest/stdout"))
        .hasContent("the hidden 'one'\n");
  }

  @Test
  void aSecretThatTheResolverDoesNotKnowFailsItsTask() throws Exception {
    resolver(
        secret -> {
          throw new IOException("there is none");
        });
    start();
    run(secretive("t", "echo $KEY"));
    TaskStatus failed = master.next(TaskState.TASK_FAILED).getStatus();
    assertThat(failed.getReason()).isEqualTo(Reason.REASON_CONTAINER_LAUNCH_FAILED);
    assertThat(failed.getMessage()).contains("'KEY'", "'default'", "there is none");
  }

  @Test
  void aSecretFailsItsTaskWhereTheResolverIsNotThere() throws Exception {
    flags.put("secret_resolver", "vault");
    start();
    run(secretive("t", "echo $KEY"));
    assertThat(master.next(TaskState.TASK_FAILED).getStatus().getMessage())
        .contains("'vault' is not available", "--secret_resolver");
  }

  @Test
  void runsNothingAsRootWhereTheMasterRefusesIt() throws Exception {
    assumeTrue("root".equals(System.getProperty("user.name")), "only a root agent can");
    start();
    for (String user : List.of("root", "0", "")) {
      TaskInfo.Builder task = task("as-" + user, "true");
      task.getCommandBuilder().setUser(user);
      master.send(
          MasterEvent.newBuilder()
              .setRunTask(
                  RunTask.newBuilder()
                      .setFramework(FRAMEWORK.toBuilder().setUser("root"))
                      .addTasks(task)
                      .setRootRefused(true)));
      TaskStatus failed = master.next(TaskState.TASK_FAILED).getStatus();
      assertThat(failed.getReason()).isEqualTo(Reason.REASON_CONTAINER_LAUNCH_FAILED);
      assertThat(failed.getMessage()).contains("root", "--no-root_submissions");
    }
  }

  @Test
  void showsNoPasswordOfTheMastersAddress() throws Exception {
    start();
    agent.close();
    flags.put("master", "zk://user:hidden@127.0.0.1:1/mezzo");
    agent = newAgent();
    assertThat(get("/flags").body()).doesNotContain("hidden").contains("zk://user:***@127.0.0.1:1");
    assertThat(get("/state").body()).doesNotContain("hidden");
  }

  @Test
  void tasksSeeTheirEnvironment() throws Exception {
    start();
    TaskInfo.Builder task = task("env", "env");
    task.getCommandBuilder()
        .getEnvironmentBuilder()
        .addVariablesBuilder()
        .setName("FOO")
        .setValue("a b\nc'd");
    run(task);
    master.next(TaskState.TASK_STARTING);
    master.next(TaskState.TASK_RUNNING);
    master.next(TaskState.TASK_FINISHED);
    String out =
        Files.readString(
            folder.resolve("work/slaves/m-S0/frameworks/f-1/executors/env/runs/latest/stdout"));
    assertThat(out)
        .contains("FOO=a b\nc'd\n")
        .contains("MESOS_EXECUTOR_ID=env\n")
        .contains("MESOS_FRAMEWORK_ID=f-1\n")
        .contains("MESOS_SLAVE_ID=m-S0\n")
        .contains("MESOS_ALLOCATION_ROLE=test\n")
        .contains("MESOS_CHECKPOINT=0\n")
        .contains("MESOS_SANDBOX=" + folder);
  }

  @Test
  void killsWithGraceThenForGood() throws Exception {
    start();
    run(task("polite", "trap 'exit 0' TERM; echo up; while :; do sleep 0.02; done"));
    run(task("stubborn", "trap '' TERM; while :; do sleep 0.02; done"));
    for (int i = 0; i < 4; i++) {
      assertThat(master.next().getStatus().getState())
          .isIn(TaskState.TASK_STARTING, TaskState.TASK_RUNNING);
    }
    Path out =
        folder.resolve("work/slaves/m-S0/frameworks/f-1/executors/polite/runs/latest/stdout");
    Await.until("the task says so", () -> Files.size(out) > 0);
    kill("polite", null);
    master.next(TaskState.TASK_KILLING);
    StatusUpdate polite = master.next(TaskState.TASK_KILLED);
    assertThat(polite.getStatus().getMessage()).isEqualTo("Command exited with status 0");

    kill("stubborn", 60_000L);
    master.next(TaskState.TASK_KILLING);
    kill("stubborn", 1L);
    StatusUpdate stubborn = master.next(TaskState.TASK_KILLED);
    assertThat(stubborn.getStatus().getMessage())
        .isEqualTo("Command terminated with signal Killed");
  }

  @Test
  void aKillOfSomethingUnknownIsAnswered() throws Exception {
    start();
    run(task("t", "sleep 100"));
    master.next(TaskState.TASK_STARTING);
    master.next(TaskState.TASK_RUNNING);
    kill("other", null);
    StatusUpdate update = master.next(TaskState.TASK_DROPPED);
    assertThat(update.getStatus().getReason()).isEqualTo(Reason.REASON_EXECUTOR_TERMINATED);
  }

  @Test
  void endsATaskThatRunsTooLong() throws Exception {
    start();
    run(
        task("long", "sleep 100")
            .setMaxCompletionTime(DurationInfo.newBuilder().setNanoseconds(50_000_000)));
    master.next(TaskState.TASK_STARTING);
    master.next(TaskState.TASK_RUNNING);
    StatusUpdate update = master.next(TaskState.TASK_FAILED);
    assertThat(update.getStatus().getReason()).isEqualTo(Reason.REASON_MAX_COMPLETION_TIME_REACHED);
  }

  @Test
  void whatItCannotRunIsToldSo() throws Exception {
    start();
    TaskInfo.Builder custom = task("custom", "").clearCommand();
    custom.getExecutorBuilder().getExecutorIdBuilder().setValue("e");
    run(custom);
    StatusUpdate update = master.next(TaskState.TASK_FAILED);
    assertThat(update.getStatus().getSource()).isEqualTo(Source.SOURCE_AGENT);
    assertThat(update.getStatus().getMessage()).contains("`executor.command`");

    TaskInfo.Builder uri = task("uri", "true");
    uri.getCommandBuilder().addUrisBuilder().setValue("http://nowhere/file");
    run(uri);
    update = master.next(TaskState.TASK_FAILED);
    assertThat(update.getStatus().getReason()).isEqualTo(Reason.REASON_CONTAINER_LAUNCH_FAILED);
    assertThat(update.getStatus().getExecutorId().getValue()).isEqualTo("uri");
    assertThat(update.getStatus().getMessage()).contains("No fetcher module serves 'http'");
  }

  @Test
  void aLaunchThatGoesWrongIsToldOfAndHoldsUpNoOther() throws Exception {
    start();
    // No file can be called so, which no master lets pass; whatever else is thrown goes the same
    // way.
    RunTask.Builder both = RunTask.newBuilder().setFramework(FRAMEWORK);
    both.addTasks(task("a\0b", "true")).addTasks(task("good", "true"));
    master.send(MasterEvent.newBuilder().setRunTask(both));
    TaskStatus failed = master.next(TaskState.TASK_FAILED).getStatus();
    assertThat(failed.getTaskId().getValue()).isEqualTo("a\0b");
    assertThat(failed.getReason()).isEqualTo(Reason.REASON_CONTAINER_LAUNCH_FAILED);
    assertThat(failed.getMessage())
        .startsWith("Failed to launch container: ")
        .contains("InvalidPathException", "Nul character not allowed");
    assertThat(master.next(TaskState.TASK_STARTING).getStatus().getTaskId().getValue())
        .isEqualTo("good");
  }

  @Test
  void namesWhatACallLacksAndWhatIsNotServed() throws Exception {
    start();
    Map<String, String> answers =
        Map.of(
            "GET_METRICS",
                "400 Failed to validate agent::Call: Expecting 'get_metrics' to be present",
            "WAIT_CONTAINER",
                "400 Failed to validate agent::Call: Expecting 'wait_container' to be present",
            "SET_LOGGING_LEVEL",
                "400 Failed to validate agent::Call: Expecting 'set_logging_level' to be present",
            // As a real agent without image stores does.
            "PRUNE_IMAGES", "200 ",
            "MARK_RESOURCE_PROVIDER_GONE",
                "400 Failed to validate agent::Call: Expecting 'mark_resource_provider_gone' to be",
            "UNKNOWN", "501 501 Not Implemented.");
    for (Map.Entry<String, String> answer : answers.entrySet()) {
      HttpResponse<String> response = call("{\"type\":\"" + answer.getKey() + "\"}");
      assertThat(response.statusCode() + " " + response.body()).startsWith(answer.getValue());
    }
  }

  @Test
  void tasksSeeTheLocaleOfTheOperator() {
    assertThat(
            TaskEnvironment.inherited(
                Map.of("LC_ALL", "C.UTF-8", "MEZZO_OPERATOR_LC_ALL", "", "LANG", "de_DE")))
        .isEqualTo(Map.of("LANG", "de_DE"));
    assertThat(TaskEnvironment.inherited(Map.of("LC_ALL", "C.UTF-8", "MEZZO_OPERATOR_LC_ALL", "C")))
        .isEqualTo(Map.of("LC_ALL", "C"));
    assertThat(TaskEnvironment.inherited(Map.of("LC_ALL", "C.UTF-8")))
        .isEqualTo(Map.of("LC_ALL", "C.UTF-8"));
  }

  @Test
  void fetchesUris() throws Exception {
    Path file = Files.writeString(folder.resolve("tool"), "#!/bin/sh\necho fetched $1\n");
    modules.register(
        Fetcher.class,
        Fetcher.KIND,
        "file",
        () ->
            new Fetcher() {
              @Override
              public java.util.Set<String> schemes() {
                return java.util.Set.of("file");
              }

              @Override
              public void fetch(Request request) throws IOException {
                Files.copy(Path.of(request.uri()), request.target());
              }
            });
    start();
    TaskInfo.Builder task = task("uri", "./tool it");
    task.getCommandBuilder().addUrisBuilder().setValue(file.toString()).setExecutable(true);
    run(task);
    master.next(TaskState.TASK_STARTING);
    master.next(TaskState.TASK_RUNNING);
    master.next(TaskState.TASK_FINISHED);
    assertThat(folder.resolve("work/slaves/m-S0/frameworks/f-1/executors/uri/runs/latest/stdout"))
        .hasContent("fetched it\n");
  }

  @Test
  void hooksDecorateTasksAndUpdatesInOrder() throws Exception {
    modules.register(
        Hook.class,
        Hook.KIND,
        "h",
        () ->
            new Hook() {
              @Override
              public Labels agentRunTaskLabels(
                  TaskInfo task, FrameworkInfo framework, org.mezzo.protocol.v1.AgentInfo info) {
                return Labels.newBuilder().addLabels(Label.newBuilder().setKey("hooked")).build();
              }

              @Override
              public Map<String, String> agentTaskEnvironment(TaskInfo task) {
                return Map.of("HOOKED", "yes");
              }

              @Override
              public TaskStatus agentTaskStatus(FrameworkID framework, TaskStatus status) {
                return status.toBuilder().setMessage("seen " + status.getState()).build();
              }
            });
    flags.put("hooks", "h");
    start();
    run(task("t", "echo $HOOKED"));
    assertThat(master.next(TaskState.TASK_STARTING).getStatus().getMessage())
        .isEqualTo("seen TASK_STARTING");
    master.next(TaskState.TASK_RUNNING);
    assertThat(master.next(TaskState.TASK_FINISHED).getStatus().getMessage())
        .isEqualTo("seen TASK_FINISHED");
    assertThat(folder.resolve("work/slaves/m-S0/frameworks/f-1/executors/t/runs/latest/stdout"))
        .hasContent("yes\n");
    assertThat(get("/state").body()).contains("hooked");
  }

  @Test
  void reregistersWithItsTasksAndSendsPendingUpdatesAgain() throws Exception {
    start();
    master.acknowledges = false;
    run(task("t", "sleep 100"));
    StatusUpdate first = master.next(TaskState.TASK_STARTING);
    Await.until(
        "the task runs",
        () -> get("/metrics/snapshot").body().contains("\"slave/tasks_running\":1.0"));
    master.sessions.get(0).close();
    AgentCall again = reregistration();
    assertThat(again.getReregister().getAgent().getId().getValue()).isEqualTo("m-S0");
    assertThat(again.getReregister().getFrameworksList()).hasSize(1);
    assertThat(again.getReregister().getTasks(0).getTask().getState())
        .isEqualTo(TaskState.TASK_RUNNING);
    assertThat(again.getReregister().getTasks(0).getStatusUpdateState())
        .isEqualTo(TaskState.TASK_STARTING);
    StatusUpdate resent = master.next(TaskState.TASK_STARTING);
    assertThat(resent.getStatus()).isEqualTo(first.getStatus());
    assertThat(resent.getLatestState()).isEqualTo(TaskState.TASK_RUNNING);
    master.acknowledge(resent);
    assertThat(nextAfter(first).getState()).isEqualTo(TaskState.TASK_RUNNING);
  }

  @Test
  void looksForTheMasterAgainWhenPingsStayAway() throws Exception {
    master.pingTimeoutSeconds = 0.05;
    start();
    assertThat(reregistration().getReregister().getAgent().getId().getValue()).isEqualTo("m-S0");
  }

  @Test
  void answersForTasksItDoesNotKnow() throws Exception {
    master.acknowledges = false;
    start();
    MasterEvent.Builder event = MasterEvent.newBuilder();
    event
        .getReconcileTasksBuilder()
        .setFrameworkId(FRAMEWORK.getId())
        .addTaskIds(TaskID.newBuilder().setValue("gone"));
    master.send(event);
    // Masters ask with each registration; there is one end all the same.
    master.send(event);
    StatusUpdate lost = master.next(TaskState.TASK_LOST);
    assertThat(lost.getStatus().getReason()).isEqualTo(Reason.REASON_RECONCILIATION);
    event
        .getReconcileTasksBuilder()
        .setPartitionAware(true)
        .setTaskIds(0, TaskID.newBuilder().setValue("gone, too"));
    master.send(event);
    TaskStatus dropped = nextAfter(lost);
    assertThat(dropped.getState()).isEqualTo(TaskState.TASK_DROPPED);
    assertThat(dropped.getReason()).isEqualTo(Reason.REASON_RECONCILIATION);
  }

  /** Asked again, by a link that came back or after it has forgotten, it tells no second end. */
  @Test
  void aTaskItDoesNotKnowEndsOnce() throws Exception {
    master.acknowledges = false;
    start();
    MasterEvent.Builder event = MasterEvent.newBuilder();
    event.getReconcileTasksBuilder().setFrameworkId(FRAMEWORK.getId()).addTaskIds(taskId("gone"));
    master.send(event);
    StatusUpdate first = master.next(TaskState.TASK_LOST);
    master.send(event);
    TaskStatus told =
        TaskStatus.newBuilder()
            .setTaskId(taskId("told"))
            .setState(TaskState.TASK_FAILED)
            .setUuid(ByteString.copyFromUtf8("of before"))
            .build();
    MasterEvent.Builder other = MasterEvent.newBuilder();
    other
        .getReconcileTasksBuilder()
        .setFrameworkId(FRAMEWORK.getId())
        .addTaskIds(taskId("told"))
        .addEnded(told);
    master.send(other);
    assertThat(nextAfter(first).getUuid()).isEqualTo(told.getUuid());
    // What is under way hides what waits behind it.
    master.acknowledge(first);
    event.getReconcileTasksBuilder().setTaskIds(0, taskId("last"));
    master.send(event);
    TaskStatus next = nextAfter(first);
    while (next.getState() == TaskState.TASK_FAILED) {
      next = nextAfter(first);
    }
    assertThat(next.getTaskId()).isEqualTo(taskId("last"));
  }

  /** The next one; an update may come more than once. */
  private TaskStatus nextAfter(StatusUpdate seen) throws InterruptedException {
    TaskStatus next = master.next().getStatus();
    while (next.getUuid().equals(seen.getStatus().getUuid())) {
      next = master.next().getStatus();
    }
    return next;
  }

  private static TaskID taskId(String value) {
    return TaskID.newBuilder().setValue(value).build();
  }

  @Test
  void keepsItsIdAndLeavesNothingBehind() throws Exception {
    start();
    int port = agent.address().getPort();
    run(task("t", "echo $$; exec sleep 1000"));
    master.next(TaskState.TASK_STARTING);
    StatusUpdate update = master.next(TaskState.TASK_RUNNING);
    long pid = update.getStatus().getContainerStatus().getExecutorPid();
    assertThat(ProcessHandle.of(pid)).isPresent();
    agent.close();
    // Killed, it may be there until somebody has waited for it.
    Await.until(
        "its task is gone", () -> !ProcessHandle.of(pid).map(ProcessHandle::isAlive).orElse(false));
    flags.put("port", Integer.toString(port));
    agent = newAgent();
    assertThat(reregistration().getReregister().getAgent().getId().getValue()).isEqualTo("m-S0");
    agent.close();
  }

  @Test
  void keepsItsIdWithMoreAndIsANewAgentWithLess() throws Exception {
    start();
    Path checkpoint = folder.resolve("work/meta/agent/agent.info");
    awaitFile(checkpoint);
    flags.put("port", Integer.toString(agent.address().getPort()));
    agent.close();
    master.registrations.clear();

    flags.put("resources", "cpus:8;mem:4096;disk:10240;ports:[31000-32000]");
    flags.put("attributes", "rack:a");
    agent = newAgent();
    AgentCall more = master.registrations.poll(60, TimeUnit.SECONDS);
    assertThat(more.getReregister().getAgent().getId().getValue()).isEqualTo("m-S0");
    assertThat(more.getReregister().getAgent().getAttributes(0).getName()).isEqualTo("rack");
    assertThat(AgentInfo.parseFrom(Files.readAllBytes(checkpoint)))
        .isEqualTo(more.getReregister().getAgent());
    agent.close();
    master.registrations.clear();

    flags.put("resources", "cpus:1;mem:4096;disk:10240;ports:[31000-32000]");
    agent = newAgent();
    AgentCall less = master.registrations.poll(60, TimeUnit.SECONDS);
    assertThat(less.hasRegister()).as(less.toString()).isTrue();
    agent.close();
    flags.put("reconfiguration_policy", "some");
    assertThatThrownBy(this::newAgent).hasMessageContaining("'equal', 'additive' or 'any'");
    agent = null;
  }

  private static void awaitFile(Path file) {
    Await.until(file + " appears", () -> Files.exists(file));
  }

  @Test
  void aSecondAgentOnTheSameWorkDirIsRefused() throws Exception {
    start();
    assertThatThrownBy(this::newAgent)
        .isInstanceOf(IOException.class)
        .hasMessageContaining("in use by another agent");
  }

  @Test
  void firewallRulesDisableEndpoints() throws Exception {
    flags.put("firewall_rules", "{\"disabled_endpoints\":{\"paths\":[\"/state\"]}}");
    start();
    assertThat(get("/state").statusCode()).isEqualTo(403);
    assertThat(get("/health").statusCode()).isEqualTo(200);
  }

  @Test
  void shutsAFrameworkDownWithoutUpdates() throws Exception {
    start();
    run(task("t", "sleep 1000"));
    master.next(TaskState.TASK_STARTING);
    long pid =
        master.next(TaskState.TASK_RUNNING).getStatus().getContainerStatus().getExecutorPid();
    assertThat(ProcessHandle.of(pid)).isPresent();
    MasterEvent.Builder event = MasterEvent.newBuilder();
    event.getShutdownFrameworkBuilder().setFrameworkId(FRAMEWORK.getId());
    master.send(event);
    Await.until(
        "the process ends", () -> !ProcessHandle.of(pid).map(ProcessHandle::isAlive).orElse(false));
    // What comes for a framework that is not yet gone is dropped.
    Await.until("the framework is gone", () -> get("/state").body().contains("\"frameworks\":[]"));
    run(task("next", "true"));
    assertThat(master.next().getStatus().getTaskId().getValue()).isEqualTo("next");
  }

  @Test
  void refusesFoldersThatOthersMayHaveFilled() throws Exception {
    Path planted = Files.createDirectories(folder.resolve("run/containers/c-1"));
    Files.writeString(planted.resolve("command"), "touch " + folder.resolve("ran"));
    Files.setPosixFilePermissions(
        folder.resolve("run"), PosixFilePermissions.fromString("rwxrwxrwx"));
    assertThatThrownBy(this::newAgent)
        .isInstanceOf(IOException.class)
        .hasMessageContaining("The folder " + folder.resolve("run") + " is not used")
        .hasMessageContaining("chmod go-w")
        .hasMessageContaining("--runtime_dir");
    assertThat(planted.resolve("command")).exists();

    flags.put("runtime_dir", folder.resolve("own").toString());
    Files.setPosixFilePermissions(
        folder.resolve("work"), PosixFilePermissions.fromString("rwxrwxrwx"));
    assertThatThrownBy(this::newAgent).hasMessageContaining("--work_dir");
  }

  @Test
  void keepsTheSandboxOfARunningTaskWhenTheDiskIsFull() throws Exception {
    // Nothing may be kept, and there is a pass every few milliseconds.
    flags.put("gc_disk_headroom", "1.0");
    flags.put("disk_watch_interval", "10ms");
    start();
    run(task("stays", "echo hi; exec sleep 1000"));
    master.next(TaskState.TASK_STARTING);
    master.next(TaskState.TASK_RUNNING);
    run(task("ends", "true"));
    master.next(TaskState.TASK_STARTING);
    master.next(TaskState.TASK_RUNNING);
    master.next(TaskState.TASK_FINISHED);
    Path executors = folder.resolve("work/slaves/m-S0/frameworks/f-1/executors");
    awaitGone(executors.resolve("ends"));
    Path stdout = executors.resolve("stays/runs/latest/stdout");
    Await.until("the task has said it", () -> Files.readString(stdout).equals("hi\n"));

    kill("stays", 0L);
    awaitGone(executors.resolve("stays"));
  }

  private static void awaitGone(Path path) {
    Await.until(path + " is gone", () -> !Files.exists(path));
  }

  @Test
  void aFifoInASandboxStopsNothing() throws Exception {
    start();
    run(task("fifo", "mkfifo fifo; echo made; exec sleep 1000"));
    master.next(TaskState.TASK_STARTING);
    master.next(TaskState.TASK_RUNNING);
    String sandbox = "/frameworks/f-1/executors/fifo/runs/latest/";
    Await.until(
        "the fifo is there", () -> get("/files/browse?path=" + sandbox).body().contains("/fifo\""));
    for (int i = 0; i < 20; i++) {
      for (String kind : new String[] {"read", "download"}) {
        HttpResponse<String> answer = get("/files/" + kind + "?offset=0&path=" + sandbox + "fifo");
        assertThat(answer.statusCode()).isEqualTo(400);
        assertThat(answer.body()).contains("is a fifo, a socket or a device");
      }
    }
    run(task("after", "true"));
    master.next(TaskState.TASK_STARTING);
    master.next(TaskState.TASK_RUNNING);
    master.next(TaskState.TASK_FINISHED);
  }
}
