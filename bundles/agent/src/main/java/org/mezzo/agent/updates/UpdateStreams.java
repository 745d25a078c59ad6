package org.mezzo.agent.updates;

import com.google.protobuf.ByteString;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.BiFunction;
import java.util.function.Function;
import java.util.function.Predicate;
import java.util.function.Supplier;
import org.mezzo.daemon.loop.Backoff;
import org.mezzo.daemon.loop.EventLoop.Timer;

/**
 * What the master has to be told until it is acknowledged, in streams that do not wait for each
 * other: only the first update of each is under way, repeated after 10 s, doubling to 10 min (rules
 * 97 to 100, 312). For the event loop only, unless said otherwise.
 *
 * @param <K> names a stream
 * @param <U> an update
 */
public final class UpdateStreams<K, U> {
  /** The wait before the first retry; doubled for each one after it. */
  static final Duration FIRST_RETRY = Duration.ofSeconds(10);

  /** The longest wait between retries. */
  static final Duration LONGEST_RETRY = Duration.ofMinutes(10);

  /** Takes updates to the master; one it loses is sent again. */
  @FunctionalInterface
  public interface Sender<K, U> {
    /**
     * Sends one.
     *
     * @param first what is under way
     * @param last what the stream ends with as yet; may be the same
     */
    void send(K key, U first, U last);
  }

  private static final class Stream<U> {
    final Deque<U> pending = new ArrayDeque<>();
    final Backoff backoff = new Backoff(FIRST_RETRY, LONGEST_RETRY);
    Optional<U> sent = Optional.empty();
    Timer retry = () -> {};

    /** The first one waits until the acknowledgement of the one before it is kept. */
    boolean held;
  }

  private final Map<K, Stream<U>> streams = new LinkedHashMap<>();
  private final BiFunction<Duration, Runnable, Timer> timers;
  private final Function<U, ByteString> uuid;
  private final Sender<K, U> sender;
  private final AtomicInteger waiting = new AtomicInteger();
  private boolean paused = true;

  /**
   * Starts paused.
   *
   * @param timers runs something on the loop later
   * @param uuid by which an update is acknowledged
   */
  public UpdateStreams(
      BiFunction<Duration, Runnable, Timer> timers,
      Function<U, ByteString> uuid,
      Sender<K, U> sender) {
    this.timers = timers;
    this.uuid = uuid;
    this.sender = sender;
  }

  /** Appends to a stream, once, and sends at once when nothing of it is under way. */
  public void add(K key, U update) {
    Stream<U> stream = streams.computeIfAbsent(key, unused -> new Stream<>());
    for (U pending : stream.pending) {
      if (uuid.apply(pending).equals(uuid.apply(update))) {
        return;
      }
    }
    stream.pending.add(update);
    waiting.incrementAndGet();
    if (stream.pending.size() == 1) {
      sendFirst(key, stream);
    }
  }

  /**
   * The update under way has arrived; the next one is sent.
   *
   * @return what was acknowledged; empty when it was not the one under way
   */
  public Optional<U> acknowledge(K key, ByteString acknowledged) {
    return acknowledge(key, acknowledged, () -> CompletableFuture.completedStage(null));
  }

  /**
   * The same, where the next one is sent once it is kept that this one has arrived: a later process
   * that did not know would send this one again, after the next.
   *
   * @param keeping asked where it was the one under way; its stage completes on the loop. What
   *     cannot be kept holds nothing up
   */
  public Optional<U> acknowledge(
      K key, ByteString acknowledged, Supplier<CompletionStage<Void>> keeping) {
    Stream<U> stream = streams.get(key);
    if (stream == null
        || stream.pending.isEmpty()
        || !uuid.apply(stream.pending.peekFirst()).equals(acknowledged)) {
      return Optional.empty();
    }
    U update = stream.pending.removeFirst();
    waiting.decrementAndGet();
    stream.retry.cancel();
    stream.backoff.reset();
    stream.held = true;
    keeping
        .get()
        .whenComplete(
            (kept, failure) -> {
              stream.held = false;
              if (streams.get(key) == stream) {
                sendFirst(key, stream);
              }
            });
    return Optional.of(update);
  }

  /** Sends nothing any more: there is no master. */
  public void pause() {
    paused = true;
    streams.values().forEach(stream -> stream.retry.cancel());
  }

  /** Sends the first pending update of every stream now and starts its backoff anew. */
  public void resume() {
    paused = false;
    resend(key -> true);
  }

  /** The same for some streams; nothing while paused. */
  public void resend(Predicate<K> some) {
    if (paused) {
      return;
    }
    for (Map.Entry<K, Stream<U>> entry : List.copyOf(streams.entrySet())) {
      if (some.test(entry.getKey())) {
        Stream<U> stream = entry.getValue();
        stream.retry.cancel();
        stream.backoff.reset();
        sendFirst(entry.getKey(), stream);
      }
    }
  }

  /** Forgets streams with what they hold. */
  public void remove(Predicate<K> some) {
    for (K key : new ArrayList<>(streams.keySet())) {
      if (some.test(key)) {
        Stream<U> stream = streams.remove(key);
        stream.retry.cancel();
        waiting.addAndGet(-stream.pending.size());
      }
    }
  }

  /** Forgets a stream if it holds nothing. */
  void removeIfEmpty(K key) {
    streams.computeIfPresent(key, (unused, stream) -> stream.pending.isEmpty() ? null : stream);
  }

  /** What was sent last of a stream that is not forgotten. */
  public Optional<U> sent(K key) {
    Stream<U> stream = streams.get(key);
    return stream == null ? Optional.empty() : stream.sent;
  }

  /** How many updates wait for their acknowledgement. Safe for any thread. */
  public int pending() {
    return waiting.get();
  }

  private void sendFirst(K key, Stream<U> stream) {
    if (!stream.pending.isEmpty() && !stream.held && !paused) {
      send(key, stream);
    }
  }

  private void send(K key, Stream<U> stream) {
    U update = stream.pending.peekFirst();
    stream.sent = Optional.of(update);
    sender.send(key, update, stream.pending.peekLast());
    stream.retry =
        timers.apply(
            stream.backoff.next(),
            () -> {
              if (!paused && stream.pending.peekFirst() == update) {
                send(key, stream);
              }
            });
  }
}
