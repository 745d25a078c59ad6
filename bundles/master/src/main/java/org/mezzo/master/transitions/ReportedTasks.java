package org.mezzo.master.transitions;

import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.mezzo.link.messages.ExecutorRecord;
import org.mezzo.link.messages.KillTask;
import org.mezzo.link.messages.MasterEvent;
import org.mezzo.link.messages.ReconcileTasks;
import org.mezzo.link.messages.Reregister;
import org.mezzo.link.messages.ShutdownFramework;
import org.mezzo.link.messages.TaskRecord;
import org.mezzo.master.state.Agent;
import org.mezzo.master.state.Executor;
import org.mezzo.master.state.Framework;
import org.mezzo.master.state.Happening;
import org.mezzo.master.state.MasterState;
import org.mezzo.master.state.Task;
import org.mezzo.master.state.TaskStates;
import org.mezzo.protocol.v1.FrameworkID;
import org.mezzo.protocol.v1.FrameworkInfo;
import org.mezzo.protocol.v1.TaskID;
import org.mezzo.protocol.v1.TaskStatus;
import org.mezzo.protocol.v1.scheduler.OfferConstraints;
import org.mezzo.resources.ResourceFormatException;
import org.mezzo.resources.Resources;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What a reregistering agent says it runs, and how the differences with what was known are settled
 * (rules 131, 145 to 149).
 */
public final class ReportedTasks {
  private static final Logger LOG = LoggerFactory.getLogger(ReportedTasks.class);

  private ReportedTasks() {}

  /**
   * Takes over what the agent runs, and settles the differences with what was known.
   *
   * @return the frameworks that are on the agent and live
   */
  static Set<String> restore(
      Transition tx, Agent agent, Reregister message, boolean known, boolean wasUnreachable) {
    Map<String, FrameworkInfo> infos = new HashMap<>();
    message.getFrameworksList().forEach(info -> infos.put(info.getId().getValue(), info));
    Set<String> live = new LinkedHashSet<>();
    Set<String> shutDown = new LinkedHashSet<>();
    Set<String> mentioned = new LinkedHashSet<>(infos.keySet());
    message
        .getTasksList()
        .forEach(task -> mentioned.add(task.getTask().getFrameworkId().getValue()));
    message
        .getExecutorsList()
        .forEach(executor -> mentioned.add(executor.getFrameworkId().getValue()));
    for (String id : mentioned) {
      Framework there = tx.framework(id);
      if (there != null && there.phase() != Framework.Phase.LEAVING) {
        live.add(id);
      } else if (there != null) {
        shutDown.add(id);
      } else if (!tx.state().isCompleted(id) && infos.containsKey(id)) {
        adopt(tx, id, infos.get(id));
        live.add(id);
      } else {
        shutDown.add(id);
      }
    }
    for (String id : shutDown) {
      tx.send(
          agent,
          MasterEvent.newBuilder()
              .setShutdownFramework(
                  ShutdownFramework.newBuilder()
                      .setFrameworkId(FrameworkID.newBuilder().setValue(id))));
    }
    Set<MasterState.TaskKey> reported = new HashSet<>();
    for (TaskRecord record : message.getTasksList()) {
      String frameworkId = record.getTask().getFrameworkId().getValue();
      if (live.contains(frameworkId)) {
        reported.add(new MasterState.TaskKey(frameworkId, record.getTask().getTaskId().getValue()));
        restoreTask(tx, agent, frameworkId, record, known, wasUnreachable);
      }
    }
    Set<String> executors = new HashSet<>();
    for (ExecutorRecord record : message.getExecutorsList()) {
      String frameworkId = record.getFrameworkId().getValue();
      if (live.contains(frameworkId)) {
        executors.add(frameworkId + '/' + record.getExecutor().getExecutorId().getValue());
        restoreExecutor(tx, agent, frameworkId, record);
      }
    }
    if (known) {
      askForMissing(tx, agent, reported);
      for (var byId : List.copyOf(tx.agent(agent.id()).executors().values())) {
        for (Executor executor : List.copyOf(byId.values())) {
          if (!executors.contains(executor.frameworkId() + '/' + executor.id())) {
            Holdings.remove(tx, executor);
          }
        }
      }
    }
    return live;
  }

  private static void adopt(Transition tx, String id, FrameworkInfo info) {
    Subscribing said = Subscribing.of(info, List.of(), OfferConstraints.getDefaultInstance());
    Framework framework =
        Framework.of(id, info, said.subscription(), Framework.Phase.RECOVERED, "", tx.now());
    tx.put(framework);
    tx.tell("frameworkAdded", it -> it.frameworkAdded(Holdings.frameworkState(framework)));
    tx.happened(new Happening.FrameworkAdded(framework));
  }

