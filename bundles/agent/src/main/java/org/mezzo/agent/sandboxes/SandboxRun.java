package org.mezzo.agent.sandboxes;

import java.util.Comparator;

/**
 * One run of an executor, which names its sandbox. Of every sandbox that is still there an agent
 * remembers this and little more. Immutable.
 */
public record SandboxRun(String agent, String framework, String executor, String container)
    implements Comparable<SandboxRun> {
  private static final Comparator<SandboxRun> ORDER =
      Comparator.comparing(SandboxRun::framework)
          .thenComparing(SandboxRun::executor)
          .thenComparing(SandboxRun::agent)
          .thenComparing(SandboxRun::container);

  /** The runs of an executor follow each other. */
  @Override
  public int compareTo(SandboxRun other) {
    return ORDER.compare(this, other);
  }
}
