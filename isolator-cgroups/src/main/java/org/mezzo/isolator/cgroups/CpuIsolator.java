package org.mezzo.isolator.cgroups;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import org.mezzo.api.MezzoModule;
import org.mezzo.api.isolator.Container;
import org.mezzo.api.isolator.Isolator;
import org.mezzo.api.isolator.RecoveredContainer;
import org.mezzo.protocol.v1.ResourceStatistics;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.ServiceScope;

/**
 * Gives containers their part of the processors when they compete: 1024 shares (version 1) or a
 * weight of 100 (version 2) per cpu. They get no more than their cpus when nobody competes only
 * with {@code --cgroups_enable_cfs}, or when the container has a cpu limit of its own, which is
 * then what it gets at most. Revocable cpus stand back, unless {@code --revocable_cpu_low_priority}
 * is off: they count for 10 shares or a weight of 1 each. Reads flags {@code cgroups_hierarchy},
 * {@code cgroups_root}, {@code cgroups_enable_cfs} and {@code revocable_cpu_low_priority}.
 */
@Component(service = Isolator.class, scope = ServiceScope.PROTOTYPE)
@MezzoModule(
    kind = Isolator.KIND,
    name = "cgroups/cpu",
    version = "0.1.0",
    author = "Mezzo",
    description = "shares processors between containers by cgroups of version 1 or 2",
    flags = {
      "cgroups_hierarchy",
      "cgroups_root",
      "cgroups_enable_cfs",
      "revocable_cpu_low_priority"
    })
public final class CpuIsolator extends CgroupIsolator {
  private static final String ACCOUNTING = "cpuacct";
  private static final long SHARES_PER_CPU = 1024;
  private static final long SHARES_PER_REVOCABLE_CPU = 10;
  private static final long LEAST_SHARES = 2;
  private static final long WEIGHT_PER_CPU = 100;
  private static final long WEIGHT_PER_REVOCABLE_CPU = 1;
  private static final long MOST_WEIGHT = 10_000;
  private static final long PERIOD_MICROS = 100_000;
  private static final long LEAST_QUOTA_MICROS = 1_000;
  private static final double TICKS_PER_SECOND = 100;
  private static final double MICROS_PER_SECOND = 1e6;

  private final Path mountInfo;
  private Optional<ControlGroups> accounting = Optional.empty();

  /** Looks at the machine's own cgroups. */
  public CpuIsolator() {
    this(MOUNT_INFO);
  }

  CpuIsolator(Path mountInfo) {
    super(mountInfo, "cpu");
    this.mountInfo = mountInfo;
  }

  @Override
  void opened(ControlGroups groups) throws IOException {
    if (!groups.unified()) {
      // Often, but not always, mounted together with 'cpu'; without it usage is not reported.
      Path preferred =
          Path.of(context().flags().getOrDefault("cgroups_hierarchy", "/sys/fs/cgroup"));
      if (Hierarchy.find(mountInfo, ACCOUNTING, preferred).isPresent()) {
        accounting = Optional.of(ControlGroups.open(context(), mountInfo, ACCOUNTING));
      }
    }
  }

  @Override
  void limit(Container container, ControlGroup group) throws IOException {
    if (group.unified()) {
      long weight = part(container, WEIGHT_PER_CPU, WEIGHT_PER_REVOCABLE_CPU);
      group.write("cpu.weight", Math.max(1, Math.min(MOST_WEIGHT, weight)));
    } else {
      long shares = part(container, SHARES_PER_CPU, SHARES_PER_REVOCABLE_CPU);
      group.write("cpu.shares", Math.max(LEAST_SHARES, shares));
    }
    long quota = quotaMicros(container);
    if (group.unified()) {
      // The file is missing only where the kernel was built without bandwidth control.
      if (quota > 0 || group.has("cpu.max")) {
        group.write("cpu.max", (quota > 0 ? Long.toString(quota) : "max") + " " + PERIOD_MICROS);
      }
    } else if (quota > 0) {
      group.write("cpu.cfs_period_us", PERIOD_MICROS);
      group.write("cpu.cfs_quota_us", quota);
    } else if (group.has("cpu.cfs_quota_us")) {
      group.write("cpu.cfs_quota_us", -1);
    }
    if (accounting.isPresent()) {
      accounting.get().create(container.id());
    }
  }

