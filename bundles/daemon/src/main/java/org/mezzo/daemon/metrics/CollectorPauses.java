package org.mezzo.daemon.metrics;

import java.lang.management.ManagementFactory;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.LongAdder;
import javax.management.ListenerNotFoundException;
import javax.management.Notification;
import javax.management.NotificationEmitter;
import javax.management.NotificationListener;
import javax.management.openmbean.CompositeData;
import org.mezzo.api.Metrics;

/**
 * How often and for how long the collector of garbage stopped every thread of this process, as the
 * JVM tells after each pause, in whole milliseconds. What a collector does beside the program is no
 * pause: collectors that have a bean for their cycles have another for their pauses. Counts from
 * when it is made until it is closed; safe for any thread.
 */
public final class CollectorPauses implements AutoCloseable {
  /**
   * {@code com.sun.management.GarbageCollectionNotificationInfo.GARBAGE_COLLECTION_NOTIFICATION}.
   */
  private static final String COLLECTED = "com.sun.management.gc.notification";

  private final List<NotificationEmitter> collectors;
  private final NotificationListener listener = (event, unused) -> collected(event);
  private final Longest longest = new Longest();
  private final LongAdder count = new LongAdder();
  private final LongAdder millis = new LongAdder();

  /** Listens to these. */
  CollectorPauses(List<NotificationEmitter> collectors) {
    this.collectors = collectors;
    collectors.forEach(it -> it.addNotificationListener(listener, null, null));
  }

  /** Listens to the collectors of this process. */
  public static CollectorPauses ofProcess() {
    return new CollectorPauses(
        ManagementFactory.getGarbageCollectorMXBeans().stream()
            .filter(bean -> pauses(bean.getName()))
            .filter(NotificationEmitter.class::isInstance)
            .map(NotificationEmitter.class::cast)
            .toList());
  }

  /** Whether the bean of that name tells of pauses; ZGC and Shenandoah have some of cycles. */
  static boolean pauses(String name) {
    return !name.endsWith("Cycles");
  }

  private void collected(Notification event) {
    if (event.getType().equals(COLLECTED)
        && event.getUserData() instanceof CompositeData data
        && data.get("gcInfo") instanceof CompositeData info
        && info.get("duration") instanceof Long duration) {
      record(duration);
    }
  }

  void record(long duration) {
    count.increment();
    millis.add(duration);
    longest.record(System.nanoTime(), TimeUnit.MILLISECONDS.toNanos(duration));
  }

  /** Registers the longest pause of the last minute, at least, their number and their sum. */
  public void measure(Metrics metrics) {
    metrics.gauge("system/mezzo/gc_pause_longest_ms", () -> longest.nanos(System.nanoTime()) / 1e6);
    metrics.gauge("system/mezzo/gc_pauses", count::sum);
    metrics.gauge("system/mezzo/gc_pauses_total_ms", millis::sum);
  }

  /** Listens no more: the JVM must not hold what has ended. */
  @Override
  public void close() {
    for (NotificationEmitter collector : collectors) {
      try {
        collector.removeNotificationListener(listener);
      } catch (ListenerNotFoundException e) {
        // Closed before.
      }
    }
  }
}
