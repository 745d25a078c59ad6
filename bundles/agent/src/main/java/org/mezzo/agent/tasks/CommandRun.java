package org.mezzo.agent.tasks;

import com.google.protobuf.ByteString;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletionStage;
import java.util.function.Function;
import org.mezzo.agent.volumes.TaskVolumes;
import org.mezzo.containerizer.Containerizer;
import org.mezzo.containerizer.LaunchRequest;
import org.mezzo.protocol.v1.ContainerStatus;
import org.mezzo.protocol.v1.Environment;
import org.mezzo.protocol.v1.ExecutorID;
import org.mezzo.protocol.v1.ExecutorInfo;
import org.mezzo.protocol.v1.FrameworkInfo;
import org.mezzo.protocol.v1.KillPolicy;
import org.mezzo.protocol.v1.TaskInfo;
import org.mezzo.protocol.v1.TaskState;
import org.mezzo.protocol.v1.TaskStatus;
import org.mezzo.protocol.v1.TaskStatus.Reason;
import org.mezzo.resources.ResourceFormatException;

/**
 * What Mesos has a process of its own for: the executor of one command, which begins and ends with
 * it (rules 197 to 208). For the event loop only.
 */
final class CommandRun implements ExecutorRun {
  /** The part of the shutdown grace that a command executor keeps for itself (rule 203). */
  private static final Duration RESERVED_GRACE = Duration.ofSeconds(2);

  private final AgentExecutor executor;
  private final ExecutorHost host;
  private Map<String, String> added = Map.of();
  private Optional<Command> command = Optional.empty();

  CommandRun(AgentExecutor executor) {
    this.executor = executor;
    this.host = executor.host();
  }

  /** The executor that Mesos would have made for a command task (rule 197). */
  static ExecutorInfo executorOf(FrameworkInfo framework, TaskInfo task) {
    String id = task.getTaskId().getValue();
    String command =
        task.getCommand().getShell()
            ? "sh -c '" + cut(task.getCommand().getValue()) + "'"
            : cut(
                "["
                    + task.getCommand().getValue()
                    + ", "
                    + String.join(", ", task.getCommand().getArgumentsList())
                    + "]");
    return ExecutorInfo.newBuilder()
        .setExecutorId(ExecutorID.newBuilder().setValue(id))
        .setFrameworkId(framework.getId())
        .setName("Command Executor (Task: " + id + ") (Command: " + command + ")")
        .setSource(id)
        .build();
  }

  private static String cut(String text) {
    return text.length() <= 15 ? text : text.substring(0, 12) + "...";
  }

  // Launching.

  @Override
  public void start(List<AgentTask> first, Map<String, String> variables) {
    added = variables;
  }

  @Override
  public boolean ready() {
    return true;
  }

  @Override
  public void launch(Batch batch) {
    AgentTask task = batch.tasks.get(0);
    task.added = added;
    LaunchRequest request;
    TaskVolumes volumes;
    try {
      volumes = executor.volumesWith(batch.tasks);
      request = host.containers().request(task, volumes);
    } catch (ResourceFormatException | IOException | RuntimeException e) {
      executor.failed(e.getMessage());
      return;
    }
    host.sandboxes().show(executor, task.user(), volumes);
    Command one = new Command(task);
    command = Optional.of(one);
    one.asking();
    if (startsAtOnce(task)) {
      // Its acknowledgement travels while the process is being made, so that RUNNING need not wait.
      one.starting(task.containerStatus.toBuilder());
    }
    host.containers().launch(request, volumes, one);
  }

  /** Whether nothing that may take time or be refused comes before the task's process. */
  private boolean startsAtOnce(AgentTask task) {
    return task.info.getCommand().getUrisCount() == 0
        && task.info.getCommand().getEnvironment().getVariablesList().stream()
            .noneMatch(Environment.Variable::hasSecret)
        && !executor.rootRefused
        && task.user().map(System.getProperty("user.name")::equals).orElse(true);
  }

  @Override
  public void resume(
      List<AgentTask> tasks,
      Function<String, Optional<Containerizer.Recovered>> containers,
      String why) {
    Optional<Containerizer.Recovered> left = containers.apply(executor.containerId);
    Command one = new Command(tasks.get(0));
    command = Optional.of(one);
    one.found(left);
    one.resume(left, why);
  }

  // Ending.

  @Override
  public void kill(AgentTask killed, KillPolicy policy) {
    kill(RunningCommand.grace(killed.info.getKillPolicy(), policy));
  }

  @Override
  public void shutdown(Duration grace) {
    Duration own = grace.minus(RESERVED_GRACE);
    kill(own.isNegative() ? Duration.ZERO : own);
  }

  private void kill(Duration grace) {
    command.ifPresentOrElse(
        one -> one.kill(grace), () -> executor.over(-1, executor::killedBeforeLaunch));
  }

  @Override
  public void preempt(Function<AgentTask, TaskStatus.Builder> last) {
    if (command.isEmpty()) {
      executor.over(-1, last);
      return;
    }
    command.get().preempt(last.apply(command.get().task));
    command.get().destroy();
  }

  @Override
  public CompletionStage<?> destroy() {
    return host.containers().destroy(executor.container());
  }

  @Override
  public boolean message(ByteString data) {
    // A command has nobody to take it.
    return false;
  }

  /** The command, whose container is the executor's, and with which it is over. */
  private static final class Command extends RunningCommand {
    Command(AgentTask task) {
      super(task, task.executor.container());
    }

    @Override
    Path sandbox() {
      return executor.sandbox;
    }

    @Override
    ContainerStatus told(ContainerStatus.Builder known) {
      return host.containers().addressed(known);
    }

    @Override
    void notLaunched(String message) {
      executor.failed(message);
    }

    @Override
    TaskStatus.Builder limited(String message, Containerizer.Limitation limit) {
      return host.updates().limited(task, limit);
    }

    @Override
    TaskStatus.Builder unseen(String message) {
      return host.updates()
          .fromAgent(task.info.getTaskId(), TaskState.TASK_FAILED)
          .setReason(Reason.REASON_EXECUTOR_TERMINATED)
          .setMessage(message);
    }

    /** Rule 202. */
    @Override
    void killAgain(Duration grace) {
      hurry(grace);
    }

    @Override
    void over(int waitStatus, TaskStatus.Builder last) {
      executor.over(waitStatus, ended -> last);
    }
  }
}
