package org.mezzo.agent;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.google.protobuf.ByteString;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.mezzo.agent.updates.States;
import org.mezzo.fixtures.Await;
import org.mezzo.link.messages.AgentCall;
import org.mezzo.link.messages.MasterEvent;
import org.mezzo.link.messages.RunTask;
import org.mezzo.link.messages.StatusUpdate;
import org.mezzo.protocol.v1.AgentID;
import org.mezzo.protocol.v1.CheckInfo;
import org.mezzo.protocol.v1.CommandInfo;
import org.mezzo.protocol.v1.FrameworkInfo;
import org.mezzo.protocol.v1.TaskID;
import org.mezzo.protocol.v1.TaskInfo;
import org.mezzo.protocol.v1.TaskState;
import org.mezzo.protocol.v1.TaskStatus;

/** What an agent makes of what the one before it left, by the flags it is started with. */
class AgentRestartTest extends RunningAgent {
  private static final FrameworkInfo KEPT = FRAMEWORK.toBuilder().setCheckpoint(true).build();

  private Optional<Path> mounted = Optional.empty();
  private int attempt;

  private void run(String id, double cpus, String command) {
    run(id, cpus, command, TaskInfo.getDefaultInstance());
  }

  private void run(String id, double cpus, String command, TaskInfo more) {
    TaskInfo.Builder task =
        more.toBuilder()
            .setName(id)
            .setTaskId(TaskID.newBuilder().setValue(id))
            .setAgentId(AgentID.newBuilder().setValue("m-S0"))
            .addResources(Made.allocated(Made.scalar("cpus", cpus), "r"))
            .addResources(Made.allocated(Made.scalar("mem", 32), "r"))
            .setCommand(CommandInfo.newBuilder().setShell(true).setValue(command));
    master.send(
        MasterEvent.newBuilder()
            .setRunTask(RunTask.newBuilder().setFramework(KEPT).addTasks(task)));
  }

  /** The process of a task that runs until it is killed. */
  private ProcessHandle runForever(String id, double cpus) throws Exception {
    run(id, cpus, "echo $$ > pid; exec sleep 1000");
    master.next(TaskState.TASK_STARTING);
    master.next(TaskState.TASK_RUNNING);
    Path pid = sandbox(id).resolve("pid");
    Await.until("its pid is known", () -> Files.exists(pid) && !Files.readString(pid).isBlank());
    return ProcessHandle.of(Long.parseLong(Files.readString(pid).strip())).orElseThrow();
  }

  private Path sandbox(String task) {
    return folder.resolve("work/slaves/m-S0/frameworks/f-1/executors/" + task + "/runs/latest");
  }

  /** The first agent; those after it have its port. */
  private void begin() throws Exception {
    start();
    flags.put("port", Integer.toString(agent.address().getPort()));
  }

  private AgentCall startAgain() throws Exception {
    AgentCall call = start();
    while (call != null && !call.hasReregister()) {
      call = master.registrations.poll(60, TimeUnit.SECONDS);
    }
    assertThat(call).isNotNull();
    return call;
  }

  private StatusUpdate nextOf(String task, TaskState state) throws Exception {
    while (true) {
      StatusUpdate update = master.next();
      if (update.getStatus().getTaskId().getValue().equals(task)
          && update.getStatus().getState() == state) {
        return update;
      }
    }
  }

  private static Path aside(Path file) throws IOException {
    try (Stream<Path> beside = Files.list(file.getParent())) {
      return beside
          .filter(
              each -> each.getFileName().toString().startsWith(file.getFileName() + ".damaged-"))
          .findFirst()
          .orElseThrow();
    }
  }

  @Test
  void aCleanupEndsWhatRunsAndThenTheAgentAndIsToldByTheNextOne() throws Exception {
    begin();
    ProcessHandle process = runForever("t1", 1);
    agent.close();
    assertThat(process.isAlive()).isTrue();
    master.registrations.clear();

    CountDownLatch ended = new CountDownLatch(1);
    onShutdown = ended::countDown;
    flags.put("recover", "cleanup");
    agent = newAgent();
    assertThat(ended.await(60, TimeUnit.SECONDS)).isTrue();
    Await.until("its process is gone", () -> !process.isAlive());
    agent.close();
    assertThat(master.registrations).isEmpty();

    flags.put("recover", "reconnect");
    AgentCall again = startAgain();
    assertThat(again.getReregister().getAgent().getId().getValue()).isEqualTo("m-S0");
    nextOf("t1", TaskState.TASK_KILLED);
  }

