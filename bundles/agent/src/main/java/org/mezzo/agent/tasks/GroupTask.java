package org.mezzo.agent.tasks;

import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import org.mezzo.containerizer.ContainerId;
import org.mezzo.containerizer.Containerizer;
import org.mezzo.containerizer.LaunchRequest;
import org.mezzo.protocol.v1.ContainerStatus;
import org.mezzo.protocol.v1.TaskState;
import org.mezzo.protocol.v1.TaskStatus;
import org.mezzo.protocol.v1.TaskStatus.Reason;
import org.mezzo.resources.ResourceFormatException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A task of a group with the container it runs in, which the framework knows as nested in that of
 * the executor (rules 212 to 219). For the event loop only.
 */
final class GroupTask extends RunningCommand {
  private static final Logger LOG = LoggerFactory.getLogger(GroupTask.class);

  private final DefaultRun run;
  private final List<GroupTask> group;
  private final ContainerStatus named;
  private final Path sandbox;

  /**
   * Nothing told of it yet.
   *
   * @param group all that start together, this one as well
   */
  GroupTask(DefaultRun run, AgentTask task, ContainerId containerId, List<GroupTask> group) {
    super(task, containerId);
    this.run = run;
    this.group = group;
    sandbox = containerId.sandbox(executor.sandbox);
    named = ContainerStatus.newBuilder().setContainerId(containerId.toMessage()).build();
    task.containerStatus = named;
  }

  /** It is on its way, which is told before anything of it is made (rule 213). */
  void starting() {
    executor.tell(task, host.updates().fromExecutor(task, TaskState.TASK_STARTING));
  }

  /** Has its container made, unless it was killed meanwhile. */
  void launch() {
    if (!waits()) {
      return;
    }
    LaunchRequest request;
    try {
      request = host.containers().nested(task, containerId, sandbox);
    } catch (ResourceFormatException | RuntimeException e) {
      failed(e.getMessage());
      return;
    }
    host.sandboxes().showNested(task, sandbox);
    asking();
    host.containers().launchNested(request, task, this);
  }

  @Override
  boolean resume(Optional<Containerizer.Recovered> left, String why) {
    if (left.isPresent()) {
      host.sandboxes().showNested(task, sandbox);
    }
    return super.resume(left, why);
  }

  @Override
  Path sandbox() {
    return sandbox;
  }

  @Override
  ContainerStatus told(ContainerStatus.Builder known) {
    return host.containers().addressed(known.setContainerId(named.getContainerId()));
  }

  @Override
  void atEnd() {
    task.containerStatus = named;
  }

  @Override
  void notLaunched(String message) {
    LOG.warn("Task '{}' could not be launched: {}", task.id(), message);
    host.launchErrors().increment();
    over(
        -1,
        host.updates()
            .fromExecutor(task, TaskState.TASK_FAILED)
            .setReason(Reason.REASON_CONTAINER_LAUNCH_FAILED)
            .setMessage("Failed to launch container: " + message));
  }

  @Override
  TaskStatus.Builder limited(String message, Containerizer.Limitation limit) {
    return host.updates()
        .fromExecutor(task, TaskState.TASK_FAILED)
        .mergeFrom(host.updates().limited(task, limit).clearSource().build())
        .setMessage(message + ": " + limit.message());
  }

  @Override
  TaskStatus.Builder unseen(String message) {
    return host.updates().fromExecutor(task, TaskState.TASK_FAILED).setMessage(message);
  }

  /** Rule 219: nothing. */
  @Override
  void killAgain(Duration grace) {}

  @Override
  void over(int waitStatus, TaskStatus.Builder last) {
    executor
        .tell(task, last)
        .whenComplete((told, failure) -> host.containers().forget(containerId));
    host.sandboxes().leaveNested(sandbox);
    run.ended(this, group);
  }
}
