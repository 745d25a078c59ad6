package org.mezzo.agent.recovery;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.protobuf.ByteString;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Clock;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.concurrent.CompletionStage;
import java.util.function.Supplier;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.mezzo.agent.checkpoint.Damage;
import org.mezzo.agent.recovery.messages.ExecutorEntry;
import org.mezzo.agent.recovery.messages.PastExecutorEntry;
import org.mezzo.agent.recovery.messages.TaskEntry;
import org.mezzo.daemon.metrics.MetricsRegistry;
import org.mezzo.protocol.v1.ExecutorID;
import org.mezzo.protocol.v1.FrameworkID;
import org.mezzo.protocol.v1.FrameworkInfo;
import org.mezzo.protocol.v1.TaskID;
import org.mezzo.protocol.v1.TaskState;
import org.mezzo.protocol.v1.TaskStatus;

class JournalTest {
  private static final FrameworkID FRAMEWORK = id("f/1");

  @TempDir private Path workDir;

  /** What the keeper was given and has not done yet. */
  private final Deque<Runnable> writes = new ArrayDeque<>();

  private final List<Runnable> retries = new ArrayList<>();
  private Journal journal;
  private Supplier<Double> errors;

  private static FrameworkID id(String value) {
    return FrameworkID.newBuilder().setValue(value).build();
  }

  private static TaskID task(String value) {
    return TaskID.newBuilder().setValue(value).build();
  }

  private static TaskStatus status(String task, String uuid, TaskState state) {
    return TaskStatus.newBuilder()
        .setTaskId(task(task))
        .setState(state)
        .setUuid(ByteString.copyFromUtf8(uuid))
        .build();
  }

  private static TaskEntry entry(FrameworkID framework, String task) {
    TaskEntry.Builder entry = TaskEntry.newBuilder().setFrameworkId(framework);
    entry.getExecutorIdBuilder().setValue("e");
    entry.getInfoBuilder().setTaskId(task(task)).setName("n").getAgentIdBuilder().setValue("a");
    return entry.build();
  }

  private static ExecutorEntry executor(FrameworkID framework, String id) {
    ExecutorEntry.Builder entry = ExecutorEntry.newBuilder().setFrameworkId(framework);
    entry.getExecutorBuilder().getExecutorIdBuilder().setValue(id);
    return entry.build();
  }

  @BeforeEach
  void open() throws IOException {
    open(true);
  }

  private void open(boolean strict) throws IOException {
    MetricsRegistry metrics = new MetricsRegistry();
    journal =
        Journal.open(
            workDir,
            writes::add,
            Runnable::run,
            (wait, task) -> {
              retries.add(task);
              return () -> {};
            },
            metrics,
            new Damage(strict, Clock.systemUTC(), metrics));
    errors = () -> metrics.snapshot().get("slave/recovery_errors");
  }

  @AfterEach
  void close() {
    journal.close();
  }

  private void write() {
    while (!writes.isEmpty()) {
      writes.remove().run();
    }
  }

  private void known(FrameworkID framework) {
    journal.framework(
        FrameworkInfo.newBuilder()
            .setId(framework)
            .setUser("u")
            .setName("n")
            .setCheckpoint(true)
            .build());
    write();
  }

  /** As a process that is killed: what was not written is not there. */
  private void startAnew() throws IOException {
    writes.clear();
    open();
  }

  @Test
  void whatWasWrittenIsThereForTheNextProcessAndUpdatesAreInTheirOrder() throws IOException {
    known(FRAMEWORK);
    journal.executor(executor(FRAMEWORK, "e"));
    journal.task(entry(FRAMEWORK, "t"));
    for (int i = 0; i < 20; i++) {
      journal.update(FRAMEWORK, status("t", "u" + i, TaskState.TASK_RUNNING));
    }
    write();
    startAnew();
    Journal.Kept kept = journal.kept();
    assertThat(kept.frameworks()).hasSize(1);
    assertThat(kept.executors()).containsExactly(executor(FRAMEWORK, "e"));
    assertThat(kept.tasks()).containsExactly(entry(FRAMEWORK, "t"));
    assertThat(kept.updates())
        .extracting(update -> update.getStatus().getUuid().toStringUtf8())
        .startsWith("u0", "u1", "u2")
        .hasSize(20)
        .endsWith("u19");
    journal.update(FRAMEWORK, status("t", "last", TaskState.TASK_FINISHED));
    assertThat(journal.kept().updates().get(20).getStatus().getUuid().toStringUtf8())
        .isEqualTo("last");
  }

