package org.mezzo.daemon.metrics;

import java.lang.management.GarbageCollectorMXBean;
import java.lang.management.ManagementFactory;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.LongAdder;
import javax.management.Notification;
import javax.management.NotificationEmitter;
import javax.management.openmbean.CompositeData;
import org.mezzo.api.Metrics;

/**
 * How often and for how long the collector of garbage stopped every thread of this process, as the
 * JVM tells after each pause, in whole milliseconds. What a collector does beside the program is no
 * pause: collectors that have a bean for their cycles have another for their pauses. Begun once for
 * the process, when first asked for; safe for any thread.
 */
public final class CollectorPauses {
  /**
   * {@code com.sun.management.GarbageCollectionNotificationInfo.GARBAGE_COLLECTION_NOTIFICATION}.
   */
  private static final String COLLECTED = "com.sun.management.gc.notification";

  private static final CollectorPauses PROCESS = new CollectorPauses();

  static {
    for (GarbageCollectorMXBean bean : ManagementFactory.getGarbageCollectorMXBeans()) {
      if (pauses(bean.getName()) && bean instanceof NotificationEmitter emitter) {
        emitter.addNotificationListener((event, unused) -> PROCESS.collected(event), null, null);
      }
    }
  }

  private final Longest longest = new Longest();
  private final LongAdder count = new LongAdder();
  private final LongAdder millis = new LongAdder();

  CollectorPauses() {}

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

  /**
   * Registers the pauses of this process: the longest of the last minute, at least, their number
   * and their sum.
   */
  public static void measure(Metrics metrics) {
    PROCESS.register(metrics);
  }

  void register(Metrics metrics) {
    metrics.gauge("system/mezzo/gc_pause_longest_ms", () -> longest.nanos(System.nanoTime()) / 1e6);
    metrics.gauge("system/mezzo/gc_pauses", count::sum);
    metrics.gauge("system/mezzo/gc_pauses_total_ms", millis::sum);
  }
}
