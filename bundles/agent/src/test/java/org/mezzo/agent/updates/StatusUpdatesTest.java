package org.mezzo.agent.updates;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.ByteString;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.mezzo.agent.recovery.TestJournal;
import org.mezzo.daemon.loop.EventLoop.Timer;
import org.mezzo.link.messages.StatusUpdate;
import org.mezzo.protocol.v1.FrameworkID;
import org.mezzo.protocol.v1.TaskID;
import org.mezzo.protocol.v1.TaskState;
import org.mezzo.protocol.v1.TaskStatus;

class StatusUpdatesTest {
  private static final FrameworkID FRAMEWORK = FrameworkID.newBuilder().setValue("f").build();
  private static final TaskID TASK = TaskID.newBuilder().setValue("t").build();

  private static final class Alarm {
    Duration at;
    Runnable task;
    boolean cancelled;
  }

  private final List<Alarm> alarms = new ArrayList<>();
  private final List<StatusUpdate> sent = new ArrayList<>();
  private final StatusUpdates updates;
  private Duration now = Duration.ZERO;

  StatusUpdatesTest(@TempDir Path folder) {
    updates = new StatusUpdates(TestJournal.in(folder), this::timer, sent::add);
  }

  private Timer timer(Duration delay, Runnable task) {
    Alarm alarm = new Alarm();
    alarm.at = now.plus(delay);
    alarm.task = task;
    alarms.add(alarm);
    return () -> alarm.cancelled = true;
  }

  private void advanceTo(Duration time) {
    while (true) {
      Alarm next = null;
      for (Alarm alarm : alarms) {
        if (!alarm.cancelled
            && alarm.at.compareTo(time) <= 0
            && (next == null || alarm.at.compareTo(next.at) < 0)) {
          next = alarm;
        }
      }
      if (next == null) {
        now = time;
        return;
      }
      alarms.remove(next);
      now = next.at;
      next.task.run();
    }
  }

  private static TaskStatus status(TaskState state, String uuid) {
    return TaskStatus.newBuilder()
        .setTaskId(TASK)
        .setState(state)
        .setUuid(ByteString.copyFromUtf8(uuid))
        .build();
  }

  private List<TaskState> states() {
    return sent.stream().map(update -> update.getStatus().getState()).toList();
  }

  private void acknowledge(String uuid) {
    updates.acknowledge(FRAMEWORK, TASK, ByteString.copyFromUtf8(uuid));
  }

  @Test
  void oneUpdateIsUnderWayAndTheNextFollowsItsAcknowledgement() {
    updates.resume();
    updates.add(FRAMEWORK, status(TaskState.TASK_STARTING, "1"));
    updates.add(FRAMEWORK, status(TaskState.TASK_RUNNING, "2"));
    updates.add(FRAMEWORK, status(TaskState.TASK_RUNNING, "2"));
    assertThat(states()).containsExactly(TaskState.TASK_STARTING);
    assertThat(updates.pending()).isEqualTo(2);
    acknowledge("2");
    assertThat(states()).containsExactly(TaskState.TASK_STARTING);
    acknowledge("1");
    assertThat(states()).containsExactly(TaskState.TASK_STARTING, TaskState.TASK_RUNNING);
    updates.add(FRAMEWORK, status(TaskState.TASK_FINISHED, "3"));
    assertThat(updates.sentState(FRAMEWORK, TASK)).contains(TaskState.TASK_RUNNING);
    acknowledge("2");
    acknowledge("3");
    assertThat(states()).endsWith(TaskState.TASK_FINISHED);
    assertThat(updates.sentState(FRAMEWORK, TASK)).isEmpty();
    assertThat(updates.pending()).isZero();
  }

  @Test
  void retriesDoubleUpToTenMinutes() {
    updates.resume();
    updates.add(FRAMEWORK, status(TaskState.TASK_RUNNING, "1"));
    long at = 0;
    int count = 1;
    for (long wait : new long[] {10, 20, 40, 80, 160, 320, 600, 600}) {
      at += wait;
      advanceTo(Duration.ofSeconds(at).minusMillis(1));
      assertThat(sent).hasSize(count);
      advanceTo(Duration.ofSeconds(at));
      assertThat(sent).hasSize(++count);
    }
    acknowledge("1");
    advanceTo(Duration.ofHours(10));
    assertThat(sent).hasSize(count);
  }

