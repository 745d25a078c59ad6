package org.mezzo.containerizer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.mezzo.api.Sink;
import org.mezzo.api.isolator.CgroupWatch;
import org.mezzo.api.isolator.CgroupWatch.News;
import org.mezzo.api.isolator.Container;
import org.mezzo.api.isolator.Isolator;
import org.mezzo.api.isolator.LaunchPlan;
import org.mezzo.api.isolator.RecoveredContainer;
import org.mezzo.containerizer.Containerizer.Launched;
import org.mezzo.fixtures.Await;
import org.mezzo.modules.Kinds;
import org.mezzo.protocol.v1.CommandInfo;

/** What isolators are told of memory cgroups of version 1, by either launcher. */
class MemoryEventsTest {
  private static final Path HIERARCHY = Path.of("/sys/fs/cgroup/memory");

  @TempDir Path folder;
  private final Path cgroup = HIERARCHY.resolve("mezzo-events-" + ProcessHandle.current().pid());
  private Containerizer containerizer;

  /** Has one container, in a cgroup that is there already. */
  private final class Limiting implements Isolator {
    final BlockingQueue<News> told = new LinkedBlockingQueue<>();
    private Sink<CgroupWatch> sink;

    @Override
    public void watches(Sink<CgroupWatch> given) {
      sink = given;
    }

    @Override
    public void recover(List<RecoveredContainer> containers) {
      // There are none.
    }

    @Override
    public LaunchPlan prepare(Container container) {
      return LaunchPlan.NONE;
    }

    @Override
    public void isolate(Container container, long pid) {
      sink.report(CgroupWatch.of(container.id(), cgroup));
    }

    @Override
    public void watched(CgroupWatch watch, News news) {
      assertThat(watch.cgroup()).isEqualTo(cgroup);
      told.add(news);
    }

    @Override
    public void cleanup(Container container) {
      // The test removes it.
    }

    News next() throws Exception {
      return told.poll(60, TimeUnit.SECONDS);
    }
  }

  @AfterEach
  void close() {
    if (containerizer != null) {
      containerizer.close(Duration.ofSeconds(5));
    }
    Await.until("what was in the cgroup is gone", () -> removed(cgroup));
  }

  private static boolean removed(Path cgroup) throws Exception {
    try {
      Files.deleteIfExists(cgroup);
      return true;
    } catch (FileSystemException e) {
      return false;
    }
  }

  private Launched launch() throws Exception {
    return containerizer
        .launch(
            LaunchRequest.builder(
                    ContainerId.of("c"),
                    CommandInfo.newBuilder().setShell(true).setValue("sleep 1000").build(),
                    folder.resolve("sandboxes/c"))
                .build())
        .toCompletableFuture()
        .get(60, TimeUnit.SECONDS);
  }

  private void exceed() throws Exception {
    String grows = "echo $$ > " + cgroup + "/cgroup.procs; x=0123456789; while :; do x=$x$x; done";
    Process process = new ProcessBuilder("sh", "-c", grows).start();
    assertThat(process.waitFor(60, TimeUnit.SECONDS)).isTrue();
  }

  @Test
  void theKernelIsListenedToByWhicheverSpawnerThereIs() throws Exception {
    assumeTrue(
        Files.isWritable(HIERARCHY) && Files.exists(HIERARCHY.resolve("cgroup.event_control")),
        "this account may not make cgroups of version 1 in " + HIERARCHY);
    Files.createDirectory(cgroup);
    Files.writeString(cgroup.resolve("memory.limit_in_bytes"), "" + (32 << 20));
    Limiting limiting = new Limiting();
    containerizer =
        new FakeAgent(folder)
            .launching(NativeLaunchers.built())
            .with(Kinds.ISOLATOR, "limiting", limiting)
            .containerizer("limiting");
    Launched launched = launch();
    assertThat(limiting.next()).isEqualTo(News.BEGUN);
    exceed();
    assertThat(limiting.next()).isEqualTo(News.HAPPENED);

    ProcessHandle shim = ProcessHandle.of(launched.pid()).flatMap(ProcessHandle::parent).get();
    shim.parent().get().destroyForcibly();
    assertThat(limiting.next()).isEqualTo(News.ENDED);
    assertThat(limiting.next()).isEqualTo(News.BEGUN);
    exceed();
    assertThat(limiting.next()).isEqualTo(News.HAPPENED);
  }

  @Test
  void whatCannotBeListenedToIsSaid() throws Exception {
    Limiting limiting = new Limiting();
    containerizer =
        new FakeAgent(folder)
            .launching(NativeLaunchers.built())
            .with(Kinds.ISOLATOR, "limiting", limiting)
            .containerizer("limiting");
    // There is no such cgroup.
    launch();
    assertThat(limiting.next()).isEqualTo(News.ENDED);
  }

  @Test
  void theShellListensToNothing() throws Exception {
    Limiting limiting = new Limiting();
    containerizer =
        new FakeAgent(folder)
            .launching(LauncherChoice.SHELL)
            .with(Kinds.ISOLATOR, "limiting", limiting)
            .containerizer("limiting");
    launch();
    assertThat(limiting.next()).isEqualTo(News.ENDED);
  }
}
