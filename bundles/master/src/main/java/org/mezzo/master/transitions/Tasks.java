package org.mezzo.master.transitions;

import java.util.ArrayList;
import java.util.List;
import org.mezzo.link.messages.FrameworkMessage;
import org.mezzo.link.messages.KillTask;
import org.mezzo.link.messages.MasterEvent;
import org.mezzo.link.messages.ShutdownExecutor;
import org.mezzo.master.state.Agent;
import org.mezzo.master.state.Framework;
import org.mezzo.master.state.MasterState.PendingTask;
import org.mezzo.master.state.MasterState.TaskKey;
import org.mezzo.master.state.Task;
import org.mezzo.master.state.TaskStates;
import org.mezzo.master.state.UnreachableAgent;
import org.mezzo.protocol.v1.ExecutorID;
import org.mezzo.protocol.v1.FrameworkID;
import org.mezzo.protocol.v1.TaskState;
import org.mezzo.protocol.v1.TaskStatus;
import org.mezzo.protocol.v1.TimeInfo;
import org.mezzo.protocol.v1.scheduler.Call;
import org.mezzo.protocol.v1.scheduler.Event;

/** KILL, SHUTDOWN, MESSAGE and reconciliation (rules 116 to 128, 131). */
public final class Tasks {
  private Tasks() {}

  /** KILL (rules 116 to 119). */
  public static void kill(Transition tx, String frameworkId, Call.Kill call) {
    String taskId = call.getTaskId().getValue();
    TaskKey key = new TaskKey(frameworkId, taskId);
    PendingTask pending = tx.state().pendingTasks().get(key);
    if (pending != null) {
      tx.become(
          tx.state()
              .withPendingTasks(
                  tx.state()
                      .pendingTasks()
                      .plus(key, new PendingTask(pending.info(), pending.agentId(), true))));
      return;
    }
    Task task = tx.framework(frameworkId).tasks().get(taskId);
    if (task == null) {
      Call.Reconcile.Task.Builder asked =
          Call.Reconcile.Task.newBuilder().setTaskId(call.getTaskId());
      if (call.hasAgentId()) {
        asked.setAgentId(call.getAgentId());
      }
      reconcile(tx, frameworkId, List.of(asked.build()));
      return;
    }
    if (call.hasAgentId() && !call.getAgentId().getValue().equals(task.agentId())) {
      return;
    }
    Agent agent = tx.agent(task.agentId());
    if (!task.terminal()) {
      Holdings.replace(tx, task.withKillRequested(true));
    }
    KillTask.Builder kill =
        KillTask.newBuilder()
            .setFrameworkId(FrameworkID.newBuilder().setValue(frameworkId))
            .setTaskId(call.getTaskId());
    if (call.hasKillPolicy()) {
      kill.setKillPolicy(call.getKillPolicy());
    }
    tx.send(agent, MasterEvent.newBuilder().setKillTask(kill));
  }

  /** SHUTDOWN of an executor (rule 120). */
  public static void shutdown(Transition tx, String frameworkId, Call.Shutdown call) {
    Agent agent = tx.agent(call.getAgentId().getValue());
    if (agent == null) {
      return;
    }
    tx.send(
        agent,
        MasterEvent.newBuilder()
            .setShutdownExecutor(
                ShutdownExecutor.newBuilder()
                    .setFrameworkId(FrameworkID.newBuilder().setValue(frameworkId))
                    .setExecutorId(call.getExecutorId())));
  }

  /** MESSAGE to an executor (rule 50). */
  public static void message(Transition tx, String frameworkId, Call.Message call) {
    Agent agent = tx.agent(call.getAgentId().getValue());
    if (agent == null || !agent.connected()) {
      tx.count("master/invalid_framework_to_executor_messages");
      return;
    }
    tx.send(
        agent,
        MasterEvent.newBuilder()
            .setFrameworkMessage(
                FrameworkMessage.newBuilder()
                    .setFrameworkId(FrameworkID.newBuilder().setValue(frameworkId))
                    .setExecutorId(call.getExecutorId())
                    .setData(call.getData())));
    tx.count("master/valid_framework_to_executor_messages");
  }

  /** A message of an executor to its framework (rule 50). */
  public static void executorMessage(Transition tx, String agentId, FrameworkMessage message) {
    Agent agent = tx.agent(agentId);
    Framework framework = tx.framework(message.getFrameworkId().getValue());
    tx.count("master/messages_executor_to_framework");
    if (agent == null || framework == null || !framework.connected()) {
      tx.count("master/invalid_executor_to_framework_messages");
      return;
    }
    tx.send(
        framework,
        Event.newBuilder()
            .setType(Event.Type.MESSAGE)
            .setMessage(
                Event.Message.newBuilder()
                    .setAgentId(agent.info().getId())
                    .setExecutorId(
                        ExecutorID.newBuilder().setValue(message.getExecutorId().getValue()))
                    .setData(message.getData()))
            .build());
    tx.count("master/valid_executor_to_framework_messages");
  }

