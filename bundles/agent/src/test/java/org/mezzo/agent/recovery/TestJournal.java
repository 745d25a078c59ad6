package org.mezzo.agent.recovery;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.time.Clock;
import org.mezzo.agent.checkpoint.Damage;
import org.mezzo.daemon.metrics.MetricsRegistry;

/** A journal that writes at once, on the thread that gives it something. */
public final class TestJournal {
  private TestJournal() {}

  /** Opens that of a work directory. */
  public static Journal in(Path workDir) {
    try {
      MetricsRegistry metrics = new MetricsRegistry();
      return Journal.open(
          workDir,
          Runnable::run,
          Runnable::run,
          (delay, task) -> () -> {},
          metrics,
          new Damage(true, Clock.systemUTC(), metrics));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
