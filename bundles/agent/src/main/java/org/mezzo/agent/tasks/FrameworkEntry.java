package org.mezzo.agent.tasks;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.LinkedHashMap;
import java.util.Map;
import org.mezzo.protocol.v1.FrameworkInfo;

/** A framework with tasks on this agent. For the event loop only. */
final class FrameworkEntry {
  final Map<String, CommandTask> tasks = new LinkedHashMap<>();
  final Deque<AgentTasks.ExecutorView> completed = new ArrayDeque<>();
  FrameworkInfo info;
  boolean terminating;

  FrameworkEntry(FrameworkInfo info) {
    this.info = info;
  }

  String id() {
    return info.getId().getValue();
  }
}
