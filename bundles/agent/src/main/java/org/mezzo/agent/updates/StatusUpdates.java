package org.mezzo.agent.updates;

import com.google.protobuf.ByteString;
import java.time.Duration;
import java.util.HashSet;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletionStage;
import java.util.function.BiFunction;
import java.util.function.Consumer;
import org.mezzo.agent.recovery.Journal;
import org.mezzo.daemon.loop.EventLoop.Timer;
import org.mezzo.link.messages.StatusUpdate;
import org.mezzo.protocol.v1.FrameworkID;
import org.mezzo.protocol.v1.TaskID;
import org.mezzo.protocol.v1.TaskState;
import org.mezzo.protocol.v1.TaskStatus;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Delivers status updates reliably and in order: one stream per task, of which only the first
 * unacknowledged update is under way (rules 97 to 100). For the event loop only.
 */
public final class StatusUpdates {
  private static final Logger LOG = LoggerFactory.getLogger(StatusUpdates.class);

  private record Key(FrameworkID framework, TaskID task) {}

  private final Journal journal;
  private final UpdateStreams<Key, TaskStatus> streams;

  /** Of tasks whose end is to be told, or is being kept for that. */
  private final Set<Key> ending = new HashSet<>();

  /**
   * Starts paused.
   *
   * @param journal has updates before anybody is told of them
   * @param timers runs something on the loop later
   * @param sender takes updates to the master; one it loses is sent again
   */
  public StatusUpdates(
      Journal journal,
      BiFunction<Duration, Runnable, Timer> timers,
      Consumer<StatusUpdate> sender) {
    this.journal = journal;
    streams =
        new UpdateStreams<>(
            timers,
            TaskStatus::getUuid,
            (key, first, last) ->
                sender.accept(
                    StatusUpdate.newBuilder()
                        .setFrameworkId(key.framework())
                        .setStatus(first)
                        .setLatestState(last.getState())
                        .build()));
  }

  /**
   * Appends to a task's stream and sends at once when nothing is under way. What cannot be kept on
   * disk is told all the same.
   *
   * @return complete when it is in the stream
   */
  public CompletionStage<Void> add(FrameworkID framework, TaskStatus status) {
    boolean keeps = journal.keeps(framework);
    note(framework, status);
    return journal
        .update(framework, status)
        .handle(
            (kept, failure) -> {
              if (!keeps || journal.keeps(framework)) {
                restore(framework, status);
              }
              return null;
            });
  }

  /** Appends what was kept by an earlier process. */
  public void restore(FrameworkID framework, TaskStatus status) {
    note(framework, status);
    streams.add(new Key(framework, status.getTaskId()), status);
  }

  private void note(FrameworkID framework, TaskStatus status) {
    if (States.terminal(status.getState())) {
      ending.add(new Key(framework, status.getTaskId()));
    }
  }

  /** Whether the framework is being told that the task has ended, and has not acknowledged that. */
  public boolean ending(FrameworkID framework, TaskID task) {
    return ending.contains(new Key(framework, task));
  }

  /**
   * The framework has the update.
   *
   * @return the acknowledged status; empty when it was not the one under way
   */
  public Optional<TaskStatus> acknowledge(FrameworkID framework, TaskID task, ByteString uuid) {
    Key key = new Key(framework, task);
    Optional<TaskStatus> acknowledged =
        streams.acknowledge(key, uuid, () -> journal.acknowledged(framework, task, uuid));
    if (acknowledged.isEmpty()) {
      LOG.debug("Ignored an acknowledgement for task {}: it is not for the pending update", task);
    } else if (States.terminal(acknowledged.get().getState())) {
      ending.remove(key);
      streams.removeIfEmpty(key);
    }
    return acknowledged;
  }

  /** As {@link UpdateStreams#pause}. */
  public void pause() {
    streams.pause();
  }

  /** As {@link UpdateStreams#resume}. */
  public void resume() {
    streams.resume();
  }

  /** The same for one framework that is back. */
  public void resend(FrameworkID framework) {
    streams.resend(key -> key.framework().equals(framework));
  }

  /** Forgets every stream of a framework. */
  public void remove(FrameworkID framework) {
    streams.remove(key -> key.framework().equals(framework));
    ending.removeIf(key -> key.framework().equals(framework));
    journal.forget(framework);
  }

  /** The state of the last update of the task that was sent to the master. */
  public Optional<TaskState> sentState(FrameworkID framework, TaskID task) {
    return streams.sent(new Key(framework, task)).map(TaskStatus::getState);
  }

  /** How many updates wait for their acknowledgement. Safe for any thread. */
  public int pending() {
    return streams.pending();
  }
}
