package org.mezzo.isolator.cgroups;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.mezzo.api.Sink;
import org.mezzo.api.isolator.CgroupWatch;
import org.mezzo.api.isolator.CgroupWatch.News;
import org.mezzo.api.isolator.Container;
import org.mezzo.api.isolator.ContainerLimitation;
import org.mezzo.api.isolator.RecoveredContainer;
import org.mezzo.api.isolator.RecoveredContainer.Phase;
import org.mezzo.fixtures.Await;
import org.mezzo.protocol.v1.Resource;
import org.mezzo.protocol.v1.ResourceStatistics;
import org.mezzo.protocol.v1.Value;
import org.mezzo.resources.Resources;
import org.mezzo.testing.FakeDaemonContext;
import org.mezzo.testing.FakeMetrics;
import org.mezzo.testing.FakeSink;

/** Both versions of cgroups, with files that a test made in place of the kernel. */
class FakeTreeTest {
  private static final long MB = 1024 * 1024;

  @TempDir Path dir;
  private final Map<String, String> flags = new HashMap<>(Map.of("cgroups_root", "mezzo/test"));
  private final CompletableFuture<String> limitation = new CompletableFuture<>();
  private MemoryIsolator memory;
  private FakeMetrics metrics;

  @AfterEach
  void close() {
    if (memory != null) {
      memory.close();
    }
  }

  @Test
  void cpuSharesOfVersion1() throws Exception {
    Path group = group(version1("cpu"), "c1");
    fake(group, "cpu.shares", "cpu.cfs_quota_us", "cpu.cfs_period_us", "cgroup.procs");
    CpuIsolator cpu = cpu();

    cpu.prepare(container("c1", "cpus:1.5", ""));
    assertThat(read(group, "cpu.shares")).isEqualTo("1536");
    assertThat(read(group, "cpu.cfs_quota_us")).isEqualTo("-1");
    cpu.isolate(container("c1", "cpus:1.5", ""), 4711);
    assertThat(read(group, "cgroup.procs")).isEqualTo("4711");
    cpu.update(container("c1", "cpus:0.001", ""));
    assertThat(read(group, "cpu.shares")).isEqualTo("2");
  }

  /** Rule 318: what can be taken back stands back. */
  @Test
  void revocableCpusCountForLittleUnlessAFlagSaysOtherwise() throws Exception {
    Path group = group(version1("cpu"), "c1");
    fake(group, "cpu.shares", "cpu.cfs_quota_us", "cpu.cfs_period_us", "cgroup.procs");
    CpuIsolator cpu = cpu();
    cpu.prepare(lent("c1", 2, ""));
    assertThat(read(group, "cpu.shares")).isEqualTo("20");
    cpu.update(lent("c1", 2, "cpus:1.5"));
    assertThat(read(group, "cpu.shares")).as("with cpus of its own").isEqualTo("1556");
    cpu.update(lent("c1", 0.1, ""));
    assertThat(read(group, "cpu.shares")).isEqualTo("2");
    flags.put("revocable_cpu_low_priority", "false");
    cpu().prepare(lent("c1", 2, ""));
    assertThat(read(group, "cpu.shares")).isEqualTo("2048");
  }

  @Test
  void revocableCpusHaveTheLeastWeightOfVersion2() throws Exception {
    Path group = group(version2("cpu io memory"), "c1");
    fake(group, "cpu.weight", "cpu.max", "cgroup.procs");
    CpuIsolator cpu = cpu();
    cpu.prepare(lent("c1", 2, ""));
    cpu.isolate(lent("c1", 2, ""), 4711);
    assertThat(read(group, "cpu.weight")).isEqualTo("2");
  }

  private static Container lent(String id, double cpus, String own) throws Exception {
    Resources revocable =
        Resources.of(
            List.of(
                Resource.newBuilder()
                    .setName("cpus")
                    .setType(Value.Type.SCALAR)
                    .setScalar(Value.Scalar.newBuilder().setValue(cpus))
                    .setRevocable(Resource.RevocableInfo.getDefaultInstance())
                    .build()));
    return Container.builder(id, Path.of("/nowhere"))
        .resources(Resources.parse(own, "*").plus(revocable), Resources.EMPTY)
        .build();
  }

