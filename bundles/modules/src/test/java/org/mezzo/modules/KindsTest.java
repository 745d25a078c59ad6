package org.mezzo.modules;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.TreeMap;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.mezzo.api.Module;

final class KindsTest {

  @Test
  void theDocumentationHasTheSameTable() throws IOException {
    List<String> documented =
        Files.readAllLines(page()).stream()
            .dropWhile(line -> !line.startsWith("| kind | interface |"))
            .skip(2)
            .takeWhile(line -> line.startsWith("|"))
            .toList();
    assertThat(documented).isEqualTo(Kinds.all().stream().map(KindsTest::row).toList());
  }

  /** Tests run in the folder of the module or in that of the checkout. */
  private static Path page() {
    Path folder = Path.of("").toAbsolutePath();
    while (!Files.exists(folder.resolve("docs/modules.md"))) {
      folder = folder.getParent();
    }
    return folder.resolve("docs/modules.md");
  }

  private static String row(Kind<?> kind) {
    String flags =
        new TreeMap<>(kind.flags())
            .entrySet().stream()
                .map(
                    flag ->
                        "`--"
                            + flag.getValue()
                            + "` ("
                            + flag.getKey().name().toLowerCase(Locale.ROOT)
                            + ")")
                .collect(Collectors.joining(", "));
    Kind.Breaker breaker = kind.breaker();
    return "| "
        + String.join(
            " | ",
            "`" + kind.name() + "`",
            "`" + kind.type().getName() + "`",
            flags.isEmpty() ? "–" : flags,
            Integer.toString(kind.atOnce()),
            Integer.toString(kind.queue()),
            kind.deadline().map(KindsTest::text).orElse("–"),
            text(kind.handover()),
            Math.round(breaker.calls() * breaker.share()) + " of " + breaker.calls(),
            kind.absence().text(),
            kind.moving().text())
        + " |";
  }

  private static String text(Duration duration) {
    return duration.toSeconds() + " s";
  }

  @Test
  void kindsAreFoundByName() {
    for (Kind<?> kind : Kinds.all()) {
      assertThat(Kinds.named(kind.name())).isEqualTo(Optional.of(kind));
    }
    assertThat(Kinds.named("nothing")).isEmpty();
  }

  @Test
  void aKindWhoseCallsFollowEachOtherHasOneAtATime() {
    assertThatThrownBy(() -> Kind.parallel(Module.class, "several", 0))
        .isInstanceOf(IllegalArgumentException.class);
    assertThatThrownBy(() -> Kind.serial(Module.class, "one").moved(Kind.Moving.BESIDE))
        .isInstanceOf(IllegalArgumentException.class);
  }
}
