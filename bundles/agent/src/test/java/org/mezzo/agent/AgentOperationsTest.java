package org.mezzo.agent;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;
import static org.mezzo.agent.Made.allocated;
import static org.mezzo.agent.Made.apply;
import static org.mezzo.agent.Made.create;
import static org.mezzo.agent.Made.destroy;
import static org.mezzo.agent.Made.named;
import static org.mezzo.agent.Made.reserve;
import static org.mezzo.agent.Made.scalar;
import static org.mezzo.agent.Made.uuid;
import static org.mezzo.agent.Made.volume;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.mezzo.fixtures.Await;
import org.mezzo.link.messages.AgentCall;
import org.mezzo.link.messages.ApplyOperation;
import org.mezzo.link.messages.MasterEvent;
import org.mezzo.link.messages.OperationUpdate;
import org.mezzo.link.messages.Reregister;
import org.mezzo.link.messages.RunTask;
import org.mezzo.link.messages.StatusUpdate;
import org.mezzo.protocol.v1.AgentID;
import org.mezzo.protocol.v1.CommandInfo;
import org.mezzo.protocol.v1.DrainConfig;
import org.mezzo.protocol.v1.DurationInfo;
import org.mezzo.protocol.v1.KillPolicy;
import org.mezzo.protocol.v1.Offer;
import org.mezzo.protocol.v1.OperationState;
import org.mezzo.protocol.v1.Resource;
import org.mezzo.protocol.v1.TaskID;
import org.mezzo.protocol.v1.TaskInfo;
import org.mezzo.protocol.v1.TaskState;
import org.mezzo.protocol.v1.TaskStatus;
import org.mezzo.protocol.v1.TaskStatus.Reason;

/** Reservations, volumes and drains, as a master and a client of the agent see them. */
class AgentOperationsTest extends RunningAgent {
  @BeforeEach
  void withoutPorts() {
    flags.put("resources", "cpus:4;mem:4096;disk:1000;ports:[]");
  }

  /** As the agent that it was; it may have asked for an id more than once before. */
  private Reregister restart() throws Exception {
    flags.put("port", Integer.toString(agent.address().getPort()));
    agent.close();
    master.registrations.clear();
    AgentCall call = start();
    assertThat(call.hasReregister()).isTrue();
    return call.getReregister();
  }

  private void awaitCheckpoint() throws Exception {
    Path file = folder.resolve("work/meta/agent/agent.info");
    Await.until("the agent keeps its id", () -> Files.exists(file));
  }

  private void send(ApplyOperation message) {
    master.send(MasterEvent.newBuilder().setApplyOperation(message));
  }

  private OperationUpdate outcome(ApplyOperation message) throws Exception {
    send(message);
    return master.outcome();
  }

  private void finished(ApplyOperation message) throws Exception {
    assertThat(outcome(message).getStatus().getState())
        .isEqualTo(OperationState.OPERATION_FINISHED);
  }

  private static TaskInfo.Builder task(String id, String command, Resource... resources) {
    TaskInfo.Builder task =
        TaskInfo.newBuilder()
            .setName("n-" + id)
            .setTaskId(TaskID.newBuilder().setValue(id))
            .setAgentId(AgentID.newBuilder().setValue("m-S0"))
            .addResources(allocated(scalar("cpus", 0.1), "eng"))
            .setCommand(CommandInfo.newBuilder().setShell(true).setValue(command));
    for (Resource resource : resources) {
      task.addResources(allocated(resource, "eng"));
    }
    return task;
  }

  private void run(TaskInfo.Builder task) {
    master.send(
        MasterEvent.newBuilder()
            .setRunTask(RunTask.newBuilder().setFramework(FRAMEWORK).addTasks(task)));
  }

  private TaskStatus end() throws Exception {
    while (true) {
      StatusUpdate update = master.next();
      if (update.getStatus().getState() != TaskState.TASK_STARTING
          && update.getStatus().getState() != TaskState.TASK_RUNNING
          && update.getStatus().getState() != TaskState.TASK_KILLING) {
        return update.getStatus();
      }
    }
  }