  @Test
  void cpuQuotaOfVersion1OnlyByFlagOrLimit() throws Exception {
    Path group = group(version1("cpu"), "c1");
    fake(group, "cpu.shares", "cpu.cfs_quota_us", "cpu.cfs_period_us", "cgroup.procs");

    cpu().prepare(container("c1", "cpus:1", "cpus:2.5"));
    assertThat(read(group, "cpu.cfs_quota_us")).isEqualTo("250000");
    flags.put("cgroups_enable_cfs", "true");
    cpu().prepare(container("c1", "cpus:0.5", ""));
    assertThat(read(group, "cpu.cfs_quota_us")).isEqualTo("50000");
    assertThat(read(group, "cpu.cfs_period_us")).isEqualTo("100000");
    cpu().prepare(container("c1", "cpus:0.001", ""));
    assertThat(read(group, "cpu.cfs_quota_us")).isEqualTo("1000");
  }

  @Test
  void cpuWeightOfVersion2() throws Exception {
    Path mount = version2("cpu io memory");
    Path group = group(mount, "c1");
    fake(group, "cpu.weight", "cpu.max", "cgroup.procs");
    CpuIsolator cpu = cpu();

    // The agent makes this cgroup between prepare and isolate, so prepare leaves it alone.
    cpu.prepare(container("c1", "cpus:2", ""));
    assertThat(read(group, "cpu.weight")).isEmpty();
    cpu.isolate(container("c1", "cpus:2", ""), 4711);
    assertThat(read(group, "cpu.weight")).isEqualTo("200");
    assertThat(read(group, "cpu.max")).isEqualTo("max 100000");
    assertThat(read(group, "cgroup.procs")).isEqualTo("4711");
    assertThat(read(mount, "cgroup.subtree_control")).isEqualTo("+cpu");
    assertThat(read(mount.resolve("mezzo/test"), "cgroup.subtree_control")).isEqualTo("+cpu");

    cpu.update(container("c1", "cpus:1000", "cpus:2000"));
    assertThat(read(group, "cpu.weight")).isEqualTo("10000");
    assertThat(read(group, "cpu.max")).isEqualTo("200000000 100000");
  }

  @Test
  void cpuUsage() throws Exception {
    Path group = group(version2("cpu memory"), "c1");
    fake(group, "cpu.weight", "cpu.max", "cgroup.procs");
    write(
        group,
        "cpu.stat",
        "usage_usec 3500000\nuser_usec 2500000\nsystem_usec 1000000\nnr_periods 7\n"
            + "nr_throttled 3\nthrottled_usec 250000\n");
    ResourceStatistics usage = cpu().usage(container("c1", "cpus:1", "cpus:2")).orElseThrow();
    assertThat(usage.getCpusUserTimeSecs()).isEqualTo(2.5);
    assertThat(usage.getCpusSystemTimeSecs()).isEqualTo(1.0);
    assertThat(usage.getCpusLimit()).isEqualTo(2);
    assertThat(usage.getCpusSoftLimit()).isEqualTo(1);
    assertThat(usage.getCpusNrThrottled()).isEqualTo(3);
    assertThat(usage.getCpusThrottledTimeSecs()).isEqualTo(0.25);
  }

  @Test
  void cpuTimesOfVersion1ComeFromAnotherHierarchy() throws Exception {
    fake(group(version1("cpu"), "c1"), "cpu.shares");
    Path accounting = group(version1("cpuacct"), "c1");
    write(accounting, "cpuacct.stat", "user 250\nsystem 100\n");

    ResourceStatistics usage = cpu().usage(container("c1", "cpus:1", "")).orElseThrow();
    assertThat(usage.getCpusUserTimeSecs()).isEqualTo(2.5);
    assertThat(usage.getCpusSystemTimeSecs()).isEqualTo(1.0);
    assertThat(usage.hasCpusNrPeriods()).isFalse();
  }

  @Test
  void memoryLimitsOfVersion1() throws Exception {
    Path group = memoryVersion1();
    MemoryIsolator isolator = memory();

    isolator.prepare(container("c1", "mem:64", ""));
    assertThat(read(group, "memory.limit_in_bytes")).isEqualTo("" + 64 * MB);
    assertThat(read(group, "memory.soft_limit_in_bytes")).isEqualTo("" + 64 * MB);
    assertThat(read(group, "memory.oom_control")).isEqualTo("1");
    isolator.update(container("c1", "mem:64", "mem:256"));
    assertThat(read(group, "memory.limit_in_bytes")).isEqualTo("" + 256 * MB);
    assertThat(read(group, "memory.soft_limit_in_bytes")).isEqualTo("" + 64 * MB);
    isolator.update(container("c1", "mem:1", ""));
    assertThat(read(group, "memory.limit_in_bytes")).isEqualTo("" + 32 * MB);
  }