  @Test
  void aStageIsCompleteOnlyWhenItIsWritten() throws IOException {
    known(FRAMEWORK);
    CompletionStage<Void> first = journal.task(entry(FRAMEWORK, "t"));
    CompletionStage<Void> second = journal.update(FRAMEWORK, status("t", "u", TaskState.TASK_LOST));
    assertThat(first.toCompletableFuture()).isNotDone();
    writes.remove().run();
    assertThat(first.toCompletableFuture()).isCompleted();
    assertThat(second.toCompletableFuture()).isNotDone();
    startAnew();
    assertThat(journal.kept().tasks()).hasSize(1);
    assertThat(journal.kept().updates()).isEmpty();
  }

  @Test
  void whatIsAcknowledgedOrForgottenIsNotThereAnyMore() throws IOException {
    known(FRAMEWORK);
    known(id("f/10"));
    journal.executor(executor(FRAMEWORK, "e"));
    journal.executor(executor(FRAMEWORK, "other"));
    journal.task(entry(FRAMEWORK, "t"));
    journal.task(entry(FRAMEWORK, "t2"));
    journal.task(entry(id("f/10"), "t"));
    journal.update(FRAMEWORK, status("t", "u1", TaskState.TASK_RUNNING));
    journal.update(FRAMEWORK, status("t", "u2", TaskState.TASK_FINISHED));
    write();
    startAnew();
    journal.acknowledged(FRAMEWORK, task("t"), ByteString.copyFromUtf8("u1"));
    journal.forget(FRAMEWORK, ExecutorID.newBuilder().setValue("e").build());
    write();
    assertThat(journal.kept().updates()).hasSize(1);
    assertThat(journal.kept().executors()).containsExactly(executor(FRAMEWORK, "other"));
    journal.forget(FRAMEWORK, task("t"));
    write();
    assertThat(journal.kept().updates()).isEmpty();
    journal.forget(FRAMEWORK);
    write();
    startAnew();
    assertThat(journal.kept().tasks()).containsExactly(entry(id("f/10"), "t"));
    assertThat(journal.kept().executors()).isEmpty();
  }

  @Test
  void nothingIsKeptOfAFrameworkThatDoesNotWantIt() {
    journal.framework(
        FrameworkInfo.newBuilder().setId(FRAMEWORK).setUser("u").setName("n").build());
    assertThat(journal.task(entry(FRAMEWORK, "t")).toCompletableFuture()).isCompleted();
    assertThat(journal.keeps(FRAMEWORK)).isFalse();
    assertThat(writes).isEmpty();
  }

  @Test
  void aFrameworkIsReleasedOnceNothingOfItIsToBeTold() {
    known(FRAMEWORK);
    journal.update(FRAMEWORK, status("t", "u", TaskState.TASK_FINISHED));
    journal.release(FRAMEWORK);
    assertThat(journal.keeps(FRAMEWORK)).isTrue();
    journal.acknowledged(FRAMEWORK, task("t"), ByteString.copyFromUtf8("u"));
    journal.release(FRAMEWORK);
    assertThat(journal.keeps(FRAMEWORK)).isFalse();
  }

  @Test
  void anotherBootIsSeen() throws IOException {
    assertThat(journal.sameBoot("one")).isTrue();
    journal.clear();
    write();
    startAnew();
    assertThat(journal.sameBoot("one")).isTrue();
    assertThat(journal.sameBoot("two")).isFalse();
    write();
    startAnew();
    assertThat(journal.sameBoot("two")).isTrue();
  }

  /** A disk that takes nothing now must not cost what is written when it does again. */
  @Test
  void whatCannotBeWrittenIsSaidAndTriedAgain() throws IOException {
    known(FRAMEWORK);
    Path folder = workDir.resolve("meta").resolve("journal");
    journal.close();
    CompletionStage<Void> failed = journal.task(entry(FRAMEWORK, "t"));
    write();
    assertThat(failed.toCompletableFuture()).isCompletedExceptionally();
    assertThat(retries).hasSize(1);
    assertThat(folder).isDirectory();
    retries.remove(0).run();
    assertThat(writes).hasSize(1);
  }

  @Test
  void whatIsDamagedInTheMiddleEndsTheStartAndIsNotTouched() throws IOException {
    known(FRAMEWORK);
    journal.task(entry(FRAMEWORK, "t"));
    write();
    journal.task(entry(FRAMEWORK, "t2"));
    write();
    journal.close();
    Path file = workDir.resolve("meta").resolve("journal").resolve("log");
    byte[] bytes = Files.readAllBytes(file);
    bytes[20] ^= 1;
    Files.write(file, bytes, StandardOpenOption.TRUNCATE_EXISTING);
    assertThatThrownBy(this::open)
        .isInstanceOf(IOException.class)
        .hasMessageContaining("is damaged at byte 0")
        .hasMessageContaining("bring a copy of it back, or start once with --no-strict");
    assertThat(Files.readAllBytes(file)).isEqualTo(bytes);
  }