  @Test
  void anAgentWithLessIsRefusedWhileSomethingRunsAndKeepsWhatFitsWhereThatIsAskedFor()
      throws Exception {
    begin();
    ProcessHandle first = runForever("t1", 1);
    ProcessHandle second = runForever("t2", 2);
    agent.close();
    flags.put("resources", "cpus:2;mem:4096;disk:10240;ports:[31000-32000]");
    assertThatThrownBy(this::newAgent)
        .isInstanceOf(IOException.class)
        .hasMessageContaining("2 executors that may still run")
        .hasMessageContaining("the resources changed from")
        .hasMessageContaining("--reconfiguration_policy=additive does not take")
        .hasMessageContaining("--reconfiguration_policy=any");
    assertThat(first.isAlive() && second.isAlive()).isTrue();

    master.registrations.clear();
    flags.put("reconfiguration_policy", "any");
    AgentCall again = startAgain();
    assertThat(again.getReregister().getAgent().getId().getValue()).isEqualTo("m-S0");
    StatusUpdate failed = nextOf("t2", TaskState.TASK_FAILED);
    assertThat(failed.getStatus().getMessage()).contains("cpus:2").contains("no room");
    assertThat(first.isAlive()).isTrue();
    Await.until("what does not fit is gone", () -> !second.isAlive());
  }

  @Test
  void damageEndsTheStartOrIsSetAside() throws Exception {
    begin();
    ProcessHandle process = runForever("t1", 1);
    agent.close();
    Path who = folder.resolve("work/meta/agent/agent.info");
    Path resources = folder.resolve("work/meta/resources/resources_and_operations.state");
    Files.createDirectories(resources.getParent());
    for (Path file : new Path[] {who, resources}) {
      Files.writeString(file, "no message");
      assertThatThrownBy(this::newAgent)
          .hasMessageContaining(file + " is damaged")
          .hasMessageContaining("--no-strict")
          .hasMessageNotContaining("remove");
      assertThat(file).hasContent("no message");
      flags.put("strict", "false");
      AgentCall call = startAgain();
      assertThat(call.getReregister().getAgent().getId().getValue()).isEqualTo("m-S0");
      assertThat(call.getReregister().getTasksList()).hasSize(1);
      assertThat(aside(file)).hasContent("no message");
      assertThat(get("/metrics/snapshot").body()).contains("\"slave/recovery_errors\":1");
      agent.close();
      flags.put("strict", "true");
      master.registrations.clear();
    }
    assertThat(process.isAlive()).isTrue();
    process.destroyForcibly();
  }

  @Test
  void checksGoOnAfterARestart() throws Exception {
    begin();
    CheckInfo.Builder check =
        CheckInfo.newBuilder()
            .setType(CheckInfo.Type.COMMAND)
            .setDelaySeconds(0)
            .setIntervalSeconds(0.1)
            .setCommand(
                CheckInfo.Command.newBuilder()
                    .setCommand(
                        CommandInfo.newBuilder()
                            .setShell(true)
                            .setValue("echo made >>runs; [ -e well ] && exit 4; exit 3")));
    run("t1", 1, "sleep 1000", TaskInfo.newBuilder().setCheck(check).buildPartial());
    Set<ByteString> seen = new HashSet<>();
    assertThat(exitCode(seen)).isEqualTo(3);
    agent.close();
    startAgain();
    Path runs = sandbox("t1").resolve("runs");
    long before = Files.size(runs);
    Await.until("it is checked again", () -> Files.size(runs) > before);
    Files.createFile(sandbox("t1").resolve("well"));
    // Not once more what was told already.
    assertThat(exitCode(seen)).isEqualTo(4);
  }

  /**
   * What the next update says that is told because of a check.
   *
   * @param seen those that are only sent again, as their acknowledgement was on its way
   */
  private int exitCode(Set<ByteString> seen) throws Exception {
    while (true) {
      TaskStatus status = master.next().getStatus();
      if (seen.add(status.getUuid())
          && status.getReason() == TaskStatus.Reason.REASON_TASK_CHECK_STATUS_UPDATED) {
        return status.getCheckStatus().getCommand().getExitCode();
      }
    }
  }

  @Test
  void ofAFrameworkThatNeverBeganAnythingNothingIsKeptOnceItKnows() throws Exception {
    begin();
    master.acknowledges = false;
    TaskInfo.Builder task =
        TaskInfo.newBuilder()
            .setName("t1")
            .setTaskId(TaskID.newBuilder().setValue("t1"))
            .setAgentId(AgentID.newBuilder().setValue("m-S0"))
            .addResources(Made.allocated(Made.scalar("cpus", 1), "r"));
    // Without a command nothing can run it.
    task.getExecutorBuilder().getExecutorIdBuilder().setValue("e");
    master.send(
        MasterEvent.newBuilder()
            .setRunTask(RunTask.newBuilder().setFramework(KEPT).addTasks(task)));
    StatusUpdate refused = master.next();
    assertThat(get("/metrics/snapshot").body()).contains("\"slave/journal_entries\":3.0,");
    master.acknowledge(refused);
    // The boot of the machine is always there.
    Await.until(() -> get("/metrics/snapshot").body().contains("\"slave/journal_entries\":1.0,"));
  }