  /** RECONCILE; no tasks mean all (rules 123 to 128). */
  public static void reconcile(Transition tx, String frameworkId, List<Call.Reconcile.Task> tasks) {
    Framework framework = tx.framework(frameworkId);
    if (tasks.isEmpty()) {
      List<String> own = new ArrayList<>();
      tx.state().pendingTasks().keySet().stream()
          .filter(key -> key.frameworkId().equals(frameworkId))
          .forEach(key -> own.add(key.taskId()));
      own.addAll(framework.tasks().keySet());
      // Only what it has is told, and nothing of what it has not any more.
      answer(tx, framework, own, Tasks::latest);
    } else {
      answer(tx, framework, tasks, Tasks::answer);
    }
  }

  /** What is answered about one that was asked about; null is nothing. */
  private interface Answering<T> {
    TaskStatus about(Transition tx, Framework framework, T asked);
  }

  /** Answers in turns. */
  private static <T> void answer(
      Transition tx, Framework framework, List<T> tasks, Answering<T> answering) {
    String streamId = framework.streamId();
    Turns.each(
        tx,
        tasks,
        (now, asked) -> {
          Framework present = now.framework(framework.id());
          // Whoever has subscribed anew asks anew.
          if (present != null && present.streamId().equals(streamId)) {
            TaskStatus status = answering.about(now, present, asked);
            if (status != null) {
              Statuses.send(now, present, status);
            }
          }
        },
        Turns::end);
  }

  private static TaskStatus latest(Transition tx, Framework framework, String taskId) {
    PendingTask pending = tx.state().pendingTasks().get(new TaskKey(framework.id(), taskId));
    if (pending != null) {
      return staging(tx, taskId, pending);
    }
    Task task = framework.tasks().get(taskId);
    return task == null ? null : latest(tx, task);
  }

  private static TaskStatus staging(Transition tx, String taskId, PendingTask pending) {
    return Statuses.make(
            tx.now(),
            taskId,
            pending.agentId(),
            TaskState.TASK_STAGING,
            TaskStatus.Reason.REASON_RECONCILIATION,
            "Reconciliation: Latest task state")
        .build();
  }

  private static TaskStatus latest(Transition tx, Task task) {
    var message = task.message();
    TaskStatus.Builder status =
        Statuses.make(
            tx.now(),
            task.id(),
            task.agentId(),
            message.hasStatusUpdateState() ? message.getStatusUpdateState() : message.getState(),
            TaskStatus.Reason.REASON_RECONCILIATION,
            "Reconciliation: Latest task state");
    if (message.hasExecutorId()) {
      status.setExecutorId(message.getExecutorId());
    }
    int count = message.getStatusesCount();
    if (count > 0) {
      TaskStatus last = message.getStatuses(count - 1);
      if (last.hasHealthy()) {
        status.setHealthy(last.getHealthy());
      }
      if (last.hasCheckStatus()) {
        status.setCheckStatus(last.getCheckStatus());
      }
      if (last.hasContainerStatus()) {
        status.setContainerStatus(last.getContainerStatus());
      }
    }
    return status.build();
  }

  private static TaskStatus answer(Transition tx, Framework framework, Call.Reconcile.Task asked) {
    String taskId = asked.getTaskId().getValue();
    String agentId = asked.hasAgentId() ? asked.getAgentId().getValue() : null;
    PendingTask pending = tx.state().pendingTasks().get(new TaskKey(framework.id(), taskId));
    if (pending != null) {
      return staging(tx, taskId, pending);
    }
    Task task = framework.tasks().get(taskId);
    if (task != null) {
      return latest(tx, task);
    }
    boolean undecided =
        agentId == null
            ? !tx.state().recoveredAgents().isEmpty()
            : tx.state().recoveredAgents().containsKey(agentId);
    if (undecided) {
      return null;
    }
    if (agentId == null) {
      return explicit(tx, framework, asked, TaskState.TASK_UNKNOWN, "Task is unknown").build();
    }
    if (tx.state().agents().containsKey(agentId)) {
      return explicit(tx, framework, asked, TaskState.TASK_GONE, "Task is unknown to the agent")
          .build();
    }
    UnreachableAgent unreachable = tx.state().unreachableAgents().get(agentId);
    if (unreachable != null) {
      return explicit(tx, framework, asked, TaskState.TASK_UNREACHABLE, "Task is unreachable")
          .setUnreachableTime(
              TimeInfo.newBuilder().setNanoseconds(AgentRegistry.nanos(unreachable.since())))
          .build();
    }
    if (tx.state().goneAgents().containsKey(agentId)) {
      return explicit(tx, framework, asked, TaskState.TASK_GONE_BY_OPERATOR, "Task is gone")
          .build();
    }
    return explicit(tx, framework, asked, TaskState.TASK_UNKNOWN, "Task is unknown").build();
  }

  private static TaskStatus.Builder explicit(
      Transition tx,
      Framework framework,
      Call.Reconcile.Task asked,
      TaskState state,
      String message) {
    TaskStatus.Builder status =
        Statuses.make(
            tx.now(),
            asked.getTaskId().getValue(),
            TaskStates.shown(state, framework.partitionAware()),
            TaskStatus.Reason.REASON_RECONCILIATION,
            "Reconciliation: " + message);
    if (asked.hasAgentId()) {
      status.setAgentId(asked.getAgentId());
    }
    return status;
  }
}
