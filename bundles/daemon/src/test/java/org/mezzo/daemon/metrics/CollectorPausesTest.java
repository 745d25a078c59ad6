package org.mezzo.daemon.metrics;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.mezzo.fixtures.Await;

class CollectorPausesTest {
  @Test
  void aCollectionOfThisProcessIsCounted() throws Exception {
    MetricsRegistry metrics = new MetricsRegistry();
    SystemStats.measure(metrics);
    double before = metrics.snapshot().get("system/mezzo/gc_pauses");
    System.gc();
    // The JVM tells of it on a thread of its own.
    Await.until(
        "a collection is told of", () -> metrics.snapshot().get("system/mezzo/gc_pauses") > before);
  }

  @Test
  void longestNumberAndSum() {
    CollectorPauses pauses = new CollectorPauses();
    MetricsRegistry metrics = new MetricsRegistry();
    pauses.register(metrics);
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
