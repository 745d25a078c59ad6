package org.mezzo.containerizer.processes;

import java.time.Clock;
import java.time.Duration;
import java.util.Optional;
import org.mezzo.api.isolator.Container;
import org.mezzo.protocol.v1.ResourceStatistics;

/** What the processes of a container use, as the kernel tells of each. Safe for any thread. */
final class Usage {
  private static final double TICKS_PER_SECOND = 100;
  private static final long PAGE_BYTES = 4096;

  /** Of thousandths; what is infinite comes as this, or more. */
  private static final long INFINITE = 1_000_000_000_000_000L;

  /** So old may be what is known of the processes of the machine. */
  private static final Duration AGE = Duration.ofMillis(500);

  private final Members members;
  private final Clock clock;
  private final ProcFs.Shared processes = new ProcFs.Shared(AGE);

  Usage(Members members, Clock clock) {
    this.members = members;
    this.clock = clock;
  }

  /**
   * What it asked for, and what it may use at most; what is infinite is left out. A request for
   * memory bounds where no limit was given, one for processors does not.
   */
  private static void bounds(Container container, ResourceStatistics.Builder usage) {
    long cpus = container.resources().scalar("cpus");
    if (cpus > 0) {
      usage.setCpusSoftLimit(cpus / 1000.0);
    }
    long mostCpus = container.limits().scalar("cpus");
    if (mostCpus > 0 && mostCpus < INFINITE) {
      usage.setCpusLimit(mostCpus / 1000.0);
    }
    long mem = container.resources().scalar("mem");
    if (mem > 0) {
      usage.setMemSoftLimitBytes(bytes(mem));
    }
    long mostMem = container.limits().scalar("mem");
    long limit = mostMem > 0 ? mostMem : mem;
    if (limit > 0 && limit < INFINITE) {
      usage.setMemLimitBytes(bytes(limit));
    }
  }

  private static long bytes(long thousandths) {
    return thousandths * 1024 * 1024 / 1000;
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
    bounds(container.container, usage);
    return usage;
  }
}
