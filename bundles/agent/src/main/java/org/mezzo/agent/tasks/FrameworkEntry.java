package org.mezzo.agent.tasks;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import org.mezzo.protocol.v1.FrameworkInfo;
import org.mezzo.protocol.v1.TaskID;

/** A framework with executors on this agent. For the event loop only. */
final class FrameworkEntry {
  final Map<String, AgentExecutor> executors = new LinkedHashMap<>();
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
    // That of a command has the id of its executor.
    AgentExecutor own = executors.get(id.getValue());
    Optional<AgentTask> found = own == null ? Optional.empty() : own.task(id);
    return found.isPresent()
        ? found
        : executors.values().stream().flatMap(it -> it.task(id).stream()).findFirst();
  }
}
