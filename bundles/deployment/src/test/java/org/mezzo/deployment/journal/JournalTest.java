package org.mezzo.deployment.journal;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.time.Instant;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.function.Predicate;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.mezzo.deployment.Action;
import org.mezzo.deployment.Verdict;

final class JournalTest {
  private static final Predicate<String> NOBODY = digest -> false;

  private static final Instant AT = Instant.parse("2026-01-02T03:04:05Z");

  @TempDir Path dir;

  private Journal open() throws IOException {
    return Journal.open(dir.resolve("journal"));
  }

  private static Verdict verdict(String digest, String reason) {
    return new Verdict(digest, "greeter", "1.0.0", Verdict.Kind.REFUSED, reason, AT);
  }

  @Test
  void remembersWhatWasDecided() throws Exception {
    Verdict odd = verdict("aa", "it said\t\"no\\n\"\nand \u00e4 more");
    try (Journal journal = open()) {
      journal.pass(odd);
      journal.pass(verdict("bb", "no"));
      journal.pardon("bb");
      journal.good(new Good("greeter", "0.9.0", "cc", true));
      Journal.Content first = new Journal.Content("aa", "greeter");
      Journal.Content second = new Journal.Content("bb", "library");
      journal.present(Map.of("a.jar", first), Set.of());
      journal.present(Map.of("a.jar", first, "b.jar", second), Set.of());
      journal.present(Map.of("a.jar", first), Set.of("b.jar"));
      journal.seatLast("x", "1.0.0", "aa");
      journal.seatLast("a", "1.0.0", "bb");
      journal.seatLast("x", "1.1.0", "cc");
      long id = journal.begin(AT, Action.Kind.SWAP, "Ada", "greeter", "1", "2");
      journal.stage(id, "drained", Duration.ofMillis(4));
      journal.done(id, true, "fine", Duration.ofMillis(7), Duration.ZERO);
    }
    try (Journal journal = open()) {
      assertThat(journal.verdict("aa")).contains(odd);
      assertThat(journal.verdict("bb")).isEmpty();
      assertThat(journal.isProven("greeter", "cc")).isTrue();
      assertThat(journal.generation("a.jar", "aa")).isEqualTo(1);
      assertThat(journal.generation("b.jar", "bb")).isEqualTo(2);
      assertThat(journal.held("b.jar")).containsExactly("library");
      journal.present(Map.of(), Set.of("a.jar"));
      assertThat(journal.held("b.jar")).isEmpty();
      assertThat(journal.held("a.jar")).containsExactly("greeter");
      assertThat(journal.seats().keySet()).containsExactly("a", "x");
      assertThat(journal.actions())
          .containsExactly(
              new Action(
                  1,
                  "Ada",
                  AT,
                  Action.Kind.SWAP,
                  "greeter",
                  "1",
                  "2",
                  true,
                  "fine",
                  Duration.ofMillis(7),
                  Duration.ZERO,
                  java.util.List.of(new Action.Stage("drained", Duration.ofMillis(4)))));
    }
  }

  @Test
  void levelsOfLoggersDoNotMakeItForgetWhatWasDoneToBundles() throws Exception {
    try (Journal journal = open()) {
      long swap = journal.begin(AT, Action.Kind.SWAP, "Ada", "greeter", "1", "2");
      journal.done(swap, true, "fine", Duration.ZERO, Duration.ZERO);
      for (int i = 0; i < 150; i++) {
        long level = journal.begin(AT, Action.Kind.LOG_LEVEL, "Ada", "org" + i, "INFO", "WARN");
        journal.done(level, true, "set", Duration.ZERO, Duration.ZERO);
      }
    }
    try (Journal journal = open()) {
      assertThat(journal.actions()).hasSize(21);
      assertThat(journal.actions().get(0).symbolicName()).isEqualTo("org149");
      assertThat(journal.actions().get(20).kind()).isEqualTo(Action.Kind.SWAP);
    }
  }

  @Test
  void theOrderOfArrivalsIsKeptWhereTheirNamesWereNotWritten() throws Exception {
    try (JournalFile file = JournalFile.open(dir.resolve("journal"))) {
      file.append(List.of("ARRIVED", "a.jar", "aa", "7"), false);
      file.append(List.of("ARRIVED", "b.jar", "bb", "3"), false);
    }
    try (Journal journal = open()) {
      assertThat(journal.held("a.jar")).isEmpty();
      journal.present(Map.of("a.jar", new Journal.Content("aa", "greeter")), Set.of("b.jar"));
    }
    try (Journal journal = open()) {
      assertThat(journal.held("a.jar")).containsExactly("greeter");
      assertThat(journal.generation("a.jar", "aa")).isEqualTo(7);
      assertThat(journal.generation("b.jar", "bb")).isEqualTo(3);
    }
  }