  @Test
  void theKernelKillsIfItCountsWhatItKills() throws Exception {
    Path group = memoryVersion1();
    write(group, "memory.oom_control", "oom_kill_disable 1\nunder_oom 0\noom_kill 0\n");
    memory().prepare(container("c1", "mem:64", ""));
    assertThat(read(group, "memory.oom_control")).isEqualTo("0");
  }

  @Test
  void aSharedCgroupIsLeftToWhoeverMadeIt() throws Exception {
    Path group = group(version2("cpu memory"), "c1");
    fake(group, "memory.max", "cgroup.procs");
    MemoryIsolator isolator = memory();
    isolator.isolate(container("c1", "mem:64", ""), 4711);
    isolator.cleanup(container("c1", "mem:64", ""));
    assertThat(group).isDirectory();
  }

  @Test
  void swapIsLimitedByFlag() throws Exception {
    flags.put("cgroups_limit_swap", "true");
    Path group = memoryVersion1();
    fake(group, "memory.memsw.limit_in_bytes");
    memory().prepare(container("c1", "mem:64", ""));
    assertThat(read(group, "memory.memsw.limit_in_bytes")).isEqualTo("" + 64 * MB);
  }

  @Test
  void aLimitBelowWhatIsUsedWaits() throws Exception {
    Path group = memoryVersion1();
    write(group, "memory.usage_in_bytes", "" + 100 * MB);
    MemoryIsolator isolator = memory();
    isolator.prepare(container("c1", "mem:128", ""));
    isolator.update(container("c1", "mem:64", ""));
    assertThat(read(group, "memory.limit_in_bytes")).isEqualTo("" + 128 * MB);
    assertThat(read(group, "memory.soft_limit_in_bytes")).isEqualTo("" + 64 * MB);

    write(group, "memory.usage_in_bytes", "" + 60 * MB);
    Await.until(() -> read(group, "memory.limit_in_bytes").equals("" + 64 * MB));
  }

  @Test
  void aLimitThatWaitsGivesWayToANewerOne() throws Exception {
    Path group = memoryVersion1();
    write(group, "memory.usage_in_bytes", "" + 100 * MB);
    Path second = Files.createDirectories(group.resolveSibling("c2"));
    fake(
        second,
        "memory.limit_in_bytes",
        "memory.soft_limit_in_bytes",
        "memory.oom_control",
        "cgroup.procs");
    MemoryIsolator isolator = memory();
    isolator.prepare(container("c1", "mem:128", ""));
    isolator.prepare(container("c2", "mem:128", ""));
    write(second, "memory.usage_in_bytes", "" + 100 * MB);
    isolator.update(container("c1", "mem:64", ""));
    isolator.update(container("c1", "mem:256", ""));
    isolator.update(container("c2", "mem:64", ""));
    write(group, "memory.usage_in_bytes", "" + 60 * MB);
    write(second, "memory.usage_in_bytes", "" + 60 * MB);
    Await.until(() -> read(second, "memory.limit_in_bytes").equals("" + 64 * MB));
    assertThat(read(group, "memory.limit_in_bytes")).isEqualTo("" + 256 * MB);
  }

  @Test
  void whatTheKernelCanTakeBackIsNotInTheWay() throws Exception {
    Path group = group(version2("cpu memory"), "c1");
    fake(group, "memory.max", "memory.low", "memory.oom.group", "cgroup.procs");
    MemoryIsolator isolator = memory();
    isolator.isolate(container("c1", "mem:128", ""), 4711);
    write(group, "memory.current", "" + 100 * MB);
    write(group, "memory.stat", "anon 1\ninactive_file " + 50 * MB + "\n");
    isolator.update(container("c1", "mem:64", ""));
    assertThat(read(group, "memory.max")).isEqualTo("" + 64 * MB);
  }

