package org.mezzo.isolator.cgroups;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.function.LongConsumer;
import org.mezzo.api.MezzoModule;
import org.mezzo.api.Sink;
import org.mezzo.api.isolator.CgroupWatch;
import org.mezzo.api.isolator.Container;
import org.mezzo.api.isolator.ContainerLimitation;
import org.mezzo.api.isolator.Isolator;
import org.mezzo.api.isolator.LaunchPlan;
import org.mezzo.protocol.v1.ResourceStatistics;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.ServiceScope;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Holds containers to their memory, but at least 32 MB. What a container requested is its limit;
 * with a limit of its own, that is the hard one and the request the soft one, to which the kernel
 * shrinks it under pressure. A container that reaches its limit is reported with the limit, what it
 * used and its largest process, and destroyed by the agent. A hard limit is never lowered to less
 * than the container uses, which would destroy it for having kept to the one before: the soft limit
 * is lowered at once, the hard one as soon as it uses less.
 *
 * <p>The kernel kills: in version 1 the process it finds most guilty, in version 2 the whole
 * container. Its counters tell, which are read when the kernel has news of them and at the latest
 * in the cleanup, which the agent waits for before it reports the end. A kernel of version 1 that
 * does not count what it kills is told to stop the container instead, because a reason would be
 * lost otherwise; a system call that needs memory then fails, mostly with {@code ENOMEM}. Reads
 * flags {@code cgroups_hierarchy}, {@code cgroups_root} and {@code cgroups_limit_swap}.
 */
@Component(service = Isolator.class, scope = ServiceScope.PROTOTYPE)
@MezzoModule(
    kind = Isolator.KIND,
    name = "cgroups/mem",
    version = "0.1.0",
    author = "Mezzo",
    description = "limits the memory of containers by cgroups of version 1 or 2",
    flags = {"cgroups_hierarchy", "cgroups_root", "cgroups_limit_swap"})
public final class MemoryIsolator extends CgroupIsolator {
  private static final Logger LOG = LoggerFactory.getLogger(MemoryIsolator.class);
  private static final long MEGABYTE = 1024 * 1024;
  private static final long LEAST_BYTES = 32 * MEGABYTE;
  private static final long UNLIMITED = Long.MAX_VALUE;

  /** In thousandths of a megabyte; what is infinite comes as this, or more. */
  private static final long INFINITE = 1_000_000_000_000_000L;

  /** In bytes; the kernel shows what is unlimited as some number beyond this. */
  private static final long SHOWN_UNLIMITED = 1L << 60;

  /** Of a tenth of a second each. */
  private static final int LOOKS_BETWEEN = 20;

  /** Lines of {@code memory.stat} that are told, in this order. */
  private static final List<String> STAT_VERSION_1 =
      List.of("total_rss", "total_cache", "total_mapped_file", "total_unevictable", "total_swap");

  /** The same of version 2. */
  private static final List<String> STAT_VERSION_2 =
      List.of("anon", "file", "file_mapped", "unevictable");

  /** Kept in the plan of a container whose limit was set before its process began. */
  private static final byte[] WATCHED_FROM_ITS_BEGINNING = {1};

  /** What is wanted, by container; held while one is set, so that none undoes a newer one. */
  private final Map<String, Long> hardLimits = new HashMap<>();

  private final int looksBetween;
  private MemoryWatch watch;
  private Sink<ContainerLimitation> limitations = reached -> Sink.Receipt.RETIRED;

  /** Looks at the machine's own cgroups. */
  public MemoryIsolator() {
    this(MOUNT_INFO);
  }

  MemoryIsolator(Path mountInfo) {
    this(mountInfo, LOOKS_BETWEEN);
  }

  /**
   * As a test wants it.
   *
   * @param looksBetween as {@link MemoryWatch} takes it
   */
  MemoryIsolator(Path mountInfo, int looksBetween) {
    super(mountInfo, "memory");
    this.looksBetween = looksBetween;
  }