  @Test
  void whatRehearsedWhenTheProcessEndedIsMeantAndNotWhatWasBeingOpened() throws Exception {
    try (Journal killed = open()) {
      killed.opening("other");
      killed.starting("aa");
      killed.rehearsing("aa");
      killed.rehearsing("aa");
      killed.opening("aa");
      killed.rehearsalOver("aa");
      assertThat(killed.trials()).containsExactlyInAnyOrder("other", "aa");
    }
    try (Journal journal = open()) {
      assertThat(journal.deadly(NOBODY)).isEqualTo(Map.of("aa", 1));
      journal.survived("aa");
      assertThat(journal.trials()).isEmpty();
    }
  }

  @Test
  void ofSeveralThatRehearsedOrWereBeingStartedNoneIsMeantForSure() throws Exception {
    try (Journal killed = open()) {
      killed.opening("other");
      killed.starting("aa");
      killed.rehearsing("bb");
    }
    try (Journal journal = open()) {
      assertThat(journal.deadly(NOBODY)).isEmpty();
      assertThat(journal.trials()).isEmpty();
    }
  }

  @Test
  void theMarkOfARehearsalGivesWayToWhatBecameOfTheRestMeanwhile() throws Exception {
    try (Journal journal = open()) {
      journal.starting("aa");
      journal.rehearsing("aa");
      journal.survived("aa");
      assertThat(journal.trials()).containsExactly("aa");
      journal.rehearsalOver("aa");
      assertThat(journal.trials()).isEmpty();
      journal.opening("aa");
      journal.rehearsing("aa");
      journal.rehearsalOver("aa");
      assertThat(journal.trials()).containsExactly("aa");
      journal.rehearsing("aa");
      journal.survivedAll();
      assertThat(journal.trials()).isEmpty();
    }
  }

  @Test
  void whatHasRehearsedWellIsKnownUntilSomethingIsHeldAgainstIt() throws Exception {
    try (Journal journal = open()) {
      journal.passed("aa");
      journal.passed("bb");
      journal.pass(verdict("bb", "no"));
      journal.pardon("bb");
    }
    try (Journal journal = open()) {
      assertThat(journal.hasPassed("aa")).isTrue();
      assertThat(journal.hasPassed("bb")).isFalse();
      assertThat(journal.hasPassed("cc")).isFalse();
    }
  }

  @Test
  void whereverAWriteIsCutOffWhatWasWrittenBeforeStands() throws Exception {
    int whole;
    try (Journal journal = open()) {
      journal.pass(verdict("aa", "first"));
      whole = (int) Files.size(dir.resolve("journal"));
      journal.pass(verdict("bb", "second"));
    }
    byte[] bytes = Files.readAllBytes(dir.resolve("journal"));
    for (int length = whole; length < bytes.length; length++) {
      Files.write(dir.resolve("journal"), Arrays.copyOf(bytes, length));
      try (Journal journal = open()) {
        assertThat(journal.verdict("aa")).isPresent();
        assertThat(journal.verdict("bb")).isEmpty();
        journal.pass(verdict("cc", "third"));
      }
      try (Journal journal = open()) {
        assertThat(journal.verdict("aa")).isPresent();
        assertThat(journal.verdict("cc")).isPresent();
      }
    }
  }

  @Test
  void aDamagedLineCostsThatLineAlone() throws Exception {
    try (Journal journal = open()) {
      journal.pass(verdict("aa", "first"));
      journal.pass(verdict("bb", "second"));
    }
    byte[] bytes = Files.readAllBytes(dir.resolve("journal"));
    bytes[20] ^= 1;
    Files.write(dir.resolve("journal"), bytes);
    try (Journal journal = open()) {
      assertThat(journal.verdict("aa")).isEmpty();
      assertThat(journal.verdict("bb")).isPresent();
    }
  }

