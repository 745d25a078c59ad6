package org.mezzo.agent.volumes;

import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.function.BiConsumer;
import java.util.function.Supplier;
import org.mezzo.api.Metrics;
import org.mezzo.resources.Resource;
import org.mezzo.resources.Resources;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Looks now and then whether the persistent volumes of an agent can still be used, and says of each
 * that cannot so once: its directory may have been removed by hand, its disk unmounted. Launches
 * and operations find out by themselves. Safe for any thread.
 */
public final class VolumeWatch {
  private static final Logger LOG = LoggerFactory.getLogger(VolumeWatch.class);

  private final VolumeStore store;
  private final Supplier<Resources> total;
  private final Executor worker;
  private final Duration period;
  private final BiConsumer<Duration, Runnable> timers;

  /** What was said of volumes that cannot be used, by the volume; of the worker. */
  private final Map<Resource, String> said = new HashMap<>();

  private volatile int unusable;

  /**
   * Looks at nothing before {@link #start}.
   *
   * @param total of which the volumes are known
   * @param worker where files are looked at, one look at a time
   * @param timers runs something later
   */
  public VolumeWatch(
      VolumeStore store,
      Supplier<Resources> total,
      Executor worker,
      Duration period,
      BiConsumer<Duration, Runnable> timers,
      Metrics metrics) {
    this.store = store;
    this.total = total;
    this.worker = worker;
    this.period = period;
    this.timers = timers;
    metrics.gauge("slave/mezzo/volumes_unusable", () -> unusable);
  }

  /** Begins to look. */
  public void start() {
    try {
      worker.execute(this::look);
    } catch (RejectedExecutionException e) {
      LOG.debug("The agent is stopping");
    }
  }

  private void look() {
    Map<Resource, String> found = new HashMap<>();
    for (Resource volume : total.get().persistentVolumes()) {
      store.obstacle(volume).ifPresent(problem -> found.put(volume.withCopies(1), problem));
    }
    found.forEach(
        (volume, problem) -> {
          if (!problem.equals(said.get(volume))) {
            LOG.error("{}", problem);
          }
        });
    said.keySet().stream()
        .filter(volume -> !found.containsKey(volume))
        .forEach(
            volume -> LOG.info("Persistent volume {} can be used again, or is no more", volume));
    said.clear();
    said.putAll(found);
    unusable = found.size();
    timers.accept(period, this::start);
  }
}