  private void drain(DrainConfig.Builder config) {
    MasterEvent.Builder event = MasterEvent.newBuilder();
    event.getDrainBuilder().setConfig(config);
    master.send(event);
  }

  private static DurationInfo.Builder millis(long millis) {
    return DurationInfo.newBuilder().setNanoseconds(millis * 1_000_000);
  }

  @Test
  void whatIsReservedIsToldAndShownAndKept() throws Exception {
    AgentCall first = start();
    assertThat(first.getRegister().getTotalList())
        .containsExactlyInAnyOrder(scalar("cpus", 4), scalar("mem", 4096), scalar("disk", 1000));
    finished(apply("a", reserve(scalar("cpus", 1, "eng"), scalar("disk", 100, "eng"))));
    finished(apply("b", create(volume("v", 60, "eng", "data"))));
    OperationUpdate named = outcome(apply("c", named(reserve(scalar("mem", 1, "eng")), "op")));
    assertThat(named.getStatus().hasUuid()).isTrue();

    String state = get("/state").body();
    assertThat(state)
        .contains("\"resources\":{\"disk\":1000.0,\"mem\":4096.0,\"gpus\":0.0,\"cpus\":4.0}")
        .contains(
            "\"reserved_resources\":{\"eng\":{\"disk\":100.0,\"mem\":1.0,\"gpus\":0.0,\"cpus\":1.0}}")
        .contains(
            "\"unreserved_resources\":{\"disk\":900.0,\"mem\":4095.0,\"gpus\":0.0,\"cpus\":3.0}")
        .contains("\"persistence\":{\"id\":\"v\"}");
    assertThat(call("{\"type\":\"GET_OPERATIONS\"}").body())
        .contains("\"operation_id\":{\"value\":\"op\"}", "OPERATION_FINISHED");
    assertThat(call("{\"type\":\"GET_AGENT\"}").body()).doesNotContain("\"eng\"");

    awaitCheckpoint();
    Reregister again = restart();
    assertThat(again.getTotalList())
        .containsExactlyInAnyOrder(
            scalar("cpus", 3),
            scalar("cpus", 1, "eng"),
            scalar("mem", 4095),
            scalar("mem", 1, "eng"),
            scalar("disk", 900),
            scalar("disk", 40, "eng"),
            volume("v", 60, "eng", "data"));
    assertThat(again.getAgent().getResourcesList()).hasSize(3);
    assertThat(again.getOperationsList()).hasSize(1);
    OperationUpdate repeated = master.outcome();
    assertThat(repeated).isEqualTo(named);
    MasterEvent.Builder event = MasterEvent.newBuilder();
    event
        .getAcknowledgeOperationBuilder()
        .setOperationUuid(uuid("c"))
        .setStatusUuid(repeated.getStatus().getUuid().getValue());
    master.send(event);
    Await.until(
        "the operation is forgotten",
        () -> !call("{\"type\":\"GET_OPERATIONS\"}").body().contains("\"op\""));
    master.send(
        MasterEvent.newBuilder()
            .setReconcileOperations(
                org.mezzo.link.messages.ReconcileOperations.newBuilder()
                    .addOperationUuids(uuid("c"))));
    OperationUpdate dropped = master.outcome();
    while (dropped.equals(named)) {
      // Sent again before its acknowledgement came.
      dropped = master.outcome();
    }
    assertThat(dropped.getStatus().getState()).isEqualTo(OperationState.OPERATION_DROPPED);
  }

  @Test
  void aNewAgentKeepsWhatIsReservedAndDoesNotStartWithLess() throws Exception {
    start();
    finished(apply("a", named(reserve(scalar("cpus", 3, "eng")), "op")));
    awaitCheckpoint();
    agent.close();
    master.registrations.clear();
    // Another port makes another agent.
    flags.put("port", "0");
    AgentCall fresh = start();
    assertThat(fresh.getRegister().getTotalList()).contains(scalar("cpus", 3, "eng"));
    assertThat(call("{\"type\":\"GET_OPERATIONS\"}").body()).doesNotContain("\"op\"");
    agent.close();
    flags.put("resources", "cpus:2;mem:4096;disk:1000");
    assertThatThrownBy(this::start).hasMessageContaining("Incompatible agent resources");
    agent = null;
  }