  @Test
  void whatWasHalfDoneIsSaidToBe() throws Exception {
    Journal killed = open();
    long id = killed.begin(AT, Action.Kind.SWAP, "Ada", "greeter", "1", "2");
    killed.stage(id, "started", Duration.ofMillis(4));
    try (Journal journal = open()) {
      assertThat(journal.actions()).hasSize(1);
      assertThat(journal.actions().get(0).succeeded()).isFalse();
      assertThat(journal.actions().get(0).outcome())
          .contains("the process ended after this stage: started");
      assertThat(journal.begin(AT, Action.Kind.SWAP, "Ada", "greeter", "1", "2")).isEqualTo(2);
    }
    killed.close();
  }

  @Test
  void whoWasStartedWhenTheProcessEndedIsDeadly() throws Exception {
    Journal killed = open();
    killed.starting("aa");
    killed.opening("aa");
    killed.starting("bb");
    try (Journal journal = open()) {
      assertThat(journal.deadly(NOBODY)).containsExactly(Map.entry("bb", 1));
    }
    // A process that ended before it could say so.
    try (Journal journal = open()) {
      assertThat(journal.deadly(NOBODY)).containsExactly(Map.entry("bb", 1));
      journal.survived("bb");
      assertThat(journal.trials()).isEmpty();
    }
    killed.close();
  }

  @Test
  void whoWasOpenedAloneIsDeadlyAndOneOfSeveralAfterAWhile() throws Exception {
    Journal first = open();
    first.starting("aa");
    first.opening("aa");
    first.close();
    try (Journal journal = open()) {
      assertThat(journal.deadly(NOBODY)).containsExactly(Map.entry("aa", 1));
      journal.survived("aa");
    }
    for (int i = 1; i <= Journal.MOST_ENDS; i++) {
      Journal journal = open();
      journal.opening("bb");
      journal.opening("cc");
      journal.close();
      try (Journal next = open()) {
        if (i < Journal.MOST_ENDS) {
          assertThat(next.deadly(NOBODY)).isEmpty();
        } else {
          assertThat(next.deadly(NOBODY)).isEqualTo(Map.of("bb", i, "cc", i));
          next.deadly(NOBODY).keySet().forEach(next::survived);
        }
      }
    }
    try (Journal journal = open()) {
      journal.starting("dd");
      journal.survivedAll();
    }
    try (Journal journal = open()) {
      assertThat(journal.deadly(NOBODY)).isEmpty();
    }
  }

  @Test
  void whatIsTrustedIsAsGoodAsProven() throws Exception {
    Predicate<String> trusted = Set.of("bb", "cc")::contains;
    for (int i = 1; i <= Journal.MOST_ENDS_TOGETHER; i++) {
      endWhile(
          journal -> {
            journal.opening("bb");
            journal.opening("cc");
          });
      try (Journal next = open()) {
        assertThat(next.deadly(trusted))
            .isEqualTo(i < Journal.MOST_ENDS_TOGETHER ? Map.of() : Map.of("bb", i, "cc", i));
        if (i == Journal.MOST_ENDS_TOGETHER) {
          next.survivedAll();
        }
      }
    }
    // Of those beside one that nobody knows this is meant, at once.
    endWhile(
        journal -> {
          journal.opening("bb");
          journal.opening("dd");
          journal.opening("cc");
        });
    try (Journal next = open()) {
      assertThat(next.deadly(trusted)).isEqualTo(Map.of("dd", 1));
    }
  }

  private void endWhile(Consumer<Journal> begun) throws IOException {
    try (Journal journal = open()) {
      begun.accept(journal);
    }
  }

  private Map<String, Integer> nextDeadly() throws IOException {
    try (Journal journal = open()) {
      return journal.deadly(NOBODY);
    }
  }

  /** Or a process that somebody kills again and again would soon be without all of its modules. */
  @Test
  void severalThatHaveProvenThemselvesAreDeadlyOnlyAfterMuchMore() throws Exception {
    endWhile(journal -> journal.good(new Good("greeter", "1.0.0", "aa", true)));
    endWhile(journal -> journal.good(new Good("words", "1.0.0", "bb", true)));
    for (int i = 1; i <= Journal.MOST_ENDS_TOGETHER; i++) {
      endWhile(
          journal -> {
            journal.opening("aa");
            journal.opening("bb");
          });
      assertThat(nextDeadly())
          .isEqualTo(i < Journal.MOST_ENDS_TOGETHER ? Map.of() : Map.of("aa", i, "bb", i));
    }
  }

