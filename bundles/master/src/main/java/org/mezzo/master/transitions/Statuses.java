package org.mezzo.master.transitions;

import com.google.protobuf.ByteString;
import java.time.Instant;
import java.util.Locale;
import org.mezzo.link.messages.AcknowledgeUpdate;
import org.mezzo.link.messages.MasterEvent;
import org.mezzo.link.messages.StatusUpdate;
import org.mezzo.master.state.Agent;
import org.mezzo.master.state.Framework;
import org.mezzo.master.state.Happening;
import org.mezzo.master.state.Task;
import org.mezzo.master.state.TaskStates;
import org.mezzo.protocol.v1.AgentID;
import org.mezzo.protocol.v1.FrameworkID;
import org.mezzo.protocol.v1.TaskID;
import org.mezzo.protocol.v1.TaskState;
import org.mezzo.protocol.v1.TaskStatus;
import org.mezzo.protocol.v1.scheduler.Call;
import org.mezzo.protocol.v1.scheduler.Event;

/** Status updates and their acknowledgement (rules 48, 94 to 107). */
public final class Statuses {
  private Statuses() {}

  /** A status the master makes itself: without uuid, not to be acknowledged (rule 48). */
  static TaskStatus.Builder make(
      Instant now, String taskId, TaskState state, TaskStatus.Reason reason, String message) {
    return TaskStatus.newBuilder()
        .setTaskId(TaskID.newBuilder().setValue(taskId))
        .setState(state)
        .setMessage(message)
        .setSource(TaskStatus.Source.SOURCE_MASTER)
        .setReason(reason)
        .setTimestamp(seconds(now));
  }

  /** As {@link #make}, for a task on an agent. */
  static TaskStatus.Builder make(
      Instant now,
      String taskId,
      String agentId,
      TaskState state,
      TaskStatus.Reason reason,
      String message) {
    return make(now, taskId, state, reason, message)
        .setAgentId(AgentID.newBuilder().setValue(agentId));
  }

  static double seconds(Instant instant) {
    return instant.getEpochSecond() + instant.getNano() / 1e9;
  }

  /** Sends a status to a framework, if it is connected. */
  static void send(Transition tx, Framework framework, TaskStatus status) {
    tx.send(
        framework,
        Event.newBuilder()
            .setType(Event.Type.UPDATE)
            .setUpdate(Event.Update.newBuilder().setStatus(status))
            .build());
  }

  /** An update came from an agent. */
  public static void update(Transition tx, String agentId, StatusUpdate update) {
    tx.count("master/messages_status_update");
    Framework framework = tx.framework(update.getFrameworkId().getValue());
    Agent agent = tx.agent(agentId);
    if (framework == null || agent == null || !update.hasStatus()) {
      tx.count("master/invalid_status_updates");
      return;
    }
    TaskStatus status = update.getStatus();
    if (!status.hasAgentId()) {
      status = status.toBuilder().setAgentId(AgentID.newBuilder().setValue(agentId)).build();
    }
    send(tx, framework, status);
    Task task = framework.tasks().get(status.getTaskId().getValue());
    if (task == null || !task.agentId().equals(agentId)) {
      tx.count("master/invalid_status_updates");
      return;
    }
    TaskState latest = update.hasLatestState() ? update.getLatestState() : status.getState();
    record(tx, task, status, latest);
    tx.count("master/valid_status_updates");
    if (status.getUuid().isEmpty()) {
      Task now = tx.framework(task.frameworkId()).tasks().get(task.id());
      if (now.terminal()) {
        Holdings.complete(tx, now);
      }
    }
  }

