package org.mezzo.daemon.metrics;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class PrometheusTextTest {
  private final MetricsRegistry metrics = new MetricsRegistry();

  @Test
  void countersAndGaugesKeepTheirKind() {
    metrics.counter("master/messages").add(3);
    metrics.gauge("master/elected", () -> 1);
    metrics.gauge("master/cpus_percent", () -> 0.125);
    metrics.gauge("system/mem_total_bytes", () -> 33_554_432_000.0);
    metrics.gauge("system/large", () -> 1e300);
    metrics.gauge("absent", () -> Double.NaN);
    assertThat(PrometheusText.of(metrics))
        .isEqualTo(
            """
            # HELP master_cpus_percent master/cpus_percent
            # TYPE master_cpus_percent gauge
            master_cpus_percent 0.125
            # HELP master_elected master/elected
            # TYPE master_elected gauge
            master_elected 1
            # HELP master_messages master/messages
            # TYPE master_messages counter
            master_messages 3
            # HELP system_large system/large
            # TYPE system_large gauge
            system_large 1.0E300
            # HELP system_mem_total_bytes system/mem_total_bytes
            # TYPE system_mem_total_bytes gauge
            system_mem_total_bytes 33554432000
            """);
  }

  @Test
  void timersAreSummaries() {
    var timer = metrics.timer("run_ms", Duration.ofHours(1));
    for (int i = 1; i <= 101; i++) {
      timer.record(Duration.ofMillis(i));
    }
    metrics.timer("fetch_ms", Duration.ZERO).record(Duration.ofNanos(7_500_000));
    metrics.timer("never_ms", Duration.ofHours(1));
    assertThat(PrometheusText.of(metrics))
        .isEqualTo(
            """
            # HELP fetch_ms fetch_ms
            # TYPE fetch_ms summary
            fetch_ms_sum 7.5
            fetch_ms_count 1
            # HELP never_ms never_ms
            # TYPE never_ms summary
            never_ms_sum 0
            never_ms_count 0
            # HELP run_ms run_ms
            # TYPE run_ms summary
            run_ms{quantile="0"} 1
            run_ms{quantile="0.5"} 51
            run_ms{quantile="0.9"} 91
            run_ms{quantile="0.95"} 96
            run_ms{quantile="0.99"} 100
            run_ms{quantile="0.999"} 100.9
            run_ms{quantile="0.9999"} 100.99
            run_ms{quantile="1"} 101
            run_ms_sum 5151
            run_ms_count 101
            """);
  }

  @Test
  void sumAndCountOfATimerOnlyGrow() {
    var timer = metrics.timer("run_ms", Duration.ofHours(1));
    for (int i = 0; i < 5000; i++) {
      timer.record(Duration.ofMillis(2));
    }
    assertThat(PrometheusText.of(metrics)).contains("\nrun_ms_sum 10000\nrun_ms_count 5000\n");
  }

  @Test
  void scopesWithLabelsAreOneFamily() {
    for (String id : new String[] {"b", "a"}) {
      Map<String, String> labels = new TreeMap<>();
      labels.put("id", id);
      labels.put("name", "say \"hi\\there\"\n");
      MetricsRegistry scope = metrics.scope("of/" + id + "/", "of/", labels);
      scope.counter("calls").add(2);
      scope.timer("wait_ms", Duration.ofHours(1)).record(Duration.ofMillis(4));
    }
    assertThat(PrometheusText.of(metrics))
        .startsWith(
            """
            # HELP of_calls of/calls
            # TYPE of_calls counter
            of_calls{id="a",name="say \\"hi\\\\there\\"\\n"} 2
            of_calls{id="b",name="say \\"hi\\\\there\\"\\n"} 2
            # HELP of_wait_ms of/wait_ms
            # TYPE of_wait_ms summary
            of_wait_ms{id="a",name="say \\"hi\\\\there\\"\\n",quantile="0"} 4
            """)
        .contains("\nof_wait_ms_count{id=\"b\",name=\"say \\\"hi\\\\there\\\"\\n\"} 1\n");
    assertThat(metrics.snapshot())
        .containsEntry("of/a/calls", 2.0)
        .containsEntry("of/b/calls", 2.0);
  }

  @Test
  void namesThatBecomeOneAreShownOnce() {
    metrics.gauge("a-b", () -> 1);
    metrics.counter("a/b").add(2);
    metrics.gauge("a_b", () -> 3);
    metrics.timer("t_ms", Duration.ZERO);
    metrics.gauge("t_ms/count", () -> 9);
    metrics.gauge("both", () -> 1);
    metrics.counter("both").increment();
    String text = PrometheusText.of(metrics);
    assertThat(text).contains("\na_b 1\n", "\nt_ms_count 0\n").doesNotContain("t_ms_count 9");
    assertThat(text.lines().filter(line -> line.startsWith("# TYPE")))
        .containsExactly("# TYPE a_b gauge", "# TYPE both counter", "# TYPE t_ms summary");
  }

  @Test
  void namesThatBecomeOneAreToldApartByLabels() {
    metrics.scope("of/1/", "of/", Map.of("id", "1")).gauge("a-b", () -> 1);
    metrics.scope("of/2/", "of/", Map.of("id", "2")).gauge("a-b", () -> 2);
    metrics.scope("of/2/", "of/", Map.of("id", "2")).gauge("a_b", () -> 3);
    metrics.scope("of/3/", "of/", Map.of("id", "3")).gauge("a_b", () -> 4);
    assertThat(PrometheusText.of(metrics))
        .isEqualTo(
            """
            # HELP of_a_b of/a-b
            # TYPE of_a_b gauge
            of_a_b{id="1"} 1
            of_a_b{id="2"} 2
            of_a_b{id="3"} 4
            """);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = ';',
      value = {
        "master/slaves_active;master_slaves_active",
        "modules/hook/label-hook/calls;modules_hook_label_hook_calls",
        "a:b;a:b",
        "1min;_1min",
        "with blank%20;with_blank_20",
        "grün\\n😀;gr_n___"
      })
  void namesAreMadeValid(String name, String valid) {
    assertThat(PrometheusText.valid(name.replace("\\n", "\n"))).isEqualTo(valid);
  }
}