  @Test
  void dataOfAVolumeOutlivesTasksAndTheAgent() throws Exception {
    start();
    Resource volume = volume("v", 60, "eng", "deep/data");
    send(apply("a", reserve(scalar("disk", 100, "eng"))));
    send(apply("b", create(volume)));
    // Right behind what it stands on.
    run(task("writer", "echo kept > deep/data/file", volume));
    assertThat(end().getState()).isEqualTo(TaskState.TASK_FINISHED);
    Path data = folder.resolve("work/volumes/roles/eng/v");
    assertThat(data.resolve("file")).hasContent("kept\n");
    master.outcome();
    master.outcome();

    awaitCheckpoint();
    restart();
    run(task("reader", "cat deep/data/file; sleep 1000", volume));
    master.next(TaskState.TASK_STARTING);
    master.next(TaskState.TASK_RUNNING);
    String sandbox = "/frameworks/f-1/executors/reader/runs/latest";
    Await.until(
        "the task has read",
        () -> get("/files/read?offset=0&path=" + sandbox + "/stdout").body().contains("kept"));
    assertThat(get("/files/read?offset=0&path=" + sandbox + "/deep/data/file").body())
        .contains("kept");
    OperationUpdate refused = outcome(apply("c", destroy(volume)));
    assertThat(refused.getStatus().getMessage()).startsWith("Persistent volumes in use");
    MasterEvent.Builder kill = MasterEvent.newBuilder();
    kill.getKillTaskBuilder()
        .setFrameworkId(FRAMEWORK.getId())
        .setTaskId(TaskID.newBuilder().setValue("reader"));
    master.send(kill);
    assertThat(end().getState()).isEqualTo(TaskState.TASK_KILLED);
    finished(apply("d", destroy(volume)));
    assertThat(data).doesNotExist();
    Await.until(
        "the data is deleted",
        () -> !Files.exists(folder.resolve("work/volumes/destroyed").resolve(hex("d"))));
    run(task("late", "true", volume));
    TaskStatus unknown = end();
    assertThat(unknown.getState()).isEqualTo(TaskState.TASK_DROPPED);
    assertThat(unknown.getReason()).isEqualTo(Reason.REASON_RESOURCES_UNKNOWN);
  }

  private static Offer.Operation grow(Resource volume, Resource addition) {
    Offer.Operation.Builder grow =
        Offer.Operation.newBuilder().setType(Offer.Operation.Type.GROW_VOLUME);
    grow.getGrowVolumeBuilder().setVolume(volume).setAddition(addition);
    return grow.build();
  }

  private static Offer.Operation shrink(Resource volume, double by) {
    Offer.Operation.Builder shrink =
        Offer.Operation.newBuilder().setType(Offer.Operation.Type.SHRINK_VOLUME);
    shrink.getShrinkVolumeBuilder().setVolume(volume).getSubtractBuilder().setValue(by);
    return shrink.build();
  }

  @Test
  void aSharedVolumeServesSeveralTasksAtOnce() throws Exception {
    start();
    Resource volume =
        volume("v", 60, "eng", "data").toBuilder()
            .setShared(Resource.SharedInfo.getDefaultInstance())
            .build();
    finished(apply("a", reserve(scalar("disk", 100, "eng"))));
    finished(apply("b", create(volume)));
    String other = "while [ ! -e data/%s ]; do sleep 0.05; done";
    run(task("one", "touch data/one; " + other.formatted("two"), volume));
    run(task("two", other.formatted("one") + "; touch data/two", volume));
    assertThat(end().getState()).isEqualTo(TaskState.TASK_FINISHED);
    assertThat(end().getState()).isEqualTo(TaskState.TASK_FINISHED);
    assertThat(folder.resolve("work/volumes/roles/eng/v/two")).exists();
    finished(apply("c", destroy(volume)));
  }

