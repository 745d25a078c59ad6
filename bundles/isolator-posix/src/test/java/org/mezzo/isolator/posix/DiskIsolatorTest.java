package org.mezzo.isolator.posix;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.function.BooleanSupplier;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.mezzo.api.isolator.Container;
import org.mezzo.api.isolator.ContainerLimitation;
import org.mezzo.api.isolator.LaunchPlan;
import org.mezzo.api.isolator.RecoveredContainer;
import org.mezzo.api.isolator.RecoveredContainer.Phase;
import org.mezzo.protocol.v1.DiskStatistics;
import org.mezzo.protocol.v1.Resource;
import org.mezzo.protocol.v1.Resource.DiskInfo;
import org.mezzo.protocol.v1.Resource.ReservationInfo;
import org.mezzo.protocol.v1.ResourceStatistics;
import org.mezzo.protocol.v1.Value;
import org.mezzo.protocol.v1.Volume;
import org.mezzo.resources.Resources;
import org.mezzo.testing.FakeDaemonContext;
import org.mezzo.testing.FakeSink;

class DiskIsolatorTest {
  private static final int MEGABYTE = 1024 * 1024;

  @TempDir private Path folder;
  private final FakeSink<ContainerLimitation> reached = new FakeSink<>();
  private final FakeDaemonContext agent = FakeDaemonContext.agent();
  private DiskIsolator isolator;
  private Path sandbox;

  @BeforeEach
  void open() throws Exception {
    sandbox = Files.createDirectories(folder.resolve("sandbox"));
    open(true);
  }

  private void open(boolean enforces) {
    close();
    isolator = new DiskIsolator();
    isolator.open(
        agent.withFlags(
            Map.of(
                "enforce_container_disk_quota",
                Boolean.toString(enforces),
                "container_disk_watch_interval",
                "20ms")));
    isolator.limitations(reached);
  }

  @AfterEach
  void close() {
    if (isolator != null) {
      isolator.close();
    }
  }

  private static Resources disk(double megabytes, Resource... more) throws Exception {
    Resources disk = megabytes == 0 ? Resources.EMPTY : Resources.parse("disk:" + megabytes, "*");
    return disk.plus(Resources.of(List.of(more)));
  }

  private static Resource volume(String id, double megabytes) {
    return Resource.newBuilder()
        .setName("disk")
        .setType(Value.Type.SCALAR)
        .setScalar(Value.Scalar.newBuilder().setValue(megabytes))
        .addReservations(
            ReservationInfo.newBuilder().setType(ReservationInfo.Type.DYNAMIC).setRole("r"))
        .setDisk(
            DiskInfo.newBuilder()
                .setPersistence(DiskInfo.Persistence.newBuilder().setId(id))
                .setVolume(Volume.newBuilder().setContainerPath("data").setMode(Volume.Mode.RW)))
        .build();
  }

  private Container container(Resources resources) {
    return Container.builder("c", sandbox).resources(resources, Resources.EMPTY).build();
  }

  /** All of it at once: what is half written may be measured, too. */
  private void fill(Path file, int megabytes) throws Exception {
    Files.createDirectories(file.getParent());
    Path whole = Files.write(folder.resolve("whole"), new byte[megabytes * MEGABYTE]);
    Files.move(whole, file, StandardCopyOption.ATOMIC_MOVE);
  }

  private ResourceStatistics usage(Container container) {
    await(() -> isolator.usage(container).isPresent());
    return isolator.usage(container).orElseThrow();
  }

  private static void await(BooleanSupplier condition) {
    Instant limit = Instant.now().plus(Duration.ofSeconds(60));
    while (!condition.getAsBoolean()) {
      assertThat(Instant.now()).as("60 s have passed").isBefore(limit);
      Thread.onSpinWait();
    }
  }

  /** Until everything there now was looked at. */
  private void awaitMeasured(int times) {
    double until = agent.metrics().value("measurements") + times;
    await(() -> agent.metrics().value("measurements") >= until);
  }

  @Test
  void whoUsesMoreThanItsDiskIsReportedWithWhatUsesMost() throws Exception {
    Container container = container(disk(3));
    isolator.prepare(container);
    assertThat(usage(container).getDiskLimitBytes()).isEqualTo(3 * MEGABYTE);
    assertThat(reached.reports()).isEmpty();
    fill(sandbox.resolve("small/file"), 1);
    fill(sandbox.resolve("large\nname"), 4);
    await(() -> !reached.reports().isEmpty());
    ContainerLimitation limitation = reached.reports().get(0);
    assertThat(limitation.containerId()).isEqualTo("c");
    assertThat(limitation.reason()).isEqualTo("REASON_CONTAINER_LIMITATION_DISK");
    assertThat(limitation.resources().scalar("disk")).isEqualTo(5000);
    assertThat(limitation.message())
        .startsWith("Disk limit exceeded: sandbox uses 5 MB of 3 MB. Largest in it: ")
        .contains("large?name with 4 MB, small with 1 MB.")
        .endsWith("Raise the task's 'disk' if it needs more.");
    awaitMeasured(2);
    assertThat(reached.reports()).as("once is enough").hasSize(1);
    assertThat(usage(container).getDiskUsedBytes()).isGreaterThan(5 * MEGABYTE);
  }