  /** What counts when containers compete. */
  private long part(Container container, long perCpu, long perRevocableCpu) {
    long revocable =
        Boolean.parseBoolean(context().flags().getOrDefault("revocable_cpu_low_priority", "true"))
            ? container.resources().revocable().scalar("cpus")
            : 0;
    long own = container.resources().scalar("cpus") - revocable;
    return (own * perCpu + revocable * perRevocableCpu) / 1000;
  }

  /** Per period; 0 when there is no limit. */
  private long quotaMicros(Container container) {
    long limit = container.limits().scalar("cpus");
    if (limit == 0 && Boolean.parseBoolean(context().flags().get("cgroups_enable_cfs"))) {
      limit = container.resources().scalar("cpus");
    }
    if (limit == 0 || limit > Long.MAX_VALUE / PERIOD_MICROS) {
      return 0;
    }
    return Math.max(LEAST_QUOTA_MICROS, limit * PERIOD_MICROS / 1000);
  }

  @Override
  void join(ControlGroup group, long pid) throws IOException {
    super.join(group, pid);
    if (accounting.isPresent()) {
      accounting.get().get(group.folder().getFileName().toString()).enter(pid);
    }
  }

  @Override
  void entered(Container container, ControlGroup group, byte[] state) {
    // The kernel does the rest.
  }

  @Override
  public Optional<ResourceStatistics> usage(Container container) throws Exception {
    if (!knows(container)) {
      return Optional.empty();
    }
    ControlGroup group = groups().get(container.id());
    ResourceStatistics.Builder usage =
        ResourceStatistics.newBuilder().setTimestamp(context().clock().millis() / 1000.0);
    boolean bounded = quotaMicros(container) > 0;
    // Of version 1 it tells only what a quota has done.
    Map<String, Long> stat = bounded || group.unified() ? group.numbers("cpu.stat") : Map.of();
    if (group.unified()) {
      if (stat.containsKey("user_usec") && stat.containsKey("system_usec")) {
        usage.setCpusUserTimeSecs(stat.get("user_usec") / MICROS_PER_SECOND);
        usage.setCpusSystemTimeSecs(stat.get("system_usec") / MICROS_PER_SECOND);
      }
    } else if (accounting.isPresent()) {
      Map<String, Long> ticks = accounting.get().get(container.id()).numbers("cpuacct.stat");
      if (ticks.containsKey("user") && ticks.containsKey("system")) {
        usage.setCpusUserTimeSecs(ticks.get("user") / TICKS_PER_SECOND);
        usage.setCpusSystemTimeSecs(ticks.get("system") / TICKS_PER_SECOND);
      }
    }
    long guaranteed = container.resources().scalar("cpus");
    long limit = container.limits().scalar("cpus");
    if (guaranteed > 0) {
      usage.setCpusSoftLimit(guaranteed / 1000.0);
    }
    if (bounded) {
      usage.setCpusLimit((limit > 0 ? limit : guaranteed) / 1000.0);
    }
    if (bounded && stat.containsKey("nr_periods")) {
      usage.setCpusNrPeriods(stat.get("nr_periods").intValue());
      usage.setCpusNrThrottled(stat.getOrDefault("nr_throttled", 0L).intValue());
      usage.setCpusThrottledTimeSecs(
          stat.containsKey("throttled_usec")
              ? stat.get("throttled_usec") / MICROS_PER_SECOND
              : stat.getOrDefault("throttled_time", 0L) / (double) TimeUnit.SECONDS.toNanos(1));
    }
    return Optional.of(usage.build());
  }

  @Override
  public void recover(List<RecoveredContainer> containers) throws Exception {
    super.recover(containers);
    if (accounting.isPresent()) {
      accounting
          .get()
          .removeOrphans(
              containers.stream()
                  .map(found -> found.container().id())
                  .collect(Collectors.toUnmodifiableSet()));
    }
  }

  @Override
  public void cleanup(Container container) throws Exception {
    try {
      super.cleanup(container);
    } finally {
      if (accounting.isPresent()) {
        accounting.get().remove(container.id());
      }
    }
  }

  @Override
  public void close() {
    super.close();
    accounting.ifPresent(ControlGroups::close);
  }
}
