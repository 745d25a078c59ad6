package org.mezzo.agent.draining;

import com.google.protobuf.InvalidProtocolBufferException;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import org.mezzo.agent.checkpoint.CheckpointFile;
import org.mezzo.agent.updates.States;
import org.mezzo.protocol.v1.DrainConfig;
import org.mezzo.protocol.v1.FrameworkInfo;
import org.mezzo.protocol.v1.TaskState;
import org.mezzo.protocol.v1.TaskStatus;
import org.mezzo.protocol.v1.TaskStatus.Reason;
import org.mezzo.protocol.v1.TimeInfo;
import org.mezzo.protocol.v1.agent.Response.GetAgent;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Whether the agent drains (rules 249, 250): from the master's order until nothing runs any more,
 * over restarts. For the event loop only, unless said otherwise.
 */
public final class Draining {
  private static final Logger LOG = LoggerFactory.getLogger(Draining.class);

  /**
   * A drain. Immutable.
   *
   * @param began when the agent heard of it
   */
  public record Drain(DrainConfig config, TimeInfo began) {
    /** How long a task may take at most, where the operator said so. */
    public Optional<Duration> longestGrace() {
      return config.hasMaxGracePeriod()
          ? Optional.of(Duration.ofNanos(config.getMaxGracePeriod().getNanoseconds()))
          : Optional.empty();
    }
  }

  private final CheckpointFile file;
  private final Executor worker;
  private final Executor loop;
  private final Clock clock;
  private volatile Optional<Drain> current;

  /** Whether the file is being written; one write follows the other. */
  private boolean writing;

  /** Whether the file has still to follow. */
  private boolean changed;

  /**
   * Takes over the drain that an earlier process began. Blocks.
   *
   * @param worker where files are written
   * @param loop where everything else here is called
   */
  public Draining(Path workDir, Executor worker, Executor loop, Clock clock) throws IOException {
    file = new CheckpointFile(workDir.resolve("meta").resolve("agent").resolve("drain.config"));
    this.worker = worker;
    this.loop = loop;
    this.clock = clock;
    current = load();
  }

  private Optional<Drain> load() throws IOException {
    Optional<byte[]> bytes = file.read();
    if (bytes.isEmpty()) {
      return Optional.empty();
    }
    try {
      GetAgent kept = GetAgent.parseFrom(bytes.get());
      return Optional.of(new Drain(kept.getDrainConfig(), kept.getEstimatedDrainStartTime()));
    } catch (InvalidProtocolBufferException e) {
      LOG.error("{} is damaged and is left out; the master tells again of a drain", file.path(), e);
      return Optional.empty();
    }
  }

  /** The drain under way. Safe for any thread. */
  public Optional<Drain> current() {
    return current;
  }

  /** Begins a drain, or goes on with another configuration (rule 252). */
  public void begin(DrainConfig config) {
    if (current.isPresent() && current.get().config().equals(config)) {
      return;
    }
    TimeInfo began =
        current
            .map(Drain::began)
            .orElseGet(
                () -> TimeInfo.newBuilder().setNanoseconds(clock.millis() * 1_000_000).build());
    current = Optional.of(new Drain(config, began));
    LOG.info("The agent drains: its tasks are killed and no new ones are launched");
    changed = true;
    write();
  }

  /** Nothing runs any more, or the agent is another one than the one that drained. */
  public void end(String why) {
    if (current.isPresent()) {
      current = Optional.empty();
      LOG.info("The agent drains no longer: {}", why);
      changed = true;
      write();
    }
  }

  private void write() {
    if (writing || !changed) {
      return;
    }
    changed = false;
    writing = true;
    Optional<Drain> now = current;
    try {
      worker.execute(
          () -> {
            store(now);
            loop.execute(this::written);
          });
    } catch (RejectedExecutionException e) {
      LOG.debug("The agent stops; the master tells again of a drain");
    }
  }

  private void written() {
    writing = false;
    write();
  }

  private void store(Optional<Drain> drain) {
    try {
      if (drain.isEmpty()) {
        file.delete();
        return;
      }
      file.write(
          GetAgent.newBuilder()
              .setDrainConfig(drain.get().config())
              .setEstimatedDrainStartTime(drain.get().began())
              .build()
              .toByteArray());
    } catch (IOException e) {
      LOG.error("Cannot keep in {} whether the agent drains", file.path(), e);
    }
  }

  /** Says of a task that is killed why, while the agent drains. */
  public void explain(FrameworkInfo framework, TaskStatus.Builder status) {
    if (current.isEmpty()
        || status.getState() != TaskState.TASK_KILLING
            && status.getState() != TaskState.TASK_KILLED) {
      return;
    }
    status.setReason(Reason.REASON_AGENT_DRAINING);
    if (status.getState() == TaskState.TASK_KILLED
        && current.get().config().getMarkGone()
        && States.has(framework, FrameworkInfo.Capability.Type.PARTITION_AWARE)) {
      status.setState(TaskState.TASK_GONE_BY_OPERATOR);
    }
  }
}
