package org.mezzo.daemon.metrics;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import javax.management.NotificationBroadcasterSupport;
import javax.management.NotificationFilter;
import javax.management.NotificationListener;
import org.junit.jupiter.api.Test;
import org.mezzo.fixtures.Await;

class CollectorPausesTest {
  @Test
  void aCollectionOfThisProcessIsCounted() throws Exception {
    MetricsRegistry metrics = new MetricsRegistry();
    try (CollectorPauses pauses = CollectorPauses.ofProcess()) {
      pauses.measure(metrics);
      double before = metrics.snapshot().get("system/mezzo/gc_pauses");
      System.gc();
      // The JVM tells of it on a thread of its own.
      Await.until(
          "a collection is told of",
          () -> metrics.snapshot().get("system/mezzo/gc_pauses") > before);
    }
  }

  /** The JVM outlives a daemon, and would hold what it still tells of collections. */
  @Test
  void theJvmHoldsNothingOfWhatIsClosed() throws Exception {
    class Collector extends NotificationBroadcasterSupport {
      final List<NotificationListener> listeners = new ArrayList<>();

      @Override
      public void addNotificationListener(
          NotificationListener listener, NotificationFilter filter, Object handback) {
        listeners.add(listener);
      }

      @Override
      public void removeNotificationListener(NotificationListener listener) {
        listeners.remove(listener);
      }
    }
    Collector young = new Collector();
    Collector old = new Collector();
    CollectorPauses pauses = new CollectorPauses(List.of(young, old));
    assertThat(young.listeners).hasSize(1);
    assertThat(old.listeners).hasSize(1);
    pauses.close();
    assertThat(young.listeners).isEmpty();
    assertThat(old.listeners).isEmpty();
    pauses.close();
  }

  @Test
  void longestNumberAndSum() {
    CollectorPauses pauses = new CollectorPauses(List.of());
    MetricsRegistry metrics = new MetricsRegistry();
    pauses.measure(metrics);
    pauses.record(3);
    pauses.record(111);
    pauses.record(0);
    assertThat(metrics.snapshot())
        .containsEntry("system/mezzo/gc_pause_longest_ms", 111.0)
        .containsEntry("system/mezzo/gc_pauses", 3.0)
        .containsEntry("system/mezzo/gc_pauses_total_ms", 114.0);
  }

  @Test
  void cyclesBesideTheProgramAreNoPauses() {
    for (String name : new String[] {"ZGC Cycles", "ZGC Major Cycles", "Shenandoah Cycles"}) {
      assertThat(CollectorPauses.pauses(name)).as(name).isFalse();
    }
    for (String name :
        new String[] {
          "Copy",
          "MarkSweepCompact",
          "G1 Young Generation",
          "G1 Old Generation",
          "G1 Concurrent GC",
          "PS Scavenge",
          "ZGC Pauses",
          "Shenandoah Pauses"
        }) {
      assertThat(CollectorPauses.pauses(name)).as(name).isTrue();
    }
  }
}