  private static void restoreTask(
      Transition tx,
      Agent agent,
      String frameworkId,
      TaskRecord record,
      boolean known,
      boolean wasUnreachable) {
    Framework framework = tx.framework(frameworkId);
    org.mezzo.protocol.v1.Task message = record.getTask();
    String id = message.getTaskId().getValue();
    Task before = framework.tasks().get(id);
    if (before != null) {
      if (before.killRequested() && !TaskStates.terminal(message.getState())) {
        kill(tx, agent, before);
      }
      return;
    }
    boolean lost =
        framework.completedTasks().stream()
            .anyMatch(it -> it.id().equals(id) && it.agentId().equals(agent.id()));
    if (lost && known) {
      if (!TaskStates.terminal(message.getState())) {
        tx.send(
            agent,
            MasterEvent.newBuilder()
                .setKillTask(
                    KillTask.newBuilder()
                        .setFrameworkId(message.getFrameworkId())
                        .setTaskId(message.getTaskId())));
      }
      return;
    }
    Resources resources;
    try {
      resources = Resources.of(message.getResourcesList());
    } catch (ResourceFormatException e) {
      LOG.warn("Agent {} reported task {} with bad resources; it is left out", agent.id(), id, e);
      return;
    }
    if (record.hasStatusUpdateState() && !message.hasStatusUpdateState()) {
      message = message.toBuilder().setStatusUpdateState(record.getStatusUpdateState()).build();
    }
    boolean terminal = TaskStates.terminal(message.getState());
    Task task =
        new Task(
            id,
            frameworkId,
            agent.id(),
            message.getExecutorId().getValue(),
            message,
            resources,
            terminal,
            false);
    tx.put(framework.withUnreachableTasks(framework.unreachableTasks().minus(id)));
    Holdings.add(tx, task);
    if (!terminal) {
      Holdings.hold(tx, frameworkId, agent.id(), resources);
    }
    if (wasUnreachable) {
      TaskStatus status =
          Statuses.make(
                  tx.now(),
                  id,
                  agent.id(),
                  message.getState(),
                  TaskStatus.Reason.REASON_AGENT_REREGISTERED,
                  "Agent reregistered")
              .build();
      Statuses.send(tx, framework, status);
      tx.happened(new Happening.TaskUpdated(task, status));
    } else {
      tx.happened(new Happening.TaskAdded(task));
    }
  }

  private static void kill(Transition tx, Agent agent, Task task) {
    tx.send(
        agent,
        MasterEvent.newBuilder()
            .setKillTask(
                KillTask.newBuilder()
                    .setFrameworkId(FrameworkID.newBuilder().setValue(task.frameworkId()))
                    .setTaskId(TaskID.newBuilder().setValue(task.id()))));
  }

  private static void restoreExecutor(
      Transition tx, Agent agent, String frameworkId, ExecutorRecord record) {
    String id = record.getExecutor().getExecutorId().getValue();
    if (tx.agent(agent.id()).executorsOf(frameworkId).containsKey(id)) {
      return;
    }
    try {
      Resources resources = Resources.of(record.getExecutor().getResourcesList());
      Holdings.add(tx, new Executor(id, frameworkId, agent.id(), record.getExecutor(), resources));
      Holdings.hold(tx, frameworkId, agent.id(), resources);
    } catch (ResourceFormatException e) {
      LOG.warn(
          "Agent {} reported executor {} with bad resources; it is left out", agent.id(), id, e);
    }
  }

  /** Asks the agent for tasks it did not report (rule 131). */
  private static void askForMissing(Transition tx, Agent agent, Set<MasterState.TaskKey> reported) {
    tx.agent(agent.id())
        .tasks()
        .forEach(
            (frameworkId, ids) -> {
              Framework framework = tx.framework(frameworkId);
              ReconcileTasks.Builder missing =
                  ReconcileTasks.newBuilder()
                      .setFrameworkId(FrameworkID.newBuilder().setValue(frameworkId))
                      .setPartitionAware(framework != null && framework.partitionAware());
              for (String id : ids) {
                if (!reported.contains(new MasterState.TaskKey(frameworkId, id))) {
                  missing.addTaskIds(TaskID.newBuilder().setValue(id));
                  end(framework, id).ifPresent(missing::addEnded);
                }
              }
              if (missing.getTaskIdsCount() > 0) {
                tx.send(agent, MasterEvent.newBuilder().setReconcileTasks(missing));
              }
            });
  }

  /** The end of a task that the agent has told, and may have forgotten. */
  private static Optional<TaskStatus> end(Framework framework, String id) {
    Task task = framework == null ? null : framework.tasks().get(id);
    if (task == null || !task.terminal() || task.message().getStatusesCount() == 0) {
      return Optional.empty();
    }
    TaskStatus last = task.message().getStatuses(task.message().getStatusesCount() - 1);
    return Optional.of(last)
        .filter(status -> TaskStates.terminal(status.getState()) && !status.getUuid().isEmpty());
  }
}
