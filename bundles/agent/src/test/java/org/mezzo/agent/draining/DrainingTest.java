package org.mezzo.agent.draining;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.mezzo.protocol.v1.DrainConfig;
import org.mezzo.protocol.v1.DurationInfo;
import org.mezzo.protocol.v1.FrameworkInfo;
import org.mezzo.protocol.v1.TaskID;
import org.mezzo.protocol.v1.TaskState;
import org.mezzo.protocol.v1.TaskStatus;
import org.mezzo.protocol.v1.TaskStatus.Reason;

class DrainingTest {
  private static final FrameworkInfo PLAIN =
      FrameworkInfo.newBuilder().setUser("u").setName("n").build();
  private static final FrameworkInfo PARTITION_AWARE =
      PLAIN.toBuilder()
          .addCapabilities(
              FrameworkInfo.Capability.newBuilder()
                  .setType(FrameworkInfo.Capability.Type.PARTITION_AWARE))
          .build();
  private static final DrainConfig GONE = DrainConfig.newBuilder().setMarkGone(true).build();

  @TempDir Path folder;

  private Draining open(long seconds) throws Exception {
    return new Draining(
        folder,
        Runnable::run,
        Runnable::run,
        Clock.fixed(Instant.ofEpochSecond(seconds), ZoneOffset.UTC));
  }

  private static TaskStatus explained(Draining draining, FrameworkInfo framework, TaskState state) {
    TaskStatus.Builder status =
        TaskStatus.newBuilder().setTaskId(TaskID.newBuilder().setValue("t")).setState(state);
    draining.explain(framework, status);
    return status.build();
  }

  @Test
  void isKeptUntilItEnds() throws Exception {
    DrainConfig config =
        DrainConfig.newBuilder()
            .setMaxGracePeriod(DurationInfo.newBuilder().setNanoseconds(5_000_000_000L))
            .build();
    Draining draining = open(7);
    assertThat(draining.current()).isEmpty();
    draining.begin(config);
    Draining restarted = open(9);
    assertThat(restarted.current()).isEqualTo(draining.current());
    assertThat(restarted.current().orElseThrow().longestGrace()).contains(Duration.ofSeconds(5));
    assertThat(restarted.current().orElseThrow().began().getNanoseconds())
        .isEqualTo(7_000_000_000L);
    restarted.begin(GONE);
    assertThat(open(10).current().orElseThrow().config()).isEqualTo(GONE);
    assertThat(open(10).current().orElseThrow().longestGrace()).isEmpty();
    restarted.end("test");
    assertThat(restarted.current()).isEmpty();
    assertThat(open(10).current()).isEmpty();
    assertThat(folder.resolve("meta/agent/drain.config")).doesNotExist();
  }

  @Test
  void aDamagedFileIsNoDrain() throws Exception {
    Files.createDirectories(folder.resolve("meta/agent"));
    Files.write(folder.resolve("meta/agent/drain.config"), new byte[] {1, 2, 3});
    assertThat(open(1).current()).isEmpty();
  }

  @Test
  void rule249SaysWhyTasksAreKilled() throws Exception {
    Draining draining = open(1);
    assertThat(explained(draining, PLAIN, TaskState.TASK_KILLED).hasReason()).isFalse();
    draining.begin(DrainConfig.getDefaultInstance());
    for (TaskState state : new TaskState[] {TaskState.TASK_KILLING, TaskState.TASK_KILLED}) {
      TaskStatus status = explained(draining, PARTITION_AWARE, state);
      assertThat(status.getState()).isEqualTo(state);
      assertThat(status.getReason()).isEqualTo(Reason.REASON_AGENT_DRAINING);
    }
    assertThat(explained(draining, PLAIN, TaskState.TASK_FINISHED).hasReason()).isFalse();
    draining.begin(GONE);
    assertThat(explained(draining, PARTITION_AWARE, TaskState.TASK_KILLING).getState())
        .isEqualTo(TaskState.TASK_KILLING);
    assertThat(explained(draining, PARTITION_AWARE, TaskState.TASK_KILLED).getState())
        .isEqualTo(TaskState.TASK_GONE_BY_OPERATOR);
    assertThat(explained(draining, PLAIN, TaskState.TASK_KILLED).getState())
        .isEqualTo(TaskState.TASK_KILLED);
  }
}