  @Override
  void opened(ControlGroups groups) {
    watch = new MemoryWatch(context().daemon(), looksBetween, context().metrics());
  }

  /** What looks after limits; visible for tests. */
  MemoryWatch watch() {
    return watch;
  }

  @Override
  public void limitations(Sink<ContainerLimitation> sink) {
    limitations = sink;
  }

  @Override
  public void watches(Sink<CgroupWatch> sink) {
    if (watch != null) {
      watch.listeners(sink);
    }
  }

  @Override
  public void watched(CgroupWatch of, CgroupWatch.News news) {
    if (watch == null) {
      return;
    }
    switch (news) {
      case BEGUN -> watch.listened(of.containerId(), true);
      case HAPPENED -> watch.exhausted(of.containerId());
      case ENDED -> watch.listened(of.containerId(), false);
    }
  }

  /** What this instance and its successors know of a container from its beginning. */
  @Override
  public LaunchPlan prepare(Container container) throws Exception {
    super.prepare(container);
    return LaunchPlan.builder().state(WATCHED_FROM_ITS_BEGINNING).build();
  }

  @Override
  void limit(Container container, ControlGroup group) throws IOException {
    long request = bytes(container.resources().scalar("mem"));
    long limit = container.limits().scalar("mem");
    long hard = limit == 0 ? request : Math.max(request, bytes(limit));
    boolean swap = Boolean.parseBoolean(context().flags().get("cgroups_limit_swap"));
    if (group.unified()) {
      if (group.has("memory.low")) {
        group.write("memory.low", limit == 0 ? 0 : request);
      }
      if (swap) {
        group.write("memory.swap.max", 0);
      }
      // One process less is seldom what the others can go on without.
      if (group.has("memory.oom.group")) {
        group.write("memory.oom.group", 1);
      }
    } else {
      group.write("memory.soft_limit_in_bytes", request);
    }
    synchronized (hardLimits) {
      hardLimits.put(container.id(), hard);
      if (!hardLimit(group, hard, swap)) {
        LOG.info(
            "Container {} uses more than its new memory limit of {} bytes, which is set as soon as"
                + " it uses less",
            container.id(),
            hard);
        watch.later(
            container.id(),
            () -> {
              synchronized (hardLimits) {
                if (!Objects.equals(hardLimits.get(container.id()), hard)) {
                  return true;
                }
                boolean set = hardLimit(group, hard, swap);
                watch.limited(container.id());
                return set;
              }
            });
      }
    }
    watch.limited(container.id());
  }

  /** Sets the hard limit; false when the container uses more than that now. */
  private static boolean hardLimit(ControlGroup group, long hard, boolean swap) throws IOException {
    if (used(group) - reclaimable(group) > hard) {
      return false;
    }
    if (group.unified()) {
      group.write("memory.max", hard == UNLIMITED ? "max" : Long.toString(hard));
      return true;
    }
    long before = group.number("memory.limit_in_bytes").orElse(UNLIMITED);
    try {
      limitVersion1(group, hard, swap);
      return true;
    } catch (IOException e) {
      if (hard < before && used(group) > hard) {
        // The kernel cannot take back what the container uses.
        return false;
      }
      throw e;
    }
  }

  private static long used(ControlGroup group) {
    return group.number(group.unified() ? "memory.current" : "memory.usage_in_bytes").orElse(0);
  }

  /** What of it the kernel can take back at once. */
  private static long reclaimable(ControlGroup group) {
    return group
        .numbers("memory.stat")
        .getOrDefault(group.unified() ? "inactive_file" : "total_inactive_file", 0L);
  }

