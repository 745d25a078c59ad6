package org.mezzo.isolator.posix;

import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicBoolean;
import org.mezzo.api.Metrics;
import org.mezzo.api.Sink;
import org.mezzo.api.isolator.ContainerLimitation;
import org.mezzo.resources.Resource;
import org.mezzo.resources.ResourceFormatException;
import org.mezzo.resources.Resources;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Measures one container after the other, for ever, each not more often than once in an interval,
 * and reports those that use more than they may. One thread and one program at a time for all of an
 * agent.
 */
final class DiskWatch implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(DiskWatch.class);
  private static final long MEGABYTE = 1024 * 1024;
  private static final int NAMED = 3;
  private static final Duration IDLE = Duration.ofMillis(200);
  private static final String REASON = "REASON_CONTAINER_LIMITATION_DISK";

  /**
   * Something of a container that is measured for itself.
   *
   * @param what for people
   * @param path a directory
   * @param limit in bytes; 0 for none
   * @param volume the persistent volume that it is; empty for the sandbox
   */
  record Place(String what, Path path, long limit, Optional<Resource> volume) {}

  /** What was found there. */
  record Measured(Place place, long bytes) {}

  private static final class Watched {
    final List<Place> places;
    final Sink<ContainerLimitation> sink;
    volatile List<Measured> measured = List.of();

    /** When it is measured next, by the clock of {@link System#nanoTime}. */
    long due;

    boolean told;

    Watched(List<Place> places, Sink<ContainerLimitation> sink, long due) {
      this.places = List.copyOf(places);
      this.sink = sink;
      this.due = due;
    }
  }

  private final Map<String, Watched> watched = new ConcurrentHashMap<>();
  private final AtomicBoolean closed = new AtomicBoolean();
  private final Duration interval;
  private final boolean enforces;
  private final Metrics.Counter measurements;
  private final Metrics.Counter failures;
  private final Metrics.Counter exceeded;
  private final DiskUse use = new DiskUse();
  private final Thread thread;
  private volatile double longest;

  DiskWatch(String daemon, Duration interval, boolean enforces, Metrics metrics) {
    this.interval = interval;
    this.enforces = enforces;
    measurements = metrics.counter("measurements");
    failures = metrics.counter("measurements_failed");
    exceeded = metrics.counter("limits_exceeded");
    metrics.gauge("containers", watched::size);
    metrics.gauge("measurement_longest_ms", () -> longest);
    metrics.gauge(
        "used_bytes",
        () ->
            watched.values().stream()
                .flatMap(each -> each.measured.stream())
                .mapToLong(Measured::bytes)
                .sum());
    thread = new Thread(this::run, daemon + "-disk-watch");
    thread.setDaemon(true);
    thread.start();
  }

  /** Measures a container from now on, or by other limits. */
  void add(String containerId, List<Place> places, Sink<ContainerLimitation> sink) {
    watched.compute(
        containerId,
        (id, before) -> {
          Watched next =
              new Watched(places, sink, System.nanoTime() + (before == null ? first() : 0));
          if (before != null) {
            next.measured = before.measured;
            next.due = before.due;
          }
          return next;
        });
  }

  /** Most containers that are new have nothing yet; and they shall not all come at once. */
  private long first() {
    return (long) (interval.toNanos() * Math.min(1, 0.1 + Math.random() * 0.4));
  }

  /** What is measured of a container. */
  List<Place> places(String containerId) {
    Watched one = watched.get(containerId);
    return one == null ? List.of() : one.places;
  }

  /** What was found of it last; nothing before it was measured. */
  List<Measured> measured(String containerId) {
    Watched one = watched.get(containerId);
    return one == null ? List.of() : one.measured;
  }

  void remove(String containerId) {
    watched.remove(containerId);
  }

  private void run() {
    while (!closed.get()) {
      try {
        Optional<Map.Entry<String, Watched>> next =
            watched.entrySet().stream()
                .min(Comparator.comparingLong(each -> each.getValue().due - System.nanoTime()));
        long wait =
            next.map(each -> each.getValue().due - System.nanoTime()).orElse(IDLE.toNanos());
        if (wait > 0) {
          // One that is added meanwhile may be due before.
          Thread.sleep(Math.max(1, Math.min(wait, IDLE.toNanos()) / 1_000_000));
        } else {
          measure(next.get().getKey(), next.get().getValue());
        }
      } catch (InterruptedException e) {
        return;
      } catch (RuntimeException e) {
        LOG.error("Measuring the disk that containers use failed; it goes on", e);
      }
    }
  }

  private void measure(String containerId, Watched one) throws InterruptedException {
    long began = System.nanoTime();
    one.due = began + interval.toNanos();
    List<Measured> found = new ArrayList<>();
    for (Place place : one.places) {
      try {
        found.add(new Measured(place, use.of(place.path())));
        measurements.increment();
      } catch (IOException e) {
        failures.increment();
        LOG.warn(
            "The {} of container {} was not measured: {}",
            place.what(),
            containerId,
            e.getMessage());
      }
    }
    long took = System.nanoTime() - began;
    longest = Math.max(longest, took / 1e6);
    // What takes long is looked at less often: a twentieth of the time at most.
    one.due = Math.max(one.due, began + 20 * took);
    one.measured = List.copyOf(found);
    if (!enforces || one.told) {
      return;
    }
    for (Measured each : found) {
      if (each.place().limit() > 0
          && each.bytes() > each.place().limit()
          && watched.get(containerId) == one) {
        one.told = report(containerId, one, each) == Sink.Receipt.TAKEN;
        exceeded.increment();
        return;
      }
    }
  }

  private Sink.Receipt report(String containerId, Watched one, Measured over)
      throws InterruptedException {
    Place place = over.place();
    String message =
        "Disk limit exceeded: "
            + place.what()
            + " uses "
            + megabytes(over.bytes())
            + " of "
            + megabytes(place.limit())
            + "."
            + largest(place.path())
            + (place.volume().isPresent()
                ? " Grow the volume, or delete some of it."
                : " Raise the task's 'disk' if it needs more.");
    return one.sink.report(ContainerLimitation.of(containerId, resources(over), REASON, message));
  }

  private String largest(Path path) throws InterruptedException {
    try {
      StringBuilder text = new StringBuilder();
      for (DiskUse.Part part : use.largest(path, NAMED)) {
        text.append(text.isEmpty() ? " Largest in it: " : ", ")
            .append(part.name())
            .append(" with ")
            .append(megabytes(part.bytes()));
      }
      return text.isEmpty() ? "" : text + ".";
    } catch (IOException e) {
      LOG.debug("What uses most in {} is not known", path, e);
      return "";
    }
  }

  private static Resources resources(Measured over) {
    try {
      long megabytes = Math.max(1, over.bytes() / MEGABYTE);
      return over.place().volume().isPresent()
          ? Resources.of(over.place().volume().get().withCopies(1))
          : Resources.parse("disk:" + megabytes, "*");
    } catch (ResourceFormatException e) {
      throw new IllegalStateException(e);
    }
  }

  /** With one digit behind the point where it is little. */
  private static String megabytes(long bytes) {
    double value = bytes / (double) MEGABYTE;
    double shown = value >= 10 ? Math.round(value) : Math.round(value * 10) / 10.0;
    return (shown == Math.rint(shown) ? Long.toString((long) shown) : Double.toString(shown))
        + " MB";
  }

  @Override
  public void close() {
    closed.set(true);
    thread.interrupt();
  }
}