  @Test
  void whatIsInfiniteIsNoLimit() throws Exception {
    Path group = group(version2("cpu memory"), "c1");
    fake(group, "memory.max", "memory.low", "memory.oom.group", "cgroup.procs");
    memory().isolate(container("c1", "mem:64", "mem:1000000000000"), 4711);
    assertThat(read(group, "memory.max")).isEqualTo("max");
    assertThat(read(group, "memory.low")).isEqualTo("" + 64 * MB);
    ResourceStatistics usage =
        memory.usage(container("c1", "mem:64", "mem:1000000000000")).orElseThrow();
    assertThat(usage.hasMemLimitBytes()).isFalse();
    assertThat(usage.getMemSoftLimitBytes()).isEqualTo(64 * MB);
  }

  @Test
  void memoryLimitsOfVersion2() throws Exception {
    Path group = group(version2("cpu memory"), "c1");
    fake(group, "memory.max", "memory.low", "memory.oom.group", "cgroup.procs");
    memory().isolate(container("c1", "mem:64", "mem:128"), 4711);
    assertThat(read(group, "memory.max")).isEqualTo("" + 128 * MB);
    assertThat(read(group, "memory.low")).isEqualTo("" + 64 * MB);
    assertThat(read(group, "memory.oom.group")).isEqualTo("1");
  }

  @Test
  void reportsAContainerThatTheKernelStopped() throws Exception {
    Path group = memoryVersion1();
    MemoryIsolator isolator = memory();
    isolator.prepare(container("c1", "mem:64", ""));
    isolator.isolate(container("c1", "mem:64", ""), ProcessHandle.current().pid());
    write(group, "memory.usage_in_bytes", "" + 64 * MB);
    write(group, "memory.max_usage_in_bytes", "" + 64 * MB);
    says(group, "memory.oom_control", "oom_kill_disable 1\nunder_oom 1\noom_kill 0\n");

    assertThat(limitation.get(60, TimeUnit.SECONDS))
        .startsWith("c1 mem:64 REASON_CONTAINER_LIMITATION_MEMORY")
        .contains("limit 64 MB, used 64 MB, peak 64 MB", "(pid " + ProcessHandle.current().pid());
  }

  @Test
  void reportsAContainerThatTheKernelKilled() throws Exception {
    Path group = group(version2("memory"), "c1");
    fake(group, "memory.max", "cgroup.procs");
    write(group, "memory.events", "low 0\nmax 1\noom 1\noom_kill 1\n");
    write(group, "memory.peak", "" + 64 * MB);
    MemoryIsolator isolator = memory();
    isolator.isolate(container("c1", "mem:64", ""), 4711);
    write(group, "cgroup.procs", "");
    says(group, "memory.events", "low 0\nmax 8\noom 1\noom_kill 1\n");
    says(group, "memory.events", "low 0\nmax 9\noom 2\noom_kill 2\n");

    assertThat(limitation.get(60, TimeUnit.SECONDS))
        .contains("peak 64 MB", "used unknown after the kernel killed 1 process");
  }

  @Test
  void theKernelTellsOfVersion2() throws Exception {
    Path group = group(version2("memory"), "c1");
    fake(group, "memory.max", "cgroup.procs");
    write(group, "memory.events", "max 0\noom_kill 0\n");
    MemoryIsolator isolator = listening();
    isolator.isolate(container("c1", "mem:64", ""), 4711);
    assertThat(metrics.value("containers_polled")).isZero();
    says(group, "memory.events", "max 3\noom_kill 0\n");
    says(group, "memory.events", "max 4\noom_kill 1\n");
    assertThat(limitation.get(60, TimeUnit.SECONDS)).contains("after the kernel killed 1 process");
    isolator.cleanup(container("c1", "mem:64", ""));
    assertThat(metrics.value("containers")).isZero();
  }

  /** The kernel says so before it kills. */
  @Test
  void theLauncherTellsOfVersion1() throws Exception {
    Path group = memoryVersion1();
    MemoryIsolator isolator = listening();
    FakeSink<CgroupWatch> watches = new FakeSink<>();
    isolator.watches(watches);
    isolator.prepare(container("c1", "mem:64", ""));
    says(group, "memory.oom_control", "oom_kill_disable 0\nunder_oom 0\noom_kill 0\n");
    isolator.isolate(container("c1", "mem:64", ""), 4711);
    CgroupWatch watch = CgroupWatch.of("c1", group);
    assertThat(watches.reports()).containsExactly(watch);
    assertThat(metrics.value("containers_polled")).isEqualTo(1);

    isolator.watched(watch, News.BEGUN);
    isolator.watched(CgroupWatch.of("unknown", group), News.HAPPENED);
    assertThat(metrics.value("containers_polled")).isZero();
    isolator.watched(watch, News.HAPPENED);
    assertThat(limitation).isNotDone();
    assertThat(metrics.value("containers_polled")).isEqualTo(1);
    says(group, "memory.oom_control", "oom_kill_disable 0\nunder_oom 0\noom_kill 1\n");
    assertThat(limitation.get(60, TimeUnit.SECONDS)).contains("killed 1 process");
  }

