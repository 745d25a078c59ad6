package org.mezzo.daemon.metrics;

import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * The numbers of a daemon in the text format of Prometheus, version 0.0.4. A name is the flat one
 * with {@code _} for each character that no such name may have; where the scope has labels, these
 * stand for its part of the name. Counters and gauges are what they are; a timer is a summary,
 * whose quantiles are those of late, and sum and count those since the start.
 *
 * <p>Names belong to frameworks and modules, too, who may choose them so that two become one. A
 * reader would refuse the whole text for a number that stands there twice, so of two that no label
 * tells apart only the one whose name comes first is shown.
 */
public final class PrometheusText {
  /** The {@code Content-Type}. */
  public static final String CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8";

  private static final String SUMMARY = "summary";

  private static final double[] QUANTILES = {0, 0.5, 0.9, 0.95, 0.99, 0.999, 0.9999, 1};

  /** The largest power of ten below which every whole double is written with all its digits. */
  private static final double EXACT = 1e15;

  /** Numbers of one name that differ in labels only, by their labels as text. */
  private record Family(String name, String type, SortedMap<String, Sample> samples) {}

  /** Writes the lines of one number. */
  @FunctionalInterface
  private interface Sample {
    void write(StringBuilder out, String name);
  }

  /** What is collected, by the name before it is made valid. */
  private static final class Families implements MetricsVisitor {
    private final SortedMap<String, Family> byName = new TreeMap<>();

    @Override
    public void counter(MetricName name, long value) {
      String labels = labels(name.labels());
      add("counter", name, labels, (out, valid) -> line(out, valid, labels, value));
    }

    @Override
    public void gauge(MetricName name, double value) {
      String labels = labels(name.labels());
      add("gauge", name, labels, (out, valid) -> line(out, valid, labels, value));
    }

    @Override
    public void timer(MetricName name, TimerReading reading) {
      String labels = labels(name.labels());
      add(SUMMARY, name, labels, (out, valid) -> summary(out, valid, name.labels(), reading));
    }

    private void add(String type, MetricName name, String labels, Sample sample) {
      Family family =
          byName.computeIfAbsent(
              name.common(), common -> new Family(common, type, new TreeMap<>()));
      if (family.type.equals(type)) {
        family.samples.putIfAbsent(labels, sample);
      }
    }
  }

  private PrometheusText() {}

  /** All numbers of a daemon, as they are at this moment. */
  public static String of(MetricsRegistry metrics) {
    Families families = new Families();
    metrics.accept(families);
    StringBuilder out = new StringBuilder(64 * 1024);
    Set<String> taken = new HashSet<>();
    merged(families.byName)
        .forEach(
            (name, family) -> {
              Set<String> own =
                  family.type.equals(SUMMARY)
                      ? Set.of(name, name + "_sum", name + "_count")
                      : Set.of(name);
              if (own.stream().noneMatch(taken::contains)) {
                taken.addAll(own);
                line(out, "# HELP", name, escaped(family.name));
                line(out, "# TYPE", name, family.type);
                family.samples.values().forEach(sample -> sample.write(out, name));
              }
            });
    return out.toString();
  }

  /** By valid name, with those whose names become one together as far as labels tell them apart. */
  private static Map<String, Family> merged(SortedMap<String, Family> byName) {
    Map<String, Family> byValid = new LinkedHashMap<>();
    byName.forEach(
        (name, family) -> {
          Family first = byValid.putIfAbsent(valid(name), family);
          if (first != null && first.type.equals(family.type)) {
            family.samples.forEach(first.samples::putIfAbsent);
          }
        });
    return byValid;
  }

  private static void line(StringBuilder out, String begin, String name, String end) {
    out.append(begin).append(' ').append(name).append(' ').append(end).append('\n');
  }

  private static void summary(
      StringBuilder out, String name, Map<String, String> labels, TimerReading reading) {
    if (reading.recent() > 0) {
      for (double share : QUANTILES) {
        Map<String, String> all = new LinkedHashMap<>(labels);
        all.put("quantile", number(share));
        line(out, name, labels(all), reading.quantile(share));
      }
    }
    line(out, name + "_sum", labels(labels), reading.sum());
    line(out, name + "_count", labels(labels), reading.count());
  }

  private static void line(StringBuilder out, String name, String labels, double value) {
    out.append(name).append(labels).append(' ').append(number(value)).append('\n');
  }

  private static String number(double value) {
    return value == Math.rint(value) && Math.abs(value) < EXACT
        ? Long.toString((long) value)
        : Double.toString(value);
  }

  private static String labels(Map<String, String> labels) {
    if (labels.isEmpty()) {
      return "";
    }
    StringBuilder text = new StringBuilder();
    labels.forEach(
        (name, value) ->
            text.append(text.isEmpty() ? '{' : ',')
                .append(name)
                .append("=\"")
                .append(escaped(value).replace("\"", "\\\""))
                .append('"'));
    return text.append('}').toString();
  }

  private static String escaped(String text) {
    return text.replace("\\", "\\\\").replace("\n", "\\n");
  }

  /** The name with what no name of Prometheus may have replaced. */
  static String valid(String name) {
    StringBuilder valid = new StringBuilder(name.length() + 1);
    for (int i = 0; i < name.length(); i++) {
      char one = name.charAt(i);
      boolean digit = one >= '0' && one <= '9';
      boolean letter = (one >= 'a' && one <= 'z') || (one >= 'A' && one <= 'Z');
      if (digit && i == 0) {
        valid.append('_');
      }
      valid.append(digit || letter || one == '_' || one == ':' ? one : '_');
    }
    return valid.isEmpty() ? "_" : valid.toString();
  }
}
