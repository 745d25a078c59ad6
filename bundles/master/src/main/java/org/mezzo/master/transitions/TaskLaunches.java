package org.mezzo.master.transitions;

import java.util.Optional;
import org.mezzo.master.state.Agent;
import org.mezzo.master.state.Executor;
import org.mezzo.master.state.Framework;
import org.mezzo.master.transitions.Accepted.LaunchedTask;
import org.mezzo.protocol.v1.AgentInfo;
import org.mezzo.protocol.v1.ExecutorInfo;
import org.mezzo.protocol.v1.TaskInfo;
import org.mezzo.protocol.v1.TaskStatus;
import org.mezzo.resources.Resources;

/** The tasks of a LAUNCH, each for itself (rules 72 to 87). */
final class TaskLaunches {
  private TaskLaunches() {}

  /**
   * Launches a task, or says why not.
   *
   * @param killed whether it was killed meanwhile
   * @param left of what the claim holds
   * @return what is left after it
   */
  static Resources launch(
      Transition tx,
      Claim claim,
      LaunchedTask task,
      Consultation.Answer answer,
      boolean killed,
      Resources left) {
    Framework framework = tx.framework(claim.frameworkId());
    TaskInfo info = task.info();
    if (killed) {
      Rejections.killed(tx, framework, info, "Killed before delivery to the agent");
      return left;
    }
    if (answer.unauthorized().contains(info.getTaskId().getValue())) {
      Rejections.error(
          tx,
          framework,
          info,
          TaskStatus.Reason.REASON_TASK_UNAUTHORIZED,
          "Not authorized to launch as user '" + user(info, framework) + "'");
      return left;
    }
    Agent agent = tx.agent(claim.agentId());
    Resources own = claim.allocated(task.resources());
    Optional<Executor> executor =
        info.hasExecutor()
            ? Optional.of(executor(claim, info.getExecutor(), task.executorResources()))
            : Optional.empty();
    Optional<Executor> known = executor.flatMap(it -> known(agent, it));
    Resources total =
        executor.isPresent() && known.isEmpty() ? own.plus(executor.get().resources()) : own;
    Optional<String> problem =
        problem(framework, agent, task)
            .or(() -> executor.flatMap(it -> conflict(agent, it)))
            .or(
                () ->
                    left.contains(total)
                        ? Optional.empty()
                        : Optional.of(
                            "Total resources "
                                + total
                                + " required by task and its executor is more than available "
                                + left));
    if (problem.isPresent()) {
      Rejections.error(tx, framework, info, TaskStatus.Reason.REASON_TASK_INVALID, problem.get());
      return left;
    }
    new Delivery(tx, claim, answer).task(info, own, executor, known.isEmpty());
    return left.minus(total.nonShared());
  }

  /** An executor as it would run. */
  static Executor executor(Claim claim, ExecutorInfo given, Resources resources) {
    Resources allocated = claim.allocated(resources);
    return new Executor(
        given.getExecutorId().getValue(),
        claim.frameworkId(),
        claim.agentId(),
        given.toBuilder()
            .clearResources()
            .addAllResources(allocated.toMessages(Resources.Format.POST_REFINEMENT))
            .build(),
        allocated);
  }

  /** The one of the same id that runs already. */
  static Optional<Executor> known(Agent agent, Executor executor) {
    return Optional.ofNullable(agent.executorsOf(executor.frameworkId()).get(executor.id()));
  }

  /** What is wrong with an executor because of the one that runs already (rule 85). */
  static Optional<String> conflict(Agent agent, Executor executor) {
    return known(agent, executor)
        .filter(known -> !same(known, executor))
        .map(
            known ->
                "ExecutorInfo is not compatible with the one that runs with the same ExecutorID '"
                    + known.id()
                    + "'");
  }

  private static boolean same(Executor one, Executor other) {
    return one.resources().equals(other.resources())
        && one.info().toBuilder()
            .clearResources()
            .build()
            .equals(other.info().toBuilder().clearResources().build());
  }

  /** What is wrong with a task by itself. */
  static Optional<String> problem(Framework framework, Agent agent, LaunchedTask task) {
    TaskInfo info = task.info();
    String id = info.getTaskId().getValue();
    if (task.idProblem().isPresent()) {
      return task.idProblem();
    }
    if (framework.tasks().containsKey(id) || framework.unreachableTasks().containsKey(id)) {
      return Optional.of("Task has duplicate ID: " + id);
    }
    if (!info.getAgentId().getValue().equals(agent.id())) {
      return Optional.of(
          "Task uses invalid agent "
              + info.getAgentId().getValue()
              + " while agent "
              + agent.id()
              + " is expected");
    }
    if (task.problem().isPresent()) {
      return task.problem();
    }
    return info.getLimitsCount() > 0
            && !agent.capabilities().contains(AgentInfo.Capability.Type.TASK_RESOURCE_LIMITS)
        ? Optional.of("Agent " + agent.id() + " does not support resource limits of tasks")
        : Optional.empty();
  }

  /** As whom a task would run. */
  static String user(TaskInfo task, Framework framework) {
    if (task.getCommand().hasUser()) {
      return task.getCommand().getUser();
    }
    return task.getExecutor().getCommand().hasUser()
        ? task.getExecutor().getCommand().getUser()
        : framework.info().getUser();
  }
}
