package org.mezzo.agent.recovery;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.protobuf.ByteString;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.concurrent.CompletionStage;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.mezzo.agent.recovery.messages.ExecutorEntry;
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
    journal =
        Journal.open(
            workDir,
            writes::add,
            Runnable::run,
            (wait, task) -> {
              retries.add(task);
              return () -> {};
            },
            new MetricsRegistry());
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
        .hasMessageContaining("or remove");
    assertThat(Files.readAllBytes(file)).isEqualTo(bytes);
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