  @Test
  void whatHappensWhileNobodyListensIsFound() throws Exception {
    Path group = memoryVersion1();
    MemoryIsolator isolator = listening();
    isolator.prepare(container("c1", "mem:64", ""));
    isolator.isolate(container("c1", "mem:64", ""), 4711);
    CgroupWatch watch = CgroupWatch.of("c1", group);
    isolator.watched(watch, News.BEGUN);
    isolator.watched(watch, News.ENDED);
    assertThat(metrics.value("containers_polled")).isEqualTo(1);
    says(group, "memory.oom_control", "oom_kill_disable 0\nunder_oom 0\noom_kill 1\n");
    assertThat(limitation.get(60, TimeUnit.SECONDS)).contains("killed 1 process");
  }

  /** Until somebody has it, what it is about is looked at. */
  @Test
  void aWishThatIsNotTakenIsMadeAgain() throws Exception {
    Path group = memoryVersion1();
    MemoryIsolator isolator = memory();
    List<CgroupWatch> wishes = new CopyOnWriteArrayList<>();
    isolator.watches(
        watch -> {
          wishes.add(watch);
          return wishes.size() < 2 ? Sink.Receipt.FULL : Sink.Receipt.TAKEN;
        });
    isolator.prepare(container("c1", "mem:64", ""));
    isolator.isolate(container("c1", "mem:64", ""), 4711);
    Await.until(() -> wishes.size() == 2);
    assertThat(wishes).containsOnly(CgroupWatch.of("c1", group));
  }

  /** The kernel may have killed all that was in it. */
  @Test
  void saysWhatRanInAContainerOfWhichNothingIsLeft() throws Exception {
    Path group = group(version2("memory"), "c1");
    fake(group, "memory.max", "memory.current", "cgroup.procs");
    CountDownLatch looked = new CountDownLatch(3);
    MemoryIsolator isolator = memory();
    isolator.isolate(container("c1", "mem:64", ""), 4711);
    write(group, "cgroup.procs", ProcessHandle.current().pid() + "\n");
    write(group, "memory.current", "" + 60 * MB);
    // It is remembered at a look; how many there were shows by what is tried at them.
    isolator
        .watch()
        .later(
            "other",
            () -> {
              looked.countDown();
              return looked.getCount() == 0;
            });
    assertThat(looked.await(60, TimeUnit.SECONDS)).isTrue();
    write(group, "cgroup.procs", "");
    write(group, "memory.events", "oom_kill 4\n");
    assertThat(limitation.get(60, TimeUnit.SECONDS))
        .contains("killed 4 processes")
        .contains("Largest process before: java (pid " + ProcessHandle.current().pid() + ")");
  }

  /** The agent reports the end right after the cleanup; a reason that comes later is lost. */
  @Test
  void noCleanupEndsBeforeTheReasonIsTold() throws Exception {
    Path group = group(version2("memory"), "c1");
    fake(group, "memory.max", "cgroup.procs");
    MemoryIsolator isolator = memory();
    CompletableFuture<Void> telling = new CompletableFuture<>();
    CompletableFuture<Void> goOn = new CompletableFuture<>();
    isolator.limitations(
        reached -> {
          telling.complete(null);
          goOn.join();
          limitation.complete(reached.reason());
          return Sink.Receipt.TAKEN;
        });
    isolator.isolate(container("c1", "mem:64", ""), 4711);
    write(group, "memory.events", "oom_kill 1\n");
    telling.get(60, TimeUnit.SECONDS);

    Thread cleanup =
        new Thread(
            () -> {
              try {
                isolator.cleanup(container("c1", "mem:64", ""));
              } catch (Exception e) {
                limitation.completeExceptionally(e);
              }
              limitation.complete("cleaned up before");
            });
    cleanup.start();
    Await.until(
        "the cleanup waits or is over",
        () ->
            cleanup.getState() == Thread.State.BLOCKED
                || cleanup.getState() == Thread.State.TERMINATED);
    goOn.complete(null);
    assertThat(limitation.get(60, TimeUnit.SECONDS))
        .isEqualTo("REASON_CONTAINER_LIMITATION_MEMORY");
  }

