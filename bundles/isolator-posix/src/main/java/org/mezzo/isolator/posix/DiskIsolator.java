package org.mezzo.isolator.posix;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.mezzo.api.DaemonContext;
import org.mezzo.api.MezzoModule;
import org.mezzo.api.Sink;
import org.mezzo.api.isolator.Container;
import org.mezzo.api.isolator.ContainerLimitation;
import org.mezzo.api.isolator.Isolator;
import org.mezzo.api.isolator.LaunchPlan;
import org.mezzo.api.isolator.RecoveredContainer;
import org.mezzo.protocol.v1.DiskStatistics;
import org.mezzo.protocol.v1.Resource.DiskInfo;
import org.mezzo.protocol.v1.ResourceStatistics;
import org.mezzo.resources.Resource;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.ServiceScope;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Measures what containers use of the disk, their sandbox and each persistent volume for itself,
 * and, where {@code enforce_container_disk_quota} is set, reports those that use more than their
 * {@code disk}. One container is measured after the other, by one program at a time, so that the
 * cost is bounded whatever their number; {@code container_disk_watch_interval} is the least time
 * between two measurements of one. Links and other file systems are not followed. A container
 * without {@code disk} is measured and not limited, nor is what is on disks of their own kind.
 * Reads these two flags.
 */
@Component(service = Isolator.class, scope = ServiceScope.PROTOTYPE)
@MezzoModule(
    kind = Isolator.KIND,
    name = "disk/du",
    version = "0.1.0",
    author = "Mezzo",
    description = "measures and limits the disk that containers use",
    flags = {"enforce_container_disk_quota", "container_disk_watch_interval"})
public class DiskIsolator implements Isolator {
  private static final Logger LOG = LoggerFactory.getLogger(DiskIsolator.class);
  private static final long MEGABYTE = 1024 * 1024;
  private static final Pattern DURATION = Pattern.compile("([0-9.]+)(ms|secs|mins|hrs|days|weeks)");

  private DaemonContext context;
  private DiskWatch watch;
  private Sink<ContainerLimitation> limitations = reached -> Sink.Receipt.RETIRED;

  @Override
  public void open(DaemonContext opened) {
    context = opened;
    watch =
        new DiskWatch(
            context.daemon(),
            interval(context.flags().getOrDefault("container_disk_watch_interval", "15secs")),
            Boolean.parseBoolean(context.flags().get("enforce_container_disk_quota")),
            context.metrics());
  }

  /** As flags have it; they were checked by the agent. */
  static Duration interval(String text) {
    Matcher matcher = DURATION.matcher(text);
    if (!matcher.matches()) {
      LOG.warn("container_disk_watch_interval '{}' is not understood; it is 15secs", text);
      return Duration.ofSeconds(15);
    }
    double millis =
        switch (matcher.group(2)) {
          case "ms" -> 1;
          case "secs" -> 1000;
          case "mins" -> 60_000;
          case "hrs" -> 3_600_000;
          case "days" -> 86_400_000;
          default -> 604_800_000;
        };
    return Duration.ofMillis(Math.max(1, (long) (Double.parseDouble(matcher.group(1)) * millis)));
  }

  @Override
  public void limitations(Sink<ContainerLimitation> sink) {
    limitations = sink;
  }

  @Override
  public void recover(List<RecoveredContainer> containers) {
    for (RecoveredContainer each : containers) {
      watch(each.container(), volumes(each.state()));
    }
  }

  @Override
  public LaunchPlan prepare(Container container) {
    Map<String, Path> volumes = new LinkedHashMap<>();
    for (Resource volume : container.resources().persistentVolumes()) {
      String at = volume.disk().orElseThrow().getVolume().getContainerPath();
      try {
        // Now the sandbox is the agent's alone: what stands there later is whoever's.
        volumes.put(id(volume), container.sandbox().resolve(at).toRealPath());
      } catch (IOException e) {
        LOG.warn("{} of container {} is not measured: {}", volume, container.id(), e.toString());
      }
    }
    watch(container, volumes);
    return LaunchPlan.builder().state(state(volumes)).build();
  }