  @Test
  void whatHasProvenItselfIsDeadlyOnlyWhenTheProcessEndsAgainAndAgain() throws Exception {
    endWhile(journal -> journal.good(new Good("greeter", "1.0.0", "aa", true)));
    for (int i = 1; i < Journal.MOST_ENDS; i++) {
      endWhile(journal -> journal.starting("aa"));
      assertThat(nextDeadly()).isEmpty();
    }
    endWhile(journal -> journal.survived("aa"));
    for (int i = 1; i < Journal.MOST_ENDS; i++) {
      endWhile(journal -> journal.opening("aa"));
      assertThat(nextDeadly()).isEmpty();
    }
    endWhile(journal -> journal.starting("aa"));
    assertThat(nextDeadly()).isEqualTo(Map.of("aa", Journal.MOST_ENDS));
    endWhile(journal -> journal.survived("aa"));
    // Beside something new it is not suspected at all.
    endWhile(
        journal -> {
          journal.opening("aa");
          journal.opening("bb");
        });
    assertThat(nextDeadly()).isEqualTo(Map.of("bb", 1));
    endWhile(journal -> assertThat(journal.trials()).containsExactly("bb"));
    // But it is when it was just being started.
    endWhile(journal -> journal.starting("aa"));
    assertThat(nextDeadly()).isEmpty();
    endWhile(journal -> assertThat(journal.trials()).isEmpty());
  }

  @Test
  void itDoesNotGrowForeverAndForgetsNothingThatCounts() throws Exception {
    String reason = "x".repeat(1_000);
    try (Journal journal = open()) {
      journal.lazy(true);
      journal.pass(verdict("aa", "first"));
      journal.good(new Good("greeter", "0.9.0", "cc", true));
      journal.former("greeter", "dd");
      for (int i = 0; i < 3_000; i++) {
        long id = journal.begin(AT, Action.Kind.SWAP, "Ada", "greeter", "1", "2");
        journal.done(id, true, reason, Duration.ZERO, Duration.ZERO);
      }
      assertThat(Files.size(dir.resolve("journal"))).isLessThan(2 << 20);
    }
    try (Journal journal = open()) {
      assertThat(journal.verdict("aa")).isPresent();
      assertThat(journal.good("greeter")).isPresent();
      assertThat(journal.former("greeter")).contains("dd");
      assertThat(journal.digests()).contains("cc", "dd");
      journal.seatLast("greeter", "1.0.0", "ee");
      journal.unseat("greeter");
      assertThat(journal.former("greeter")).isEmpty();
      assertThat(journal.actions()).hasSize(100);
      assertThat(journal.actions().get(0).id()).isEqualTo(3_000);
    }
  }

  /** Writes verdicts and says each one's number once it is safe, until it is killed. */
  static final class Writer {
    private Writer() {}

    public static void main(String[] arguments) throws IOException {
      try (StateFolder state = StateFolder.open(Path.of(arguments[0]), Duration.ZERO)) {
        for (int i = 0; ; i++) {
          state.journal().pass(verdict("d" + i, "no"));
          System.out.println(i);
        }
      }
    }
  }

  @Test
  @Timeout(60)
  void aKilledProcessForgetsNothingThatItSaidItHadWritten() throws Exception {
    for (int round = 0; round < 3; round++) {
      Path folder = dir.resolve("state" + round);
      Process writer =
          new ProcessBuilder(
                  Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                  "-cp",
                  System.getProperty("java.class.path"),
                  Writer.class.getName(),
                  folder.toString())
              .redirectError(ProcessBuilder.Redirect.DISCARD)
              .start();
      int last = -1;
      try (var lines = writer.inputReader()) {
        for (String line = lines.readLine(); line != null; line = lines.readLine()) {
          last = line.matches("\\d+") ? Integer.parseInt(line) : last;
          if (last == 20 + round) {
            writer.toHandle().destroyForcibly();
          }
        }
      }
      writer.waitFor();
      assertThat(last).isGreaterThanOrEqualTo(20 + round);
      try (StateFolder state = StateFolder.open(folder, Duration.ofSeconds(60))) {
        for (int i = 0; i <= Math.min(last, 900); i++) {
          assertThat(state.journal().verdict("d" + i)).as("verdict %d of %d", i, last).isPresent();
        }
      }
    }
  }