  /** Nobody else has it: what was not taken is reported again. */
  @Test
  void aReasonThatIsNotTakenIsReportedAgain() throws Exception {
    Path group = group(version2("memory"), "c1");
    fake(group, "memory.max", "cgroup.procs");
    MemoryIsolator isolator = memory();
    List<String> reports = new CopyOnWriteArrayList<>();
    isolator.limitations(
        reached -> {
          reports.add(reached.containerId());
          return reports.size() < 3 ? Sink.Receipt.FULL : Sink.Receipt.TAKEN;
        });
    isolator.isolate(container("c1", "mem:64", ""), 4711);
    write(group, "memory.events", "oom_kill 1\n");
    Await.until(() -> reports.size() == 3);
    isolator.cleanup(container("c1", "mem:64", ""));
    assertThat(reports).hasSize(3);
  }

  /** An instance may go between what the kernel does and its next look. */
  @Test
  void whoTakesOverReportsWhatTheOneBeforeMayHaveMissed() throws Exception {
    Path group = group(version2("memory"), "c1");
    fake(group, "memory.max", "cgroup.procs");
    Container container = container("c1", "mem:64", "");
    byte[] state = memory().prepare(container).state();
    memory.close();
    write(group, "memory.events", "oom_kill 1\n");

    FakeSink<ContainerLimitation> limitations = new FakeSink<>();
    memory().limitations(limitations);
    memory.recover(List.of(RecoveredContainer.of(container, Phase.ISOLATED, state)));
    assertThat(limitations.reports())
        .singleElement()
        .satisfies(it -> assertThat(it.message()).contains("killed 1 process"));
    memory.close();

    FakeSink<ContainerLimitation> other = new FakeSink<>();
    memory().limitations(other);
    memory.recover(List.of(RecoveredContainer.of(container, Phase.ISOLATED, new byte[0])));
    memory.cleanup(container);
    assertThat(other.reports()).as("of one that had no limit then").isEmpty();
  }

  @Test
  void memoryUsage() throws Exception {
    Path group = memoryVersion1();
    write(group, "memory.usage_in_bytes", "5000");
    write(group, "memory.limit_in_bytes", "" + 64 * MB);
    write(group, "memory.stat", "rss 1\ntotal_rss 3000\ntotal_cache 2000\ntotal_mapped_file 100\n");
    ResourceStatistics usage = memory().usage(container("c1", "mem:64", "")).orElseThrow();
    assertThat(usage.getMemTotalBytes()).isEqualTo(5000);
    assertThat(usage.getMemLimitBytes()).isEqualTo(64 * MB);
    assertThat(usage.getMemRssBytes()).isEqualTo(3000);
    assertThat(usage.getMemFileBytes()).isEqualTo(2000);
    assertThat(usage.getMemMappedFileBytes()).isEqualTo(100);
    assertThat(memory.usage(container("unknown", "mem:64", ""))).isEmpty();
  }

  /** What is told of a container comes from files that stay open, and follows its limit. */
  @Test
  void memoryUsageOfAContainerThatIsWatched() throws Exception {
    Path group = memoryVersion1();
    write(group, "memory.usage_in_bytes", "5000\n");
    MemoryIsolator isolator = listening();
    isolator.prepare(container("c1", "mem:64", ""));
    isolator.isolate(container("c1", "mem:64", ""), 4711);
    ResourceStatistics usage = isolator.usage(container("c1", "mem:64", "")).orElseThrow();
    assertThat(usage.getMemTotalBytes()).isEqualTo(5000);
    assertThat(usage.getMemLimitBytes()).isEqualTo(64 * MB);
    says(group, "memory.usage_in_bytes", "60\n");
    isolator.update(container("c1", "mem:128", ""));
    usage = isolator.usage(container("c1", "mem:128", "")).orElseThrow();
    assertThat(usage.getMemTotalBytes()).isEqualTo(60);
    assertThat(usage.getMemLimitBytes()).isEqualTo(128 * MB);
  }