  @Test
  void whatIsDamagedInTheMiddleIsSetAsideAndTheRestIsThereWhereThatIsAskedFor() throws IOException {
    known(FRAMEWORK);
    journal.executor(executor(FRAMEWORK, "e"));
    write();
    for (String each : List.of("t1", "t2", "t3")) {
      journal.task(entry(FRAMEWORK, each));
      write();
    }
    journal.close();
    Path file = workDir.resolve("meta").resolve("journal").resolve("log");
    byte[] bytes = Files.readAllBytes(file);
    int second = indexOf(bytes, "t/f%2F1/t2");
    bytes[second] ^= 1;
    Files.write(file, bytes);
    open(false);
    assertThat(journal.kept().frameworks()).hasSize(1);
    assertThat(journal.kept().tasks())
        .containsExactly(entry(FRAMEWORK, "t1"), entry(FRAMEWORK, "t3"));
    assertThat(errors.get()).isEqualTo(1.0);
    try (var files = Files.list(file.getParent())) {
      Path aside =
          files.filter(each -> each.toString().contains("log.damaged-")).findFirst().orElseThrow();
      assertThat(Files.readAllBytes(aside)).isEqualTo(bytes);
    }
    // And it takes writes, and is whole again.
    journal.task(entry(FRAMEWORK, "t4"));
    write();
    journal.close();
    open(true);
    assertThat(journal.kept().tasks()).hasSize(3);
  }

  @Test
  void tasksWhoseExecutorCannotBeReadAreNotTakenOver() throws IOException {
    known(FRAMEWORK);
    journal.executor(executor(FRAMEWORK, "e"));
    write();
    journal.task(entry(FRAMEWORK, "t1"));
    write();
    journal.close();
    Path file = workDir.resolve("meta").resolve("journal").resolve("log");
    byte[] bytes = Files.readAllBytes(file);
    bytes[indexOf(bytes, "e/f%2F1/e")] ^= 1;
    Files.write(file, bytes);
    open(false);
    assertThat(journal.kept().frameworks()).hasSize(1);
    assertThat(journal.kept().executors()).isEmpty();
    assertThat(journal.kept().tasks()).isEmpty();
  }

  private static int indexOf(byte[] bytes, String text) {
    int at = new String(bytes, StandardCharsets.ISO_8859_1).indexOf(text);
    assertThat(at).isPositive();
    return at;
  }

  @Test
  void executorsOfThePastAreThereForTheNextProcessTheNewestOnes() throws IOException {
    known(FRAMEWORK);
    FrameworkInfo info = journal.kept().frameworks().get(0).getFramework();
    for (String each : List.of("e1", "e2", "e3")) {
      PastExecutorEntry.Builder past = PastExecutorEntry.newBuilder().setFrameworkId(FRAMEWORK);
      past.getExecutorBuilder().getExecutorIdBuilder().setValue(each);
      journal.ended(info, past.build(), 2);
    }
    // That the framework is gone does not end its past.
    journal.forget(FRAMEWORK);
    write();
    startAnew();
    assertThat(journal.kept().frameworks()).isEmpty();
    assertThat(journal.kept().past()).hasSize(1);
    assertThat(journal.kept().pastExecutors())
        .extracting(past -> past.getExecutor().getExecutorId().getValue())
        .containsExactly("e2", "e3");
    journal.forgetPast(FRAMEWORK);
    write();
    startAnew();
    assertThat(journal.kept().past()).isEmpty();
    assertThat(journal.kept().pastExecutors()).isEmpty();
  }

  @Test
  void aLastWriteThatWasCutOffIsCutAway() throws IOException {
    known(FRAMEWORK);
    journal.task(entry(FRAMEWORK, "t"));
    write();
    journal.task(entry(FRAMEWORK, "t2"));
    write();
    journal.close();
    Path file = workDir.resolve("meta").resolve("journal").resolve("log");
    byte[] bytes = Files.readAllBytes(file);
    Files.write(file, java.util.Arrays.copyOf(bytes, bytes.length - 3));
    open();
    assertThat(journal.kept().tasks()).containsExactly(entry(FRAMEWORK, "t"));
  }
}