  private static String id(Resource volume) {
    return volume.reservationRole().orElse("")
        + "/"
        + volume.disk().orElseThrow().getPersistence().getId();
  }

  /** Ids and directories by turns, each behind a zero byte, which is in neither. */
  private static byte[] state(Map<String, Path> volumes) {
    StringBuilder text = new StringBuilder();
    volumes.forEach((id, path) -> text.append('\0').append(id).append('\0').append(path));
    return text.toString().getBytes(StandardCharsets.UTF_8);
  }

  private static Map<String, Path> volumes(byte[] state) {
    Map<String, Path> volumes = new LinkedHashMap<>();
    String[] parts = new String(state, StandardCharsets.UTF_8).split("\0");
    for (int i = 1; i + 1 < parts.length; i += 2) {
      volumes.put(parts[i], Path.of(parts[i + 1]));
    }
    return volumes;
  }

  private void watch(Container container, Map<String, Path> volumes) {
    List<DiskWatch.Place> places = new ArrayList<>();
    long own = 0;
    for (Resource resource : container.resources()) {
      Optional<DiskInfo> disk = resource.disk();
      if (!resource.name().equals("disk") || resource.kind().isRevocable()) {
        continue;
      }
      if (disk.filter(DiskInfo::hasPersistence).isPresent()) {
        Path path = volumes.get(id(resource));
        // A disk that is a volume as a whole limits itself.
        boolean whole = disk.get().getSource().getType() == DiskInfo.Source.Type.MOUNT;
        if (path != null && Files.isDirectory(path)) {
          places.add(
              new DiskWatch.Place(
                  "persistent volume '" + disk.get().getPersistence().getId() + "'",
                  path,
                  whole ? 0 : bytes(resource.millis()),
                  Optional.of(resource)));
        }
      } else if (disk.filter(DiskInfo::hasSource).isEmpty()) {
        own += resource.millis();
      }
    }
    places.add(
        0, new DiskWatch.Place("sandbox", container.sandbox(), bytes(own), Optional.empty()));
    watch.add(container.id(), places, limitations);
  }

  /** From thousandths of a megabyte. */
  private static long bytes(long thousandths) {
    return thousandths / 1000 * MEGABYTE + thousandths % 1000 * MEGABYTE / 1000;
  }

  @Override
  public void isolate(Container container, long pid) {
    // Measured since it was prepared.
  }

  @Override
  public void update(Container container) {
    Map<String, Path> volumes = new LinkedHashMap<>();
    for (DiskWatch.Place place : watch.places(container.id())) {
      place.volume().ifPresent(volume -> volumes.put(id(volume), place.path()));
    }
    watch(container, volumes);
  }

  @Override
  public Optional<ResourceStatistics> usage(Container container) {
    ResourceStatistics.Builder usage =
        ResourceStatistics.newBuilder().setTimestamp(context.clock().millis() / 1000.0);
    boolean any = false;
    for (DiskWatch.Measured one : watch.measured(container.id())) {
      any = true;
      DiskWatch.Place place = one.place();
      if (place.volume().isEmpty()) {
        usage.setDiskUsedBytes(one.bytes());
        if (place.limit() > 0) {
          usage.setDiskLimitBytes(place.limit());
        }
        continue;
      }
      DiskInfo disk = place.volume().get().disk().orElseThrow();
      DiskStatistics.Builder volume =
          usage
              .addDiskStatisticsBuilder()
              .setPersistence(disk.getPersistence())
              .setUsedBytes(one.bytes());
      if (place.limit() > 0) {
        volume.setLimitBytes(place.limit());
      }
      if (disk.hasSource()) {
        volume.setSource(disk.getSource());
      }
    }
    return any ? Optional.of(usage.build()) : Optional.empty();
  }

  @Override
  public void cleanup(Container container) {
    watch.remove(container.id());
  }

  @Override
  public void close() {
    if (watch != null) {
      watch.close();
    }
  }
}