  @Test
  void findsNumbersByTheirNames() throws Exception {
    Path folder = Files.createDirectories(dir.resolve("numbers"));
    write(folder, "stat", "aa 1\na 22\n\nodd\nb\nc many\nbb 9223372036854775807\nlast 3");
    ControlGroup group = new ControlGroup(folder, false);
    long none = ControlGroup.ABSENT;
    assertThat(group.numbers("stat", List.of("last", "a", "bb", "b", "c", "odd", "missing")))
        .containsExactly(3, 22, Long.MAX_VALUE, none, none, none, none);
    assertThat(group.numbers("nowhere", List.of("a"))).containsExactly(none);
  }

  @Test
  void removesOrphansItMadeAndNothingElse() throws Exception {
    Path mount = version1("cpu");
    for (String id : List.of("mine", "running")) {
      fake(group(mount, id), "cpu.shares");
      cpu().prepare(container(id, "cpus:1", ""));
      Files.delete(group(mount, id).resolve("cpu.shares"));
    }
    Path foreign = group(mount, "of-another-agent");

    cpu()
        .recover(
            List.of(
                RecoveredContainer.of(
                    container("running", "cpus:1", ""), Phase.PREPARED, new byte[0])));
    assertThat(group(mount, "running")).exists();
    assertThat(foreign).exists();
    assertThat(mount.resolve("mezzo/test/mine")).doesNotExist();
  }

  @Test
  void removesOrphansWithProcessesWhenTheseAreGone() throws Exception {
    Path mount = version1("cpu");
    write(group(mount, "mine"), "cgroup.procs", "17\n");
    fake(group(mount, "mine"), "cpu.shares");
    cpu().prepare(container("mine", "cpus:1", ""));
    Files.delete(group(mount, "mine").resolve("cpu.shares"));
    cpu().recover(List.of());
    assertThat(mount.resolve("mezzo/test/mine")).exists();
    Files.delete(mount.resolve("mezzo/test/mine/cgroup.procs"));
    Await.until(() -> Files.notExists(mount.resolve("mezzo/test/mine")));
  }

  @Test
  void cleansUpAndNamesWhatIsLeft() throws Exception {
    Path mount = version1("cpu");
    Path group = group(mount, "c1");
    CpuIsolator cpu = cpu();
    cpu.cleanup(container("c1", "cpus:1", ""));
    assertThat(group).doesNotExist();
    cpu.cleanup(container("c1", "cpus:1", ""));

    write(group(mount, "c2"), "cgroup.procs", "17\n");
    assertThatThrownBy(() -> cpu.cleanup(container("c2", "cpus:1", "")))
        .hasMessageContaining("still holds processes [17]");
    // It goes when they have gone, although nobody asks again.
    Files.delete(group(mount, "c2").resolve("cgroup.procs"));
    Await.until(() -> Files.notExists(mount.resolve("mezzo/test/c2")));
  }

  @Test
  void withoutCgroupsLaunchesFailWithTheRemedy() throws Exception {
    Files.writeString(dir.resolve("mountinfo"), "31 23 0:28 / /sys rw - sysfs sysfs rw\n");
    CpuIsolator cpu = cpu();
    cpu.recover(List.of());
    assertThatThrownBy(() -> cpu.prepare(container("c1", "cpus:1", "")))
        .hasMessageContaining("mount -t cgroup")
        .hasMessageContaining("take 'cgroups/cpu' out of --isolation");
    assertThat(cpu.usage(container("c1", "cpus:1", ""))).isEmpty();
    cpu.cleanup(container("c1", "cpus:1", ""));
  }

  @Test
  void theRootMayNotLeaveTheHierarchy() throws Exception {
    version1("cpu");
    flags.put("cgroups_root", "../elsewhere");
    CpuIsolator cpu = cpu();
    assertThatThrownBy(() -> cpu.prepare(container("c1", "cpus:1", "")))
        .hasMessageContaining("--cgroups_root");
  }

