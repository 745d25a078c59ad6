package org.mezzo.master.transitions;

import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;
import org.mezzo.master.state.Agent;
import org.mezzo.master.state.Executor;
import org.mezzo.master.state.Framework;
import org.mezzo.master.state.Task;
import org.mezzo.master.transitions.Accepted.LaunchedGroup;
import org.mezzo.master.transitions.Accepted.LaunchedTask;
import org.mezzo.protocol.v1.TaskInfo;
import org.mezzo.protocol.v1.TaskStatus;
import org.mezzo.resources.Resources;

/** The tasks of a LAUNCH_GROUP: all of them or none (rules 90 and 91). */
final class GroupLaunches {
  private GroupLaunches() {}

  /** Why a group is not launched. */
  private record Refusal(TaskStatus.Reason reason, String message) {}

  /**
   * Launches a group, or says of each of its tasks why not. One without tasks is nothing.
   *
   * @param left of what the claim holds
   * @return what is left after it
   */
  static Resources launch(
      Transition tx,
      Claim claim,
      Accepted.Operation operation,
      Consultation.Answer answer,
      Resources left) {
    List<LaunchedTask> tasks = operation.tasks();
    if (tasks.isEmpty()) {
      return left;
    }
    Set<String> killed = new HashSet<>();
    for (LaunchedTask task : tasks) {
      String id = id(task);
      if (PendingTasks.remove(tx, claim.frameworkId(), id)) {
        killed.add(id);
      }
    }
    Framework framework = tx.framework(claim.frameworkId());
    if (!killed.isEmpty()) {
      for (LaunchedTask task : tasks) {
        Rejections.killed(
            tx,
            framework,
            task.info(),
            killed.contains(id(task))
                ? "Killed before delivery to the agent"
                : "A task within the task group was killed before delivery to the agent");
      }
      return left;
    }
    Agent agent = tx.agent(claim.agentId());
    Optional<Refusal> unread =
        operation.message().hasId()
            ? Optional.of(invalid("The `id` field cannot be set on LAUNCH_GROUP operations"))
            : operation.formatProblem().map(GroupLaunches::invalid);
    if (unread.isPresent()) {
      refuse(tx, framework, tasks, unread.get());
      return left;
    }
    LaunchedGroup group = operation.group().orElseThrow();
    Executor executor = TaskLaunches.executor(claim, group.executor(), group.resources());
    List<Resources> own = tasks.stream().map(task -> claim.allocated(task.resources())).toList();
    boolean launchExecutor = TaskLaunches.known(agent, executor).isEmpty();
    Resources total = Resources.sum(own);
    Resources wanted = launchExecutor ? total.plus(executor.resources()) : total;
    Optional<Refusal> refusal =
        unauthorized(framework, tasks, answer)
            .or(
                () ->
                    taskProblem(framework, agent, tasks)
                        .or(group::executorProblem)
                        .or(() -> TaskLaunches.conflict(agent, executor))
                        .or(group::problem)
                        .or(() -> shortage(wanted, left))
                        .or(group::sharingProblem)
                        .or(() -> sharing(framework, agent, executor, group))
                        .map(GroupLaunches::invalid));
    if (refusal.isPresent()) {
      refuse(tx, framework, tasks, refusal.get());
      return left;
    }
    new Delivery(tx, claim, answer).group(tasks, own, executor, launchExecutor);
    return left.minus(wanted);
  }

  private static String id(LaunchedTask task) {
    return task.info().getTaskId().getValue();
  }

  private static Refusal invalid(String message) {
    return new Refusal(TaskStatus.Reason.REASON_TASK_GROUP_INVALID, message);
  }

  private static void refuse(
      Transition tx, Framework framework, List<LaunchedTask> tasks, Refusal refusal) {
    for (LaunchedTask task : tasks) {
      Rejections.error(tx, framework, task.info(), refusal.reason(), refusal.message());
    }
  }

  private static Optional<Refusal> unauthorized(
      Framework framework, List<LaunchedTask> tasks, Consultation.Answer answer) {
    for (LaunchedTask task : tasks) {
      TaskInfo info = task.info();
      if (answer.unauthorized().contains(id(task))) {
        return Optional.of(
            new Refusal(
                TaskStatus.Reason.REASON_TASK_GROUP_UNAUTHORIZED,
                "Task '"
                    + id(task)
                    + "' is not authorized to launch as user '"
                    + TaskLaunches.user(info, framework)
                    + "'"));
      }
    }
    return Optional.empty();
  }

  /** The first task with which something is wrong, and what. */
  private static Optional<String> taskProblem(
      Framework framework, Agent agent, List<LaunchedTask> tasks) {
    Set<String> ids = new HashSet<>();
    for (LaunchedTask task : tasks) {
      String id = id(task);
      Optional<String> problem = TaskLaunches.problem(framework, agent, task);
      if (!ids.add(id) && problem.isEmpty()) {
        problem = Optional.of("Task has duplicate ID: " + id);
      }
      if (problem.isPresent()) {
        return Optional.of("Task '" + id + "' is invalid: " + problem.get());
      }
    }
    return Optional.empty();
  }

  private static Optional<String> shortage(Resources wanted, Resources left) {
    return left.contains(wanted)
        ? Optional.empty()
        : Optional.of(
            "Total resources "
                + wanted
                + " required by task group and its executor are more than available "
                + left);
  }

  /** Tasks that run under the executor already share its control groups as these do, or not. */
  private static Optional<String> sharing(
      Framework framework, Agent agent, Executor executor, LaunchedGroup group) {
    if (TaskLaunches.known(agent, executor).isEmpty()) {
      return Optional.empty();
    }
    Stream<Task> there =
        agent.tasksOf(framework.id()).stream().map(id -> framework.tasks().get(id));
    return there
            .filter(task -> task.executorId().equals(executor.id()))
            .map(task -> GroupValidation.sharesCgroups(task.message().getContainer()))
            .anyMatch(shares -> !group.shareCgroups().orElse(shares).equals(shares))
        ? Optional.of(GroupValidation.DIFFERENT_SHARING)
        : Optional.empty();
  }
}
