package org.mezzo.agent.containers;

import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.mezzo.agent.sandboxes.SandboxCollector;
import org.mezzo.containerizer.ContainerId;
import org.mezzo.containerizer.Containerizer;

/**
 * Has the collector take sandboxes of containers of operators, in time, once these have ended
 * (rules 335 and 338). Safe for any thread.
 */
public final class EndedSandboxes {
  private final Containerizer containerizer;
  private final StandaloneSandboxes standalone;
  private final SandboxCollector collector;

  /** Of one agent. */
  public EndedSandboxes(
      Containerizer containerizer, StandaloneSandboxes standalone, SandboxCollector collector) {
    this.containerizer = containerizer;
    this.standalone = standalone;
    this.collector = collector;
  }

  /** Keeps one for a container that is about to be launched, until {@link #leave}. May block. */
  void keep(Path sandbox) {
    collector.keepOther(sandbox);
  }

  /** It may go some time after the container has ended, or from now on where there is none. */
  void leave(ContainerId id, Path sandbox) {
    containerizer.termination(id).thenRun(() -> collector.scheduleOther(sandbox));
  }

  /**
   * The same of containers of an earlier agent process that run on.
   *
   * @param executors sandboxes of executors by the ids of their containers
   */
  public void adopt(List<Containerizer.Recovered> left, Map<String, Path> executors) {
    for (Containerizer.Recovered one : left) {
      ContainerId id = one.containerId();
      Path outermost =
          standalone.has(id.root()) ? standalone.of(id.root()) : executors.get(id.root().value());
      if (one.adopted() && outermost != null && !executors.containsKey(id.toString())) {
        Path sandbox = id.sandbox(outermost);
        keep(sandbox);
        leave(id, sandbox);
      }
    }
  }
}