  @Test
  void readsTheMountTable() throws Exception {
    Path odd = Files.createDirectories(dir.resolve("with blank/cpu"));
    String escaped = odd.toString().replace(" ", "\\040");
    Files.writeString(
        dir.resolve("mountinfo"),
        "32 31 0:29 / /elsewhere rw shared:9 - cgroup cgroup rw,cpu,cpuacct\n"
            + ("33 31 0:29 / " + escaped + " rw,relatime - cgroup cgroup rw,cpuacct,cpu\n")
            + "broken line\n");
    assertThat(Hierarchy.find(dir.resolve("mountinfo"), "cpu", dir))
        .contains(new Hierarchy(odd, false));
    assertThat(Hierarchy.find(dir.resolve("mountinfo"), "cpuacct", Path.of("/nowhere")))
        .contains(new Hierarchy(Path.of("/elsewhere"), false));
    assertThat(Hierarchy.find(dir.resolve("mountinfo"), "cpuset", dir)).isEmpty();
  }

  private Path memoryVersion1() throws IOException {
    Path group = group(version1("memory"), "c1");
    fake(
        group,
        "memory.limit_in_bytes",
        "memory.soft_limit_in_bytes",
        "memory.oom_control",
        "cgroup.procs");
    return group;
  }

  private Path version1(String controller) throws IOException {
    Path mount = Files.createDirectories(dir.resolve(controller));
    Files.writeString(
        dir.resolve("mountinfo"),
        "32 31 0:29 / " + mount + " rw,relatime - cgroup cgroup rw," + controller + "\n",
        java.nio.file.StandardOpenOption.CREATE,
        java.nio.file.StandardOpenOption.APPEND);
    return mount;
  }

  private Path version2(String controllers) throws IOException {
    Path mount = Files.createDirectories(dir.resolve("unified"));
    Files.writeString(
        dir.resolve("mountinfo"), "41 31 0:38 / " + mount + " rw - cgroup2 cgroup2 rw\n");
    write(mount, "cgroup.controllers", controllers + "\n");
    for (String each : List.of("", "mezzo", "mezzo/test")) {
      Files.createDirectories(mount.resolve(each));
      write(mount.resolve(each), "cgroup.subtree_control", "");
    }
    return mount;
  }

  private static Path group(Path mount, String id) throws IOException {
    return Files.createDirectories(mount.resolve("mezzo/test").resolve(id));
  }

  private CpuIsolator cpu() throws Exception {
    CpuIsolator cpu = new CpuIsolator(dir.resolve("mountinfo"));
    cpu.open(agent(dir.resolve("runtime"), flags));
    return cpu;
  }

  private MemoryIsolator memory() throws Exception {
    return memory(new MemoryIsolator(dir.resolve("mountinfo")));
  }

  /** One that looks at nothing of which it will be told. */
  private MemoryIsolator listening() throws Exception {
    return memory(new MemoryIsolator(dir.resolve("mountinfo"), Integer.MAX_VALUE));
  }

  private MemoryIsolator memory(MemoryIsolator opened) throws Exception {
    memory = opened;
    FakeDaemonContext agent = agent(dir.resolve("runtime"), flags);
    metrics = agent.metrics();
    memory.open(agent);
    memory.limitations(
        reached -> {
          limitation.complete(
              reached.containerId()
                  + " "
                  + reached.resources().toText()
                  + " "
                  + reached.reason()
                  + " "
                  + reached.message());
          return Sink.Receipt.TAKEN;
        });
    return memory;
  }

  /** An agent with these flags. */
  static FakeDaemonContext agent(Path runtimeDir, Map<String, String> flags) {
    return FakeDaemonContext.agent().withFolders(runtimeDir, runtimeDir).withFlags(flags);
  }

  static Container container(String id, String resources, String limits) throws Exception {
    return Container.builder(id, Path.of("/nowhere"))
        .resources(
            Resources.parse(resources, "*"),
            limits.isEmpty() ? Resources.EMPTY : Resources.parse(limits, "*"))
        .build();
  }

  private static void fake(Path group, String... files) throws IOException {
    for (String file : files) {
      write(group, file, "");
    }
  }

  private static void write(Path group, String file, String text) throws IOException {
    Path fresh = Files.createTempFile(group.getParent(), "fake", "");
    Files.writeString(fresh, text);
    Files.move(fresh, group.resolve(file), java.nio.file.StandardCopyOption.REPLACE_EXISTING);
  }

  /** What a file of the kernel says from now on; whoever has it open sees that, too. */
  private static void says(Path group, String file, String text) throws IOException {
    Files.writeString(group.resolve(file), text);
  }

  private static String read(Path group, String file) throws IOException {
    return Files.readString(group.resolve(file)).strip();
  }
}
