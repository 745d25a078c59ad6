package org.mezzo.agent.tasks;

import java.util.EnumMap;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import org.mezzo.agent.tasks.AgentExecutor.Phase;
import org.mezzo.api.Metrics;

/** How many executors are in which phase, for who watches. */
final class ExecutorPhases {
  private final Map<Phase, AtomicInteger> counts = new EnumMap<>(Phase.class);
  private final Metrics.Counter terminated;

  ExecutorPhases(Metrics metrics) {
    for (Phase phase : Phase.values()) {
      counts.put(phase, new AtomicInteger());
    }
    terminated = metrics.counter("slave/executors_terminated");
    metrics.gauge("slave/executors_registering", counts.get(Phase.REGISTERING)::get);
    metrics.gauge("slave/executors_running", counts.get(Phase.RUNNING)::get);
    metrics.gauge("slave/executors_terminating", counts.get(Phase.TERMINATING)::get);
  }

  /** A new executor. */
  void began(Phase phase) {
    counts.get(phase).incrementAndGet();
  }

  /** An executor came from one phase to another; those that are over are not counted. */
  void moved(Phase from, Phase to) {
    counts.get(from).decrementAndGet();
    if (to == Phase.TERMINATED) {
      terminated.increment();
    } else {
      counts.get(to).incrementAndGet();
    }
  }
}