  @Test
  void aVolumeGrowsAndShrinksAndKeepsItsDataAndNotWhereThatIsGone() throws Exception {
    start();
    flags.put("disk_watch_interval", "20ms");
    Resource volume = volume("v", 60, "eng", "data");
    finished(apply("a", reserve(scalar("disk", 100, "eng"))));
    finished(apply("b", create(volume)));
    Path data = folder.resolve("work/volumes/roles/eng/v");
    Files.writeString(data.resolve("file"), "kept");
    finished(apply("c", grow(volume, scalar("disk", 40, "eng"))));
    Resource grown = volume("v", 100, "eng", "data");
    finished(apply("d", shrink(grown, 70)));
    Resource small = volume("v", 30, "eng", "data");
    run(task("reader", "test $(cat data/file) = kept", small));
    assertThat(end().getState()).isEqualTo(TaskState.TASK_FINISHED);

    awaitCheckpoint();
    assertThat(restart().getTotalList()).contains(small, scalar("disk", 70, "eng"));
    Files.move(data, folder.resolve("aside"));
    OperationUpdate refused = outcome(apply("e", grow(small, scalar("disk", 10, "eng"))));
    assertThat(refused.getStatus().getState()).isEqualTo(OperationState.OPERATION_ERROR);
    assertThat(refused.getStatus().getMessage()).contains(data + ", is not there");
    run(task("late", "true", small));
    assertThat(end().getMessage()).contains(data + ", is not there; bring it back");
    assertThat(data).doesNotExist();
    Await.until("it is reported", () -> unusable(1));
    Files.move(folder.resolve("aside"), data);
    Await.until("it is there again", () -> unusable(0));
    run(task("again", "test $(cat data/file) = kept", small));
    assertThat(end().getState()).isEqualTo(TaskState.TASK_FINISHED);
  }

  private boolean unusable(int number) throws Exception {
    return get("/metrics/snapshot").body().contains("slave/mezzo/volumes_unusable\":" + number);
  }

  private static String hex(String uuid) {
    return java.util.HexFormat.of().formatHex(uuid(uuid).toByteArray());
  }

  @Test
  void aVolumeBelongsToTheTasksUser() throws Exception {
    assumeTrue("root".equals(System.getProperty("user.name")), "only root can give files away");
    start();
    Resource volume = volume("v", 60, "eng", "deep/data");
    finished(apply("a", reserve(scalar("disk", 100, "eng"))));
    finished(apply("b", create(volume)));
    TaskInfo.Builder task = task("user", "touch deep/file deep/data/file", volume);
    task.getCommandBuilder().setUser("nobody");
    for (Path open = folder; open != null && open.startsWith("/tmp"); open = open.getParent()) {
      if (Files.getOwner(open).getName().equals("root") && !open.equals(Path.of("/tmp"))) {
        Files.setPosixFilePermissions(
            open, java.nio.file.attribute.PosixFilePermissions.fromString("rwxr-xr-x"));
      }
    }
    run(task);
    TaskStatus end = end();
    assertThat(end.getState()).as(end.getMessage()).isEqualTo(TaskState.TASK_FINISHED);
    Path file = folder.resolve("work/volumes/roles/eng/v/file");
    assertThat(Files.getOwner(file).getName()).isEqualTo("nobody");
  }

  @Test
  void saysWhichVolumeATaskCannotHave() throws Exception {
    start();
    finished(apply("a", reserve(scalar("disk", 100, "eng"))));
    finished(apply("b", create(volume("v", 60, "eng", "data"))));
    run(task("absolute", "true", volume("v", 60, "eng", "/data")));
    TaskStatus failed = end();
    assertThat(failed.getState()).isEqualTo(TaskState.TASK_FAILED);
    assertThat(failed.getReason()).isEqualTo(Reason.REASON_CONTAINER_LAUNCH_FAILED);
    assertThat(failed.getMessage())
        .contains("container path '/data'", "--isolation=filesystem/linux");

    Files.delete(folder.resolve("work/volumes/roles/eng/v"));
    run(task("missing", "true", volume("v", 60, "eng", "data")));
    failed = end();
    assertThat(failed.getState()).isEqualTo(TaskState.TASK_FAILED);
    assertThat(failed.getMessage()).contains("volumes/roles/eng/v", "is not there");
    // Nothing was made in its place.
    assertThat(folder.resolve("work/volumes/roles/eng/v")).doesNotExist();
  }

