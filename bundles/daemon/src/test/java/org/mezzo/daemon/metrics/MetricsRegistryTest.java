package org.mezzo.daemon.metrics;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.Test;

class MetricsRegistryTest {
  private final MetricsRegistry metrics = new MetricsRegistry();

  @Test
  void showsAllByName() {
    metrics.gauge("c", () -> 3.5);
    metrics.counter("b").add(2);
    metrics.counter("b").increment();
    metrics.gauge("a", () -> 1);
    assertThat(metrics.snapshot())
        .containsExactly(Map.entry("a", 1.0), Map.entry("b", 3.0), Map.entry("c", 3.5));
  }

  @Test
  void groupsTellTheirNamesWhenTheyAreRead() {
    Map<String, Double> roles = new HashMap<>();
    metrics.gauges("roles", () -> roles);
    metrics.gauges(
        "broken",
        () -> {
          throw new IllegalStateException("on purpose");
        });
    assertThat(metrics.snapshot()).isEmpty();
    roles.put("roles/a", 1.0);
    roles.put("roles/b", Double.NaN);
    assertThat(metrics.snapshot()).containsExactly(Map.entry("roles/a", 1.0));
    metrics.gauges("roles", Map::of);
    assertThat(metrics.snapshot()).isEmpty();
  }

  @Test
  void whatIsNotReadInTimeIsLeftOut() {
    AtomicBoolean late = new AtomicBoolean();
    metrics.counter("counter").increment();
    metrics.timer("timer_ms", Duration.ZERO).record(Duration.ofMillis(3));
    metrics.gauge("first", () -> endTheTime(late));
    metrics.gauge("second", () -> endTheTime(late));
    metrics.gauges("group", () -> Map.of("third", endTheTime(late)));
    assertThat(metrics.snapshot(late::get))
        .containsKeys("counter", "timer_ms")
        .hasSize(3)
        .containsAnyOf(Map.entry("first", 1.0), Map.entry("second", 1.0));
    assertThat(metrics.snapshot(() -> true)).containsOnlyKeys("counter", "timer_ms");
  }

  private static double endTheTime(AtomicBoolean late) {
    late.set(true);
    return 1;
  }

  @Test
  void leavesOutGaugesWithoutANumber() {
    metrics.gauge(
        "throws",
        () -> {
          throw new IllegalStateException("on purpose");
        });
    metrics.gauge(
        "breaks",
        () -> {
          throw new NoClassDefFoundError("on purpose");
        });
    metrics.gauge("nan", () -> Double.NaN);
    metrics.gauge("fine", () -> 0);
    assertThat(metrics.snapshot()).containsOnlyKeys("fine");
  }

  @Test
  void countersOnlyGrow() {
    assertThatThrownBy(() -> metrics.counter("a").add(-1))
        .isInstanceOf(IllegalArgumentException.class);
  }

  @Test
  void timersShowTheirDistribution() {
    var timer = metrics.timer("run_ms", Duration.ofHours(1));
    assertThat(metrics.snapshot()).isEmpty();
    for (int i = 1; i <= 101; i++) {
      timer.record(Duration.ofMillis(i));
    }
    assertThat(metrics.snapshot())
        .containsOnlyKeys(
            "run_ms",
            "run_ms/count",
            "run_ms/max",
            "run_ms/min",
            "run_ms/p50",
            "run_ms/p90",
            "run_ms/p95",
            "run_ms/p99",
            "run_ms/p999",
            "run_ms/p9999")
        .containsEntry("run_ms", 101.0)
        .containsEntry("run_ms/count", 101.0)
        .containsEntry("run_ms/min", 1.0)
        .containsEntry("run_ms/max", 101.0)
        .containsEntry("run_ms/p50", 51.0)
        .containsEntry("run_ms/p90", 91.0);
  }

  @Test
  void aTimerWithoutWindowShowsItsLastValue() {
    metrics.timer("fetch_ms", Duration.ZERO).record(Duration.ofMillis(7));
    assertThat(metrics.snapshot()).containsOnlyKeys("fetch_ms").containsEntry("fetch_ms", 7.0);
  }

  @Test
  void forgets() {
    metrics.scope("master/frameworks/a/1/").counter("calls").increment();
    metrics.scope("master/frameworks/a/1/").gauge("subscribed", () -> 1);
    metrics.scope("master/frameworks/a/2/").counter("calls").increment();
    metrics.prefixed("modules/x/").gauge("y", () -> 1);
    assertThat(metrics.snapshot())
        .containsOnlyKeys(
            "master/frameworks/a/1/calls",
            "master/frameworks/a/1/subscribed",
            "master/frameworks/a/2/calls",
            "modules/x/y");
    metrics.removeScope("master/frameworks/a/1/");
    assertThat(metrics.snapshot()).containsOnlyKeys("master/frameworks/a/2/calls", "modules/x/y");
    metrics.remove("modules/x/y");
    assertThat(metrics.snapshot()).containsOnlyKeys("master/frameworks/a/2/calls");
  }
}
