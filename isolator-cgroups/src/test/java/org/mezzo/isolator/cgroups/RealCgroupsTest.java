package org.mezzo.isolator.cgroups;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.mezzo.api.Sink;
import org.mezzo.api.isolator.Container;
import org.mezzo.api.isolator.ContainerLimitation;
import org.mezzo.api.isolator.Isolator;
import org.mezzo.api.isolator.RecoveredContainer;
import org.mezzo.api.isolator.RecoveredContainer.Phase;
import org.mezzo.protocol.v1.ResourceStatistics;
import org.mezzo.testing.FakeDaemonContext;
import org.mezzo.testing.FakeSink;

/** The kernel's own cgroups, where this account may make some. */
class RealCgroupsTest {
  private static final Path PREFERRED = Path.of("/sys/fs/cgroup");

  @TempDir Path runtime;
  private String root;
  private Process process;
  private Isolator isolator;

  @BeforeEach
  void nameTheRoot() {
    root = "mezzo-test-" + ProcessHandle.current().pid();
  }

  @AfterEach
  void removeEverything() throws Exception {
    if (process != null) {
      process.destroyForcibly().waitFor();
    }
    if (isolator != null) {
      isolator.close();
    }
    for (String controller : List.of("cpu", "cpuacct", "memory")) {
      Optional<Hierarchy> hierarchy =
          Hierarchy.find(CgroupIsolator.MOUNT_INFO, controller, PREFERRED);
      if (hierarchy.isPresent()) {
        Files.deleteIfExists(hierarchy.get().mount().resolve(root));
      }
    }
  }

  @Test
  void aContainerThatNeedsTooMuchIsReported() throws Exception {
    Path mount = writable("memory");
    CompletableFuture<String> limitation = new CompletableFuture<>();
    isolator = new MemoryIsolator();
    isolator.open(FakeTreeTest.agent(runtime, Map.of("cgroups_root", root)));
    isolator.limitations(
        reached -> {
          limitation.complete(
              reached.containerId() + " " + reached.reason() + " " + reached.message());
          return Sink.Receipt.TAKEN;
        });
    isolator.recover(List.of());
    Container container = FakeTreeTest.container("c1", "mem:32", "");

    isolator.prepare(container);
    // A shell that doubles a text needs more than any limit soon.
    start("x=0123456789; while :; do x=$x$x; done");
    isolator.isolate(container, process.pid());
    ResourceStatistics before = isolator.usage(container).orElseThrow();
    assertThat(before.getMemLimitBytes()).isEqualTo(32 * 1024 * 1024);
    release();

    assertThat(limitation.get(60, TimeUnit.SECONDS))
        .startsWith("c1 REASON_CONTAINER_LIMITATION_MEMORY Memory limit exceeded: limit 32 MB");
    process.destroyForcibly().waitFor();
    isolator.cleanup(container);
    assertThat(mount.resolve(root).resolve("c1")).doesNotExist();
  }

  @Test
  void aReasonIsKnownAtTheLatestInTheCleanup() throws Exception {
    writable("memory");
    FakeSink<ContainerLimitation> limitations = new FakeSink<>();
    isolator = new MemoryIsolator();
    isolator.open(FakeTreeTest.agent(runtime, Map.of("cgroups_root", root)));
    isolator.limitations(limitations);
    isolator.recover(List.of());
    Container container = FakeTreeTest.container("c1", "mem:32", "");
    isolator.prepare(container);
    start("x=0123456789; while :; do x=$x$x; done");
    isolator.isolate(container, process.pid());
    release();
    assertThat(process.waitFor(60, TimeUnit.SECONDS)).as("the kernel kills").isTrue();
    isolator.cleanup(container);
    assertThat(limitations.reports()).hasSize(1);
    assertThat(limitations.reports().get(0).message()).contains("limit 32 MB", "peak 3");
  }

  @Test
  void cpuTimeIsCountedAndALaterInstanceTakesOver() throws Exception {
    Path mount = writable("cpu");
    isolator = new CpuIsolator();
    FakeDaemonContext agent = FakeTreeTest.agent(runtime, Map.of("cgroups_root", root));
    isolator.open(agent);
    isolator.recover(List.of());
    Container container = FakeTreeTest.container("c1", "cpus:0.5", "");
    isolator.prepare(container);
    start("while :; do :; done");
    isolator.isolate(container, process.pid());
    release();
    isolator.close();

    isolator = new CpuIsolator();
    isolator.open(agent);
    isolator.recover(
        List.of(
            RecoveredContainer.of(
                container.toBuilder().pid(process.pid()).build(), Phase.ISOLATED, new byte[0])));
    double used = 0;
    long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(60);
    while (used == 0 && System.nanoTime() < end) {
      ResourceStatistics usage = isolator.usage(container).orElseThrow();
      used = usage.getCpusUserTimeSecs() + usage.getCpusSystemTimeSecs();
      Thread.onSpinWait();
    }
    assertThat(used).isPositive();
    isolator.update(FakeTreeTest.container("c1", "cpus:1", "cpus:2"));
    process.destroyForcibly().waitFor();
    isolator.cleanup(container);
    assertThat(mount.resolve(root).resolve("c1")).doesNotExist();
  }

  private static Path writable(String controller) throws Exception {
    assumeTrue(Files.isReadable(CgroupIsolator.MOUNT_INFO), "no Linux");
    Optional<Hierarchy> hierarchy =
        Hierarchy.find(CgroupIsolator.MOUNT_INFO, controller, PREFERRED);
    assumeTrue(hierarchy.isPresent(), "no cgroup hierarchy with " + controller + " is mounted");
    assumeTrue(
        Files.isWritable(hierarchy.get().mount())
            && (!hierarchy.get().unified()
                || Files.isWritable(hierarchy.get().mount().resolve("cgroup.subtree_control"))),
        "this account may not make cgroups in " + hierarchy.get().mount());
    return hierarchy.get().mount();
  }

  /** Starts a shell that waits to be released. */
  private void start(String script) throws Exception {
    process =
        new ProcessBuilder("/bin/sh", "-c", "read go; " + script)
            .redirectOutput(ProcessBuilder.Redirect.DISCARD)
            .redirectError(ProcessBuilder.Redirect.DISCARD)
            .start();
  }

  private void release() throws Exception {
    process.getOutputStream().write('\n');
    process.getOutputStream().flush();
  }
}
