package org.mezzo.agent.updates;

import com.google.protobuf.ByteString;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.BiFunction;
import java.util.function.Consumer;
import org.mezzo.daemon.loop.Backoff;
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

  /** The wait before the first retry; doubled for each one after it. */
  static final Duration FIRST_RETRY = Duration.ofSeconds(10);

  /** The longest wait between retries. */
  static final Duration LONGEST_RETRY = Duration.ofMinutes(10);

  private record Key(FrameworkID framework, TaskID task) {}

  private static final class Stream {
    final Deque<TaskStatus> pending = new ArrayDeque<>();
    Optional<TaskState> sent = Optional.empty();
    final Backoff backoff = new Backoff(FIRST_RETRY, LONGEST_RETRY);
    Timer retry = () -> {};
  }

  private final Map<Key, Stream> streams = new LinkedHashMap<>();
  private final BiFunction<Duration, Runnable, Timer> timers;
  private final Consumer<StatusUpdate> sender;
  private final AtomicInteger waiting = new AtomicInteger();
  private boolean paused = true;

  /**
   * Starts paused.
   *
   * @param timers runs something on the loop later
   * @param sender takes updates to the master; one it loses is sent again
   */
  public StatusUpdates(
      BiFunction<Duration, Runnable, Timer> timers, Consumer<StatusUpdate> sender) {
    this.timers = timers;
    this.sender = sender;
  }

  /** Appends to a task's stream and sends at once when nothing is under way. */
  public void add(FrameworkID framework, TaskStatus status) {
    Key key = new Key(framework, status.getTaskId());
    Stream stream = streams.computeIfAbsent(key, unused -> new Stream());
    for (TaskStatus pending : stream.pending) {
      if (pending.getUuid().equals(status.getUuid())) {
        return;
      }
    }
    stream.pending.add(status);
    waiting.incrementAndGet();
    if (stream.pending.size() == 1 && !paused) {
      send(key, stream);
    }
  }

  /**
   * The framework has the update.
   *
   * @return the acknowledged status; empty when it was not the one under way
   */
  public Optional<TaskStatus> acknowledge(FrameworkID framework, TaskID task, ByteString uuid) {
    Key key = new Key(framework, task);
    Stream stream = streams.get(key);
    if (stream == null
        || stream.pending.isEmpty()
        || !stream.pending.peekFirst().getUuid().equals(uuid)) {
      LOG.debug("Ignored an acknowledgement for task {}: it is not for the pending update", task);
      return Optional.empty();
    }
    TaskStatus acknowledged = stream.pending.removeFirst();
    waiting.decrementAndGet();
    stream.retry.cancel();
    stream.backoff.reset();
    if (stream.pending.isEmpty()) {
      if (States.terminal(acknowledged.getState())) {
        streams.remove(key);
      }
    } else if (!paused) {
      send(key, stream);
    }
    return Optional.of(acknowledged);
  }

  /** Sends nothing any more: there is no master. */
  public void pause() {
    paused = true;
    streams.values().forEach(stream -> stream.retry.cancel());
  }

  /** Sends the first pending update of every stream now and starts its backoff anew. */
  public void resume() {
    paused = false;
    for (Map.Entry<Key, Stream> entry : new ArrayList<>(streams.entrySet())) {
      resend(entry.getKey(), entry.getValue());
    }
  }

  /** The same for one framework that is back. */
  public void resend(FrameworkID framework) {
    if (paused) {
      return;
    }
    for (Map.Entry<Key, Stream> entry : new ArrayList<>(streams.entrySet())) {
      if (entry.getKey().framework().equals(framework)) {
        resend(entry.getKey(), entry.getValue());
      }
    }
  }

  private void resend(Key key, Stream stream) {
    stream.retry.cancel();
    stream.backoff.reset();
    if (!stream.pending.isEmpty()) {
      send(key, stream);
    }
  }

  /** Forgets every stream of a framework. */
  public void remove(FrameworkID framework) {
    streams
        .entrySet()
        .removeIf(
            entry -> {
              if (!entry.getKey().framework().equals(framework)) {
                return false;
              }
              entry.getValue().retry.cancel();
              waiting.addAndGet(-entry.getValue().pending.size());
              return true;
            });
  }

  /** The state of the last update of the task that was sent to the master. */
  public Optional<TaskState> sentState(FrameworkID framework, TaskID task) {
    Stream stream = streams.get(new Key(framework, task));
    return stream == null ? Optional.empty() : stream.sent;
  }

  /** How many updates wait for their acknowledgement. Safe for any thread. */
  public int pending() {
    return waiting.get();
  }

  private void send(Key key, Stream stream) {
    TaskStatus status = stream.pending.peekFirst();
    stream.sent = Optional.of(status.getState());
    sender.accept(
        StatusUpdate.newBuilder()
            .setFrameworkId(key.framework())
            .setStatus(status)
            .setLatestState(stream.pending.peekLast().getState())
            .build());
    stream.retry =
        timers.apply(
            stream.backoff.next(),
            () -> {
              if (!paused && stream.pending.peekFirst() == status) {
                send(key, stream);
              }
            });
  }
}