  @Test
  void whatIsAllocatedCountsAndNotWhatFilesSeemToBe() throws Exception {
    try (RandomAccessFile sparse = new RandomAccessFile(sandbox.resolve("hole").toFile(), "rw")) {
      sparse.setLength(1L << 30);
    }
    fill(folder.resolve("elsewhere"), 5);
    Files.createSymbolicLink(sandbox.resolve("link"), folder.resolve("elsewhere"));
    Files.createSymbolicLink(sandbox.resolve("all"), Path.of("/usr"));
    Container container = container(disk(1));
    isolator.prepare(container);
    awaitMeasured(2);
    assertThat(reached.reports()).isEmpty();
    assertThat(usage(container).getDiskUsedBytes()).isLessThan(MEGABYTE);
  }

  @Test
  void measuresOnlyWhereNothingIsEnforcedOrThereIsNoLimit() throws Exception {
    fill(sandbox.resolve("file"), 2);
    Container without = container(disk(0));
    isolator.prepare(without);
    awaitMeasured(2);
    assertThat(usage(without).hasDiskLimitBytes()).isFalse();
    assertThat(reached.reports()).isEmpty();
    isolator.cleanup(without);

    open(false);
    Container limited = container(disk(1));
    isolator.prepare(limited);
    awaitMeasured(2);
    assertThat(usage(limited).getDiskUsedBytes()).isGreaterThan(MEGABYTE);
    assertThat(reached.reports()).isEmpty();
  }

  @Test
  void aVolumeHasItsOwnLimitForTheNextInstanceToo() throws Exception {
    Path data = Files.createDirectories(folder.resolve("volumes/v"));
    Files.createSymbolicLink(sandbox.resolve("data"), data);
    Container container = container(disk(1, volume("v", 4)));
    LaunchPlan plan = isolator.prepare(container);
    fill(data.resolve("file"), 3);
    awaitMeasured(4);
    assertThat(reached.reports()).as("it is not the sandbox's").isEmpty();
    DiskStatistics of = usage(container).getDiskStatistics(0);
    assertThat(of.getPersistence().getId()).isEqualTo("v");
    assertThat(of.getUsedBytes()).isGreaterThanOrEqualTo(3 * MEGABYTE);
    assertThat(of.getLimitBytes()).isEqualTo(4 * MEGABYTE);

    // The sandbox is the task's by now: where the link leads does not matter any more.
    Files.delete(sandbox.resolve("data"));
    Files.createSymbolicLink(sandbox.resolve("data"), Path.of("/usr"));
    open(true);
    isolator.recover(List.of(RecoveredContainer.of(container, Phase.ISOLATED, plan.state())));
    awaitMeasured(4);
    assertThat(reached.reports()).isEmpty();
    fill(data.resolve("more"), 2);
    await(() -> !reached.reports().isEmpty());
    assertThat(reached.reports().get(0).message())
        .startsWith("Disk limit exceeded: persistent volume 'v' uses 5 MB of 4 MB.")
        .endsWith("Grow the volume, or delete some of it.");
  }

  @Test
  void anotherAmountOfDiskCountsFromNowOn() throws Exception {
    fill(sandbox.resolve("file"), 2);
    isolator.prepare(container(disk(3)));
    awaitMeasured(2);
    assertThat(reached.reports()).isEmpty();
    isolator.update(container(disk(1)));
    await(() -> !reached.reports().isEmpty());
  }

  @Test
  void whatIsGoneIsNotMeasured() throws Exception {
    Container container = container(disk(1));
    isolator.prepare(container);
    usage(container);
    isolator.cleanup(container);
    assertThat(isolator.usage(container)).isEmpty();
    assertThat(agent.metrics().value("containers")).isZero();
  }

  @Test
  void readsDurationsAsFlagsHaveThem() {
    assertThat(DiskIsolator.interval("15secs")).isEqualTo(Duration.ofSeconds(15));
    assertThat(DiskIsolator.interval("1.5mins")).isEqualTo(Duration.ofSeconds(90));
    assertThat(DiskIsolator.interval("1hrs")).isEqualTo(Duration.ofHours(1));
    assertThat(DiskIsolator.interval("soon")).isEqualTo(Duration.ofSeconds(15));
  }
}
