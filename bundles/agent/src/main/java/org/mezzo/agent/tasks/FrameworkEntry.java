package org.mezzo.agent.tasks;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import org.mezzo.protocol.v1.FrameworkInfo;
import org.mezzo.protocol.v1.TaskID;

/** A framework with executors on this agent. For the event loop only. */
final class FrameworkEntry {
  final Map<String, AgentExecutor> executors = new LinkedHashMap<>();

  /** The tasks of all executors by id. */
  private final Map<String, AgentTask> tasks = new HashMap<>();

  final Deque<AgentTasks.ExecutorView> completed = new ArrayDeque<>();
  FrameworkInfo info;
  boolean terminating;

  FrameworkEntry(FrameworkInfo info) {
    this.info = info;
  }

  String id() {
    return info.getId().getValue();
  }

  /** A task of which the framework does not know the end. */
  Optional<AgentTask> task(TaskID id) {
    return Optional.ofNullable(tasks.get(id.getValue()));
  }

  /** An executor has it from now on. */
  void has(AgentTask task) {
    tasks.put(task.id(), task);
  }

  /** The executor has it no more. */
  void lost(AgentTask task) {
    tasks.remove(task.id(), task);
  }
}
