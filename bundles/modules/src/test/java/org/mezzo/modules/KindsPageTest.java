package org.mezzo.modules;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.lang.reflect.RecordComponent;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.TreeMap;
import java.util.function.Function;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.mezzo.modules.Kind.Breaker;

/**
 * Makes what {@code docs/modules.md} has between two marks of the rows of {@link Kinds}, and fails
 * when it is something else there.
 */
final class KindsPageTest {
  private static final String BEGIN = "<!-- kinds: made by KindsPageTest -->";
  private static final String END = "<!-- kinds: end -->";

  private static final String COMMAND =
      "mvn -pl bundles/modules -am test -Dtest=KindsPageTest"
          + " -Dsurefire.failIfNoSpecifiedTests=false -Dmezzo.docs.write=true";

  /** What every kind has to say of itself: a heading and what is below it for a kind. */
  private record Column(String heading, Function<Kind<?>, String> cell) {}

  private static final List<Column> WHO =
      List.of(
          new Column("kind", kind -> code(kind.name())),
          new Column("interface", kind -> code(kind.type().getName())),
          new Column("selected by", KindsPageTest::flags),
          new Column("a daemon uses", kind -> kind.cardinality().text()),
          new Column("without it", kind -> kind.absence().text()));

  private static final List<Column> HOW =
      List.of(
          new Column("kind", kind -> code(kind.name())),
          new Column(
              "calls",
              kind ->
                  kind.isSerial()
                      ? "one after the other"
                      : "up to " + kind.atOnce() + " at a time"),
          new Column("may wait", kind -> Integer.toString(kind.queue())),
          new Column(
              "deadline",
              kind -> kind.deadline().map(KindsPageTest::text).or(kind::stall).orElseThrow()),
          new Column("quarantined after", kind -> failures(kind.breaker())),
          new Column("tried again after", kind -> reopening(kind.breaker())),
          new Column("in a swap, begun calls", kind -> kind.moving().text()),
          new Column("within", kind -> text(kind.handover())));

  private static String code(String text) {
    return "`" + text + "`";
  }

  private static String flags(Kind<?> kind) {
    String flags =
        new TreeMap<>(kind.flags())
            .entrySet().stream()
                .map(
                    flag ->
                        code("--" + flag.getValue())
                            + " ("
                            + flag.getKey().name().toLowerCase(Locale.ROOT)
                            + ")")
                .collect(Collectors.joining(", "));
    return flags.isEmpty() ? "what it serves" : flags;
  }

  private static String failures(Breaker breaker) {
    long failed = (long) Math.ceil(breaker.calls() * breaker.share());
    return failed + " of " + breaker.calls() + " calls within " + text(breaker.window());
  }

  private static String reopening(Breaker breaker) {
    return text(breaker.firstReopening()) + ", doubling to " + text(breaker.lastReopening());
  }

  private static String text(Duration duration) {
    if (duration.compareTo(Duration.ofDays(1)) >= 0) {
      return duration.toDays() + " d";
    }
    return duration.toMillis() % 1000 == 0
        ? duration.toSeconds() + " s"
        : duration.toMillis() + " ms";
  }

  private static List<String> table(List<Column> columns) {
    List<String> lines = new ArrayList<>();
    lines.add(line(columns.stream().map(Column::heading).toList()));
    lines.add("|" + "---|".repeat(columns.size()));
    for (Kind<?> kind : Kinds.all()) {
      lines.add(line(columns.stream().map(column -> column.cell().apply(kind)).toList()));
    }
    return lines;
  }

  private static String line(List<String> cells) {
    return "| " + String.join(" | ", cells) + " |";
  }

  private static String made() {
    List<String> lines = new ArrayList<>();
    lines.add(BEGIN);
    lines.add("");
    lines.addAll(table(WHO));
    lines.add("");
    lines.add("How they are called:");
    lines.add("");
    lines.addAll(table(HOW));
    lines.add("");
    lines.add(END);
    return String.join("\n", lines);
  }

  /** Tests run in the folder of the module or in that of the checkout. */
  private static Path page() {
    Path folder = Path.of("").toAbsolutePath();
    while (!Files.exists(folder.resolve("docs/modules.md"))) {
      folder = folder.getParent();
    }
    return folder.resolve("docs/modules.md");
  }

  @Test
  void thePageSaysWhatKindsAre() throws IOException {
    Path page = page();
    String text = Files.readString(page);
    int begin = text.indexOf(BEGIN);
    int end = text.indexOf(END);
    assertThat(begin).as("%s has the mark %s", page, BEGIN).isNotNegative();
    assertThat(end).as("%s has the mark %s after it", page, END).isGreaterThan(begin);
    String present = text.substring(begin, end + END.length());
    if (Boolean.getBoolean("mezzo.docs.write") && !present.equals(made())) {
      Files.writeString(
          page, text.substring(0, begin) + made() + text.substring(end + END.length()));
      present = made();
    }
    assertThat(present)
        .as("docs/modules.md differs from the kinds there are. This writes it: %s", COMMAND)
        .isEqualTo(made());
  }

  /** No part of a row is left out; who adds one adds a column, or a word to one. */
  @Test
  void everyPartOfARowIsOnThePage() {
    assertThat(Kind.class.getRecordComponents())
        .extracting(RecordComponent::getName)
        .containsExactly(
            "type",
            "name",
            "flags",
            "order",
            "atOnce",
            "queue",
            "deadline",
            "stall",
            "handover",
            "breaker",
            "cardinality",
            "absence",
            "moving");
    Kind<?> kind = Kinds.FETCHER;
    List<String> shown = new ArrayList<>();
    WHO.forEach(column -> shown.add(column.cell().apply(kind)));
    HOW.forEach(column -> shown.add(column.cell().apply(kind)));
    assertThat(shown)
        .containsExactly(
            "`fetcher`",
            "`org.mezzo.api.fetcher.Fetcher`",
            "what it serves",
            "several",
            "tasks that need it fail",
            "`fetcher`",
            "up to 32 at a time",
            "100000",
            "twice `--fetcher_stall_timeout` without a byte",
            "10 of 20 calls within 60 s",
            "1 s, doubling to 60 s",
            "ends beside the successor",
            "60 s");
  }
}
