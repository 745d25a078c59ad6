package org.mezzo.master.transitions;

import java.util.List;
import java.util.Optional;
import org.mezzo.link.messages.MasterEvent;
import org.mezzo.link.messages.RunTask;
import org.mezzo.master.state.Agent;
import org.mezzo.master.state.Executor;
import org.mezzo.master.state.Framework;
import org.mezzo.master.state.Happening;
import org.mezzo.master.state.Task;
import org.mezzo.master.transitions.Accepted.LaunchedTask;
import org.mezzo.protocol.v1.Labels;
import org.mezzo.protocol.v1.TaskInfo;
import org.mezzo.protocol.v1.TaskState;
import org.mezzo.resources.Resources;

/**
 * Notes tasks that are found good, and has their agent run them (rules 92 and 93).
 *
 * @param answer what hooks said of labels
 */
record Delivery(Transition tx, Claim claim, Consultation.Answer answer) {

  /**
   * A task by itself.
   *
   * @param own its resources with their allocation role
   * @param executor empty for a command
   * @param launchExecutor whether the executor does not run yet
   */
  void task(TaskInfo given, Resources own, Optional<Executor> executor, boolean launchExecutor) {
    if (launchExecutor) {
      executor.ifPresent(it -> Holdings.add(tx, it));
    }
    TaskInfo info = complete(given, own);
    if (executor.isPresent()) {
      info = info.toBuilder().setExecutor(executor.get().info()).build();
    }
    Task task = add(info, own, executor);
    send(run(launchExecutor).addTasks(info));
    tx.happened(new Happening.TaskAdded(task));
  }

  /**
   * A group, in one message.
   *
   * @param own the resources of each task, with their allocation role
   * @param launchExecutor whether the executor does not run yet
   */
  void group(
      List<LaunchedTask> tasks, List<Resources> own, Executor executor, boolean launchExecutor) {
    if (launchExecutor) {
      Holdings.add(tx, executor);
    }
    RunTask.Builder run = run(launchExecutor).setGroupExecutor(executor.info());
    for (int i = 0; i < tasks.size(); i++) {
      TaskInfo info = complete(tasks.get(i).info(), own.get(i));
      Task task = add(info, own.get(i), Optional.of(executor));
      // What is the same for all is said once.
      run.addTasks(info.toBuilder().clearExecutor());
      tx.happened(new Happening.TaskAdded(task));
    }
    send(run);
  }

  private TaskInfo complete(TaskInfo given, Resources own) {
    TaskInfo.Builder info =
        given.toBuilder()
            .clearResources()
            .addAllResources(own.toMessages(Resources.Format.POST_REFINEMENT));
    Labels labels = answer.labels().get(given.getTaskId().getValue());
    if (labels != null) {
      info.setLabels(labels);
    }
    return info.build();
  }

  private Task add(TaskInfo info, Resources own, Optional<Executor> executor) {
    Task task =
        new Task(
            info.getTaskId().getValue(),
            claim.frameworkId(),
            claim.agentId(),
            executor.map(Executor::id).orElse(""),
            message(tx.framework(claim.frameworkId()), info, executor),
            own,
            false,
            false);
    Holdings.add(tx, task);
    return task;
  }

  private RunTask.Builder run(boolean launchExecutor) {
    return RunTask.newBuilder()
        .setFramework(tx.framework(claim.frameworkId()).info())
        .setLaunchExecutor(launchExecutor)
        .setRootRefused(!tx.settings().frameworks().rootSubmissions())
        .setResourceVersionUuid(tx.state().account(claim.agentId()).version());
  }

  private void send(RunTask.Builder run) {
    Agent agent = tx.agent(claim.agentId());
    tx.send(agent, MasterEvent.newBuilder().setRunTask(run));
  }

  private static org.mezzo.protocol.v1.Task message(
      Framework framework, TaskInfo info, Optional<Executor> executor) {
    org.mezzo.protocol.v1.Task.Builder task =
        org.mezzo.protocol.v1.Task.newBuilder()
            .setName(info.getName())
            .setTaskId(info.getTaskId())
            .setFrameworkId(framework.info().getId())
            .setAgentId(info.getAgentId())
            .setState(TaskState.TASK_STAGING)
            .addAllResources(info.getResourcesList())
            .putAllLimits(info.getLimitsMap());
    executor.ifPresent(it -> task.setExecutorId(it.info().getExecutorId()));
    if (info.hasLabels()) {
      task.setLabels(info.getLabels());
    }
    if (info.hasDiscovery()) {
      task.setDiscovery(info.getDiscovery());
    }
    if (info.hasContainer()) {
      task.setContainer(info.getContainer());
    }
    if (info.hasHealthCheck()) {
      task.setHealthCheck(info.getHealthCheck());
    }
    if (info.hasKillPolicy()) {
      task.setKillPolicy(info.getKillPolicy());
    }
    if (info.getCommand().hasUser()) {
      task.setUser(info.getCommand().getUser());
    } else if (info.getExecutor().getCommand().hasUser()) {
      task.setUser(info.getExecutor().getCommand().getUser());
    }
    return task.build();
  }
}