  @Test
  void whatEndedBeforeARestartIsStillToBeSeen() throws Exception {
    begin();
    run("t1", 1, "echo hello");
    nextOf("t1", TaskState.TASK_FINISHED);
    Await.until("it is over", () -> directories(past()).size() == 1);
    agent.close();
    startAgain();
    String past = past();
    assertThat(past).contains("\"id\":\"t1\"").contains("\"TASK_FINISHED\"");
    assertThat(directories(past)).hasSize(1);
    String read = "/files/read?offset=0&length=5&path=" + directories(past).get(0) + "/stdout";
    assertThat(get(read).body()).contains("hello");
    // With what comes, it is one framework.
    run("t2", 1, "true");
    nextOf("t2", TaskState.TASK_FINISHED);
    Await.until("both are over", () -> directories(past()).size() == 2);
    assertThat(past().split("\"completed_executors\"")).hasSize(2);
  }

  /** Has the work directory on a disk of its own, as far as this process may. */
  private Path smallDisk() throws Exception {
    Path disk = Files.createDirectories(folder.resolve("work"));
    assumeTrue(mount("-t", "tmpfs", "-o", "size=2m", "tmpfs", disk.toString()), "mounts need root");
    mounted = Optional.of(disk);
    return disk;
  }

  private static boolean mount(String... arguments) throws Exception {
    return command("mount", arguments);
  }

  private static boolean command(String name, String... arguments) throws Exception {
    List<String> all = new ArrayList<>(List.of(name));
    all.addAll(List.of(arguments));
    Process process = new ProcessBuilder(all).redirectErrorStream(true).start();
    process.getInputStream().readAllBytes();
    return process.waitFor() == 0;
  }

  @AfterEach
  void unmount() throws Exception {
    if (mounted.isPresent()) {
      command("umount", "-l", mounted.get().toString());
    }
  }

  @Test
  void aWorkDirectoryThatCannotBeWrittenIsSaidAndLeftAsItIs() throws Exception {
    Path disk = smallDisk();
    begin();
    run("t1", 1, "true");
    nextOf("t1", TaskState.TASK_FINISHED);
    Await.until("it is over", () -> directories(past()).size() == 1);
    agent.close();
    Await.until("nobody writes any more", () -> mount("-o", "remount,ro", disk.toString()));
    assertThatThrownBy(this::newAgent)
        .isInstanceOf(IOException.class)
        .hasMessageContaining("The work directory " + disk + " cannot be written")
        .hasMessageContaining("Read-only file system");
    assertThat(mount("-o", "remount,rw", disk.toString())).isTrue();
    startAgain();
    assertThat(directories(past())).hasSize(1);
  }

  @Test
  void aFullDiskRefusesWhatItCannotKeepAndLosesNothingThatRuns() throws Exception {
    Path disk = smallDisk();
    begin();
    ProcessHandle process = runForever("t1", 1);
    Path filling = disk.resolve("filling");
    fill(filling);
    // More than the last page of the journal has room for.
    run("t2", 1, "true # " + "x".repeat(20_000));
    assertThat(nextOf("t2", TaskState.TASK_FAILED).getStatus().getMessage())
        .contains("The agent cannot keep it on disk")
        .contains("No space left on device");
    agent.close();
    assertThat(startAgain().getReregister().getTasksList())
        .extracting(task -> task.getTask().getTaskId().getValue())
        .contains("t1");
    assertThat(process.isAlive()).isTrue();
    Files.delete(filling);
    Await.until("it takes tasks again", () -> takes("again-" + attempt++));
    process.destroyForcibly();
  }

  private boolean takes(String task) throws Exception {
    run(task, 1, "true");
    while (true) {
      StatusUpdate update = master.next();
      if (update.getStatus().getTaskId().getValue().equals(task)
          && States.terminal(update.getStatus().getState())) {
        return update.getStatus().getState() == TaskState.TASK_FINISHED;
      }
    }
  }

  private static void fill(Path file) throws IOException {
    try (OutputStream out = Files.newOutputStream(file)) {
      byte[] some = new byte[1];
      assertThatThrownBy(
              () -> {
                out.write(new byte[1 << 20]);
                out.write(new byte[1 << 20]);
              })
          .hasMessageContaining("No space left");
      assertThatThrownBy(
              () -> {
                while (true) {
                  out.write(some);
                }
              })
          .hasMessageContaining("No space left");
    }
  }

  /** What {@code /state} says of frameworks that have nothing here any more. */
  private String past() throws Exception {
    String state = get("/state").body().replace("\\/", "/");
    return state.substring(state.indexOf("\"completed_frameworks\""));
  }

  private static List<String> directories(String state) {
    return Pattern.compile("\"directory\":\"([^\"]*)\"")
        .matcher(state)
        .results()
        .map(found -> found.group(1))
        .toList();
  }
}