  private static void limitVersion1(ControlGroup group, long hard, boolean swap)
      throws IOException {
    long value = hard == UNLIMITED ? -1 : hard;
    boolean grows = hard > group.number("memory.limit_in_bytes").orElse(UNLIMITED);
    // Memory with swap may never be less than memory alone, in between either.
    if (swap && grows) {
      group.write("memory.memsw.limit_in_bytes", value);
    }
    group.write("memory.limit_in_bytes", value);
    if (swap && !grows) {
      group.write("memory.memsw.limit_in_bytes", value);
    }
    Map<String, Long> killing = group.numbers("memory.oom_control");
    long stop = killing.containsKey("oom_kill") ? 0 : 1;
    if (killing.getOrDefault("oom_kill_disable", 0L) == stop) {
      return;
    }
    try {
      group.write("memory.oom_control", stop);
    } catch (IOException e) {
      LOG.info("The kernel kills by itself what reaches its memory limit: {}", e.getMessage());
    }
  }

  /** From thousandths of a megabyte. */
  private static long bytes(long thousandths) {
    long megabytes = thousandths / 1000;
    if (thousandths >= INFINITE) {
      return UNLIMITED;
    }
    return Math.max(LEAST_BYTES, megabytes * MEGABYTE + thousandths % 1000 * MEGABYTE / 1000);
  }

  @Override
  void entered(Container container, ControlGroup group, byte[] state) {
    // What the kernel did before, and an instance before this one may not have seen, counts where
    // the container had its limit then.
    boolean allCounts = Arrays.equals(state, WATCHED_FROM_ITS_BEGINNING);
    watch.add(container.id(), group, limitations, allCounts);
  }

  @Override
  public Optional<ResourceStatistics> usage(Container container) throws Exception {
    if (!knows(container)) {
      return Optional.empty();
    }
    ControlGroup group = groups().get(container.id());
    boolean unified = group.unified();
    ResourceStatistics.Builder usage =
        ResourceStatistics.newBuilder().setTimestamp(context().clock().millis() / 1000.0);
    Optional<MemoryWatch.Amounts> watched = watch.amounts(container.id());
    watched
        .map(it -> OptionalLong.of(it.used()))
        .orElseGet(() -> group.number(unified ? "memory.current" : "memory.usage_in_bytes"))
        .ifPresent(usage::setMemTotalBytes);
    watched
        .map(it -> OptionalLong.of(it.limit()))
        .orElseGet(() -> group.number(unified ? "memory.max" : "memory.limit_in_bytes"))
        .ifPresent(
            bytes -> {
              if (bytes < SHOWN_UNLIMITED) {
                usage.setMemLimitBytes(bytes);
              }
            });
    // What of it the kernel keeps in one number or another is its own affair.
    usage.setMemSoftLimitBytes(bytes(container.resources().scalar("mem")));
    long[] stat = group.numbers("memory.stat", unified ? STAT_VERSION_2 : STAT_VERSION_1);
    set(stat[0], usage::setMemRssBytes);
    set(stat[0], usage::setMemAnonBytes);
    set(stat[1], usage::setMemCacheBytes);
    set(stat[1], usage::setMemFileBytes);
    set(stat[2], usage::setMemMappedFileBytes);
    set(stat[3], usage::setMemUnevictableBytes);
    if (unified) {
      group.number("memory.swap.current").ifPresent(usage::setMemSwapBytes);
    } else {
      set(stat[4], usage::setMemSwapBytes);
      group.number("memory.memsw.usage_in_bytes").ifPresent(usage::setMemTotalMemswBytes);
    }
    return Optional.of(usage.build());
  }

  private static void set(long value, LongConsumer setter) {
    if (value != ControlGroup.ABSENT) {
      setter.accept(value);
    }
  }

  @Override
  public void cleanup(Container container) throws Exception {
    if (watch != null) {
      watch.remove(container.id());
      synchronized (hardLimits) {
        hardLimits.remove(container.id());
      }
    }
    super.cleanup(container);
  }

  @Override
  public void close() {
    if (watch != null) {
      watch.close();
    }
    super.close();
  }
}