  /**
   * Notes a status in its task, counts the end of a task and gives resources back.
   *
   * @param latest the state the task is in by now
   * @return the task as it is now
   */
  static Task record(Transition tx, Task task, TaskStatus status, TaskState latest) {
    org.mezzo.protocol.v1.Task.Builder message = task.message().toBuilder();
    boolean wasTerminal = task.terminal();
    boolean news =
        (!wasTerminal && latest != task.state())
            || status.getReason() == TaskStatus.Reason.REASON_TASK_CHECK_STATUS_UPDATED
            || status.getReason() == TaskStatus.Reason.REASON_TASK_HEALTH_CHECK_STATUS_UPDATED;
    if (!wasTerminal) {
      message.setState(latest);
    }
    if (!status.getUuid().isEmpty()) {
      message.setStatusUpdateState(status.getState()).setStatusUpdateUuid(status.getUuid());
    }
    TaskStatus kept = status.toBuilder().clearData().build();
    int last = message.getStatusesCount() - 1;
    if (last >= 0 && message.getStatuses(last).getState() == kept.getState()) {
      message.setStatuses(last, kept);
    } else {
      message.addStatuses(kept);
    }
    Task next = task.with(message.build());
    if (!wasTerminal && next.terminal()) {
      next = next.withKillRequested(false);
      countEnd(tx, latest, status);
    }
    Holdings.replace(tx, next);
    if (TaskStates.holdsNothing(next.state())) {
      next = Holdings.release(tx, next);
    }
    if (news) {
      tx.happened(new Happening.TaskUpdated(next, kept));
    }
    return next;
  }

  static void countEnd(Transition tx, TaskState state, TaskStatus status) {
    String name = "master/" + state.name().toLowerCase(Locale.ROOT);
    switch (state) {
      case TASK_FINISHED -> tx.count("master/tasks_finished");
      case TASK_FAILED -> tx.count("master/tasks_failed");
      case TASK_KILLED -> tx.count("master/tasks_killed");
      case TASK_LOST -> tx.count("master/tasks_lost");
      case TASK_ERROR -> tx.count("master/tasks_error");
      case TASK_DROPPED -> tx.count("master/tasks_dropped");
      case TASK_GONE -> tx.count("master/tasks_gone");
      case TASK_GONE_BY_OPERATOR -> tx.count("master/tasks_gone_by_operator");
      default -> {
        return;
      }
    }
    String source = status.getSource().name().toLowerCase(Locale.ROOT);
    if (source.equals("source_agent")) {
      source = "source_slave";
    }
    if (status.hasReason()) {
      tx.count(name + "/" + source + "/" + status.getReason().name().toLowerCase(Locale.ROOT));
    }
  }

  /** ACKNOWLEDGE (rule 101). */
  public static void acknowledge(Transition tx, String frameworkId, Call.Acknowledge call) {
    Agent agent = tx.agent(call.getAgentId().getValue());
    if (agent == null || !agent.connected()) {
      tx.count("master/invalid_status_update_acknowledgements");
      return;
    }
    String taskId = call.getTaskId().getValue();
    Task task = tx.framework(frameworkId).tasks().get(taskId);
    if (task != null && task.agentId().equals(agent.id())) {
      var message = task.message();
      if (!message.hasStatusUpdateState()) {
        tx.count("master/invalid_status_update_acknowledgements");
        return;
      }
      if (TaskStates.terminal(message.getStatusUpdateState())
          && message.getStatusUpdateUuid().equals(call.getUuid())) {
        Holdings.complete(tx, task);
      }
    }
    forward(tx, agent, frameworkId, taskId, call.getUuid());
    tx.count("master/valid_status_update_acknowledgements");
  }

  private static void forward(
      Transition tx, Agent agent, String frameworkId, String taskId, ByteString uuid) {
    tx.send(
        agent,
        MasterEvent.newBuilder()
            .setAcknowledgeUpdate(
                AcknowledgeUpdate.newBuilder()
                    .setFrameworkId(FrameworkID.newBuilder().setValue(frameworkId))
                    .setTaskId(TaskID.newBuilder().setValue(taskId))
                    .setUuid(uuid)));
  }
}