  @Test
  void oneProcessAtATimeUsesItAndTheNextWaitsForItsEnd() throws Exception {
    Path folder = dir.resolve("state");
    StateFolder first = StateFolder.open(folder, Duration.ZERO);
    assertThatThrownBy(() -> StateFolder.open(folder, Duration.ofMillis(50)))
        .hasMessageContaining(folder.toString())
        .hasMessageContaining(
            "is in use by another process (" + ProcessHandle.current().pid() + ")")
        .hasMessageContaining("stop that one, or give this one a --work_dir of its own");
    CompletableFuture<StateFolder> next = new CompletableFuture<>();
    Thread waiter =
        new Thread(
            () -> {
              try {
                next.complete(StateFolder.open(folder, Duration.ofSeconds(60)));
              } catch (IOException e) {
                next.completeExceptionally(e);
              }
            });
    waiter.start();
    while (waiter.getState() != Thread.State.TIMED_WAITING) {
      Thread.sleep(1);
    }
    first.journal().pass(verdict("aa", "no"));
    first.close();
    try (StateFolder second = next.get(60, TimeUnit.SECONDS)) {
      assertThat(second.journal().verdict("aa")).isPresent();
    }
  }

  private void refused(Path folder, String reason) {
    assertThatThrownBy(() -> StateFolder.open(folder, Duration.ZERO))
        .isInstanceOf(IOException.class)
        .hasMessageContaining("The folder " + folder)
        .hasMessageContaining(reason)
        .hasMessageContaining("work_dir");
  }

  @Test
  void aFolderThatCannotBeUsedIsNamedWithTheReasonAndTheRemedy() throws Exception {
    Path file = Files.createFile(dir.resolve("file"));
    refused(file.resolve("state"), "cannot be used: " + file + " is in the way");
    refused(file.resolve("deep/state"), "cannot be used: " + file);
    refused(Path.of("/proc/mezzo/state"), "cannot be used: /proc/mezzo");
    for (String name : List.of("journal", "lock")) {
      Path folder = dir.resolve("no-" + name);
      Files.createDirectories(folder.resolve(name));
      refused(folder, "cannot be used: " + folder.resolve(name));
    }
    Path folder = Files.createDirectory(dir.resolve("no-bundles"));
    Path obstacle = Files.createFile(folder.resolve("bundles"));
    refused(folder, "cannot be used: " + obstacle + " is in the way");
    // Nothing is held: it can be used once that is gone.
    Files.delete(obstacle);
    StateFolder.open(folder, Duration.ZERO).close();
    Path place = Files.createFile(dir.resolve("place"));
    assertThatThrownBy(() -> StateFolder.open(place, Duration.ZERO))
        .hasMessageContaining("is not used: it is no folder. Or choose another work directory");
  }

  @Test
  void whatEndedTheProcessIsNotSaidToHaveHungWhileItEnded() throws Exception {
    Verdict fatal = new Verdict("aa", "greeter", "1.0.0", Verdict.Kind.FATAL, "exit", AT);
    Verdict hung = new Verdict("aa", "greeter", "1.0.0", Verdict.Kind.HUNG, "hangs", AT);
    try (Journal journal = open()) {
      journal.pass(fatal);
      journal.pass(hung);
      assertThat(journal.verdict("aa")).contains(fatal);
    }
    try (Journal journal = open()) {
      assertThat(journal.verdict("aa")).contains(fatal);
      journal.pardon("aa");
      journal.pass(hung);
      assertThat(journal.verdict("aa")).contains(hung);
    }
  }

  @Test
  void bytesAreKeptByTheirDigestAndNeverTakenOnTrust() throws Exception {
    Path jar = Files.writeString(dir.resolve("a.jar"), "one");
    try (StateFolder state = StateFolder.open(dir.resolve("state"), Duration.ZERO)) {
      String digest = BundleStore.digest(jar);
      Path kept = state.store().stage(jar, digest);
      Files.writeString(jar, "two");
      assertThat(kept).hasContent("one");
      assertThatThrownBy(() -> state.store().stage(jar, "0".repeat(64)))
          .hasMessageContaining("was changed while it was read");
      Files.writeString(kept, "torn", StandardOpenOption.TRUNCATE_EXISTING);
      assertThat(state.store().holds(digest)).isFalse();
      Files.writeString(jar, "one");
      assertThat(state.store().stage(jar, digest)).hasContent("one");
      state.store().retain(Set.of());
      assertThat(kept).doesNotExist();
    }
  }
}
