package org.mezzo.containerizer.processes;

import java.time.Clock;
import java.time.Duration;
import java.util.Optional;
import org.mezzo.protocol.v1.ResourceStatistics;

/** What the processes of a container use, as the kernel tells of each. Safe for any thread. */
final class Usage {
  private static final double TICKS_PER_SECOND = 100;
  private static final long PAGE_BYTES = 4096;

  /** So old may be what is known of the processes of the machine. */
  private static final Duration AGE = Duration.ofMillis(500);

  private final Members members;
  private final Clock clock;
  private final ProcFs.Shared processes = new ProcFs.Shared(AGE);

  Usage(Members members, Clock clock) {
    this.members = members;
    this.clock = clock;
  }

  /** What it uses now. */
  ResourceStatistics.Builder of(ManagedContainer container) {
    long user = 0;
    long system = 0;
    long pages = 0;
    int count = 0;
    long threads = 0;
    for (long pid : members.all(container, processes::recent)) {
      Optional<ProcFs.Stat> stat = ProcFs.stat(pid);
      if (stat.isPresent()) {
        user += stat.get().userTicks();
        system += stat.get().systemTicks();
        pages += stat.get().rssPages();
        threads += stat.get().threads();
        count++;
      }
    }
    ResourceStatistics.Builder usage =
        ResourceStatistics.newBuilder()
            .setTimestamp(clock.millis() / 1000.0)
            .setProcesses(count)
            .setThreads((int) threads)
            .setCpusUserTimeSecs(user / TICKS_PER_SECOND)
            .setCpusSystemTimeSecs(system / TICKS_PER_SECOND)
            .setMemRssBytes(pages * PAGE_BYTES);
    long cpus = container.container.resources().scalar("cpus");
    if (cpus > 0) {
      usage.setCpusLimit(cpus / 1000.0);
    }
    long mem = container.container.resources().scalar("mem");
    if (mem > 0) {
      usage.setMemLimitBytes(mem * 1024 * 1024 / 1000);
    }
    return usage;
  }
}