  @Test
  void drainsUntilNothingRuns() throws Exception {
    start();
    run(
        task("stubborn", "trap '' TERM; echo up; while true; do sleep 1; done")
            .setKillPolicy(KillPolicy.newBuilder().setGracePeriod(millis(3_600_000))));
    master.next(TaskState.TASK_STARTING);
    master.next(TaskState.TASK_RUNNING);
    Await.until(
        "the task is deaf",
        () ->
            get("/files/read?offset=0&path=/frameworks/f-1/executors/stubborn/runs/latest/stdout")
                .body()
                .contains("up"));
    master.acknowledges = false;
    drain(DrainConfig.newBuilder().setMaxGracePeriod(millis(100)).setMarkGone(true));
    StatusUpdate killing = master.next(TaskState.TASK_KILLING);
    assertThat(killing.getStatus().getReason()).isEqualTo(Reason.REASON_AGENT_DRAINING);
    master.acknowledge(killing);
    StatusUpdate gone = master.next(TaskState.TASK_GONE_BY_OPERATOR);
    assertThat(gone.getStatus().getReason()).isEqualTo(Reason.REASON_AGENT_DRAINING);

    run(task("late", "true"));
    StatusUpdate dropped = master.next(TaskState.TASK_DROPPED);
    assertThat(dropped.getStatus().getReason()).isEqualTo(Reason.REASON_AGENT_DRAINING);
    OperationUpdate operation = outcome(apply("a", reserve(scalar("cpus", 1, "eng"))));
    assertThat(operation.getStatus().getState()).isEqualTo(OperationState.OPERATION_DROPPED);

    assertThat(call("{\"type\":\"GET_AGENT\"}").body())
        .contains(
            "\"drain_config\":{\"max_grace_period\":{\"nanoseconds\":100000000},\"mark_gone\":true}")
        .contains("\"estimated_drain_start_time\":{\"nanoseconds\":");
    assertThat(get("/state").body())
        .contains(
            "\"drain_config\":{\"max_grace_period\":{\"nanoseconds\":100000000},\"mark_gone\":true}")
        .containsPattern("\"estimated_drain_start_time_seconds\":[0-9]+,");
    master.sessions.get(0).close();
    AgentCall again;
    do {
      // Before it there may be more that ask for an id.
      again = master.registrations.poll(60, TimeUnit.SECONDS);
      assertThat(again).isNotNull();
    } while (!again.hasReregister());
    assertThat(again.getReregister().getDrain().getMarkGone()).isTrue();
    for (StatusUpdate update : List.of(gone, dropped)) {
      master.acknowledge(update);
    }
    Await.until(
        "the drain ends", () -> !call("{\"type\":\"GET_AGENT\"}").body().contains("drain_config"));
    Await.until(
        "the end is kept", () -> !Files.exists(folder.resolve("work/meta/agent/drain.config")));
    master.acknowledges = true;
    run(task("after", "true"));
    while (end().getState() != TaskState.TASK_FINISHED) {
      // What was sent again before its acknowledgement came.
      continue;
    }
  }

  @Test
  void aDrainOutlivesTheAgent() throws Exception {
    start();
    run(task("t", "sleep 1000"));
    master.next(TaskState.TASK_STARTING);
    master.next(TaskState.TASK_RUNNING);
    master.acknowledges = false;
    drain(DrainConfig.newBuilder());
    master.next(TaskState.TASK_KILLING);
    Await.until(
        "the drain is kept", () -> Files.exists(folder.resolve("work/meta/agent/drain.config")));
    Reregister again = restart();
    assertThat(again.hasDrain()).isTrue();
    // Its tasks are gone with it.
    Await.until(
        "the drain ends", () -> !Files.exists(folder.resolve("work/meta/agent/drain.config")));
  }
}