  @Test
  void nothingIsSentWithoutAMasterAndTheFirstOfEachStreamOnItsReturn() {
    updates.add(FRAMEWORK, status(TaskState.TASK_STARTING, "1"));
    advanceTo(Duration.ofMinutes(1));
    assertThat(sent).isEmpty();
    updates.resume();
    updates.add(FRAMEWORK, status(TaskState.TASK_RUNNING, "2"));
    advanceTo(Duration.ofMinutes(1).plusSeconds(15));
    assertThat(sent).hasSize(2);
    updates.pause();
    advanceTo(Duration.ofHours(1));
    assertThat(sent).hasSize(2);
    updates.resume();
    assertThat(states())
        .containsExactly(TaskState.TASK_STARTING, TaskState.TASK_STARTING, TaskState.TASK_STARTING);
    assertThat(sent.get(2).getLatestState()).isEqualTo(TaskState.TASK_RUNNING);
    advanceTo(Duration.ofHours(1).plusSeconds(10));
    assertThat(sent).hasSize(4);
  }

  @Test
  void aRemovedFrameworkIsSilent() {
    updates.resume();
    updates.add(FRAMEWORK, status(TaskState.TASK_STARTING, "1"));
    updates.remove(FRAMEWORK);
    advanceTo(Duration.ofHours(1));
    assertThat(sent).hasSize(1);
    assertThat(updates.pending()).isZero();
  }

  @Test
  void aFrameworkThatIsBackGetsItsUpdatesAtOnce() {
    updates.resume();
    updates.add(FRAMEWORK, status(TaskState.TASK_STARTING, "1"));
    advanceTo(Duration.ofSeconds(31));
    assertThat(sent).hasSize(3);
    updates.resend(FRAMEWORK);
    assertThat(sent).hasSize(4);
    advanceTo(Duration.ofSeconds(41));
    assertThat(sent).hasSize(5);
  }

  /** A later process of the agent that did not know would tell the first one after the second. */
  @Test
  void theNextWaitsUntilTheAcknowledgementIsKept() {
    List<String> told = new ArrayList<>();
    UpdateStreams<String, TaskStatus> streams =
        new UpdateStreams<>(
            this::timer,
            TaskStatus::getUuid,
            (key, first, last) -> told.add(first.getUuid().toStringUtf8()));
    streams.resume();
    streams.add("t", status(TaskState.TASK_RUNNING, "1"));
    streams.add("t", status(TaskState.TASK_FINISHED, "2"));
    CompletableFuture<Void> kept = new CompletableFuture<>();
    assertThat(streams.acknowledge("t", ByteString.copyFromUtf8("1"), () -> kept)).isPresent();
    streams.resend(key -> true);
    streams.pause();
    streams.resume();
    streams.add("t", status(TaskState.TASK_FINISHED, "3"));
    advanceTo(Duration.ofHours(1));
    assertThat(told).containsExactly("1");
    kept.complete(null);
    assertThat(told).containsExactly("1", "2");
    assertThat(streams.acknowledge("t", ByteString.copyFromUtf8("1"), () -> kept)).isEmpty();
  }

  @Test
  void whatCannotBeKeptHoldsNothingUp() {
    List<String> told = new ArrayList<>();
    UpdateStreams<String, TaskStatus> streams =
        new UpdateStreams<>(
            this::timer,
            TaskStatus::getUuid,
            (key, first, last) -> told.add(first.getUuid().toStringUtf8()));
    streams.resume();
    streams.add("t", status(TaskState.TASK_RUNNING, "1"));
    streams.add("t", status(TaskState.TASK_FINISHED, "2"));
    streams.acknowledge(
        "t",
        ByteString.copyFromUtf8("1"),
        () -> CompletableFuture.failedStage(new IOException("disk full")));
    assertThat(told).containsExactly("1", "2");
  }

  @Test
  void aTaskEndsFromThatItIsToldUntilItIsAcknowledged() {
    updates.add(FRAMEWORK, status(TaskState.TASK_RUNNING, "1"));
    assertThat(updates.ending(FRAMEWORK, TASK)).isFalse();
    updates.add(FRAMEWORK, status(TaskState.TASK_FINISHED, "2"));
    assertThat(updates.ending(FRAMEWORK, TASK)).isTrue();
    acknowledge("1");
    assertThat(updates.ending(FRAMEWORK, TASK)).isTrue();
    acknowledge("2");
    assertThat(updates.ending(FRAMEWORK, TASK)).isFalse();
    updates.restore(FRAMEWORK, status(TaskState.TASK_FINISHED, "3"));
    assertThat(updates.ending(FRAMEWORK, TASK)).isTrue();
    updates.remove(FRAMEWORK);
    assertThat(updates.ending(FRAMEWORK, TASK)).isFalse();
  }
}
