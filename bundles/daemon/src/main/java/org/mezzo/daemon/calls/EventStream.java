package org.mezzo.daemon.calls;

import com.google.protobuf.Message;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.function.Consumer;
import org.mezzo.api.Metrics;
import org.mezzo.daemon.loop.EventLoop;
import org.mezzo.http.HttpExchange;
import org.mezzo.http.ResponseStream;
import org.mezzo.http.SlowClientException;
import org.mezzo.http.StreamBound;

/**
 * An answer that is a stream of RecordIO records (rules 17 and 18). Events are encoded and written
 * in the order in which they were sent, on worker threads: sending is cheap enough for an event
 * loop. A client for which more waits than its {@link StreamBound} allows is cut; the event that is
 * being sent does not count, so that one of any size passes. Safe for any thread; no method blocks.
 */
public final class EventStream<E extends Message> {
  /** A bound that suits streams for which no flag sets one: 64 MB, and more in a burst. */
  public static final StreamBound DEFAULT_BOUND = StreamBound.of(64L << 20);

  private final ContentType type;
  private final ResponseStream stream;
  private final Executor workers;
  private final StreamBound bound;
  private final ArrayDeque<Encoded<E>> waiting = new ArrayDeque<>();
  private long waitingBytes;
  private final List<Runnable> untaken = new ArrayList<>();
  private boolean running;
  private boolean ending;
  private volatile boolean closed;
  private volatile EventLoop.Timer heartbeat = () -> {};

  private EventStream(
      ContentType type, ResponseStream stream, Executor workers, StreamBound bound) {
    this.type = type;
    this.stream = stream;
    this.workers = workers;
    this.bound = bound;
    stream.onClosed(
        cause -> {
          closed = true;
          heartbeat.cancel();
        });
  }

  /**
   * Answers the exchange with 200 and an open stream.
   *
   * @param type JSON or protobuf; becomes the Content-Type unless the headers have one
   * @param headers more headers, for example {@code Mesos-Stream-Id}
   */
  public static <E extends Message> EventStream<E> open(
      HttpExchange exchange,
      ContentType type,
      Map<String, String> headers,
      Executor workers,
      StreamBound bound) {
    Map<String, String> all = new LinkedHashMap<>(headers);
    all.putIfAbsent("Content-Type", type.text());
    return new EventStream<>(type, exchange.stream(200, all, bound), workers, bound);
  }

  /** Counts this stream should it be cut because its client does not read. */
  public EventStream<E> countCut(Metrics.Counter cuts) {
    stream.onClosed(
        cause -> {
          if (cause instanceof SlowClientException) {
            cuts.increment();
          }
        });
    return this;
  }

  /** Sends an event to this client alone. False when the stream is closed, or cut by this. */
  public boolean send(E event) {
    return send(Encoded.of(event));
  }

  /** Sends an event that other streams get as well. False as above. */
  public boolean send(Encoded<E> event) {
    synchronized (waiting) {
      if (closed || ending) {
        return false;
      }
      // A lower bound of what the record will take; the stream counts the real bytes.
      int size = event.message().getSerializedSize();
      Encoded<E> next = waiting.peek();
      if (next != null
          && waitingBytes - next.message().getSerializedSize() + size + stream.queuedBytes()
              > bound.most()) {
        closed = true;
        waiting.clear();
        waitingBytes = 0;
      } else {
        waiting.add(event);
        waitingBytes += size;
        schedule();
        return true;
      }
    }
    stream.abort(
        new SlowClientException("The client reads too slowly: events wait to be written for it"));
    return false;
  }

  /** Sends an event again and again until the stream closes; replaces an earlier heartbeat. */
  public void heartbeat(EventLoop loop, Duration period, Encoded<E> event) {
    heartbeat(loop, period, event, () -> {});
  }

  /**
   * As above.
   *
   * @param sent run on the loop after each that went out
   */
  public void heartbeat(EventLoop loop, Duration period, Encoded<E> event, Runnable sent) {
    heartbeat.cancel();
    heartbeat =
        loop.every(
            period,
            () -> {
              if (send(event)) {
                sent.run();
              }
            });
    if (closed) {
      heartbeat.cancel();
    }
  }

  /**
   * Runs something once when nothing that was sent before waits for the client any more, or the
   * stream has ended: for who makes the next event only when the last one is taken. At once, or on
   * a thread that it must not hold.
   */
  public void whenTaken(Runnable listener) {
    synchronized (waiting) {
      if (running) {
        untaken.add(listener);
        return;
      }
    }
    stream.whenTaken(listener);
  }

  /** Ends the stream in order, after what was sent. */
  public void end() {
    synchronized (waiting) {
      if (closed || ending) {
        return;
      }
      ending = true;
      schedule();
    }
    heartbeat.cancel();
  }

  /** Drops the connection at once. */
  public void abort() {
    stream.abort();
  }

  /** As above, for a reason that the listeners of {@link #onClosed} are told. */
  public void abort(Throwable reason) {
    stream.abort(reason);
  }

  /**
   * Called once, on any thread, when the stream has ended for whatever reason; at once when it has
   * already. The cause is null after {@link #end}.
   */
  public void onClosed(Consumer<Throwable> listener) {
    stream.onClosed(listener);
  }

  /** Whether nothing can be sent any more. */
  public boolean closed() {
    return closed;
  }

  /** How events are written. */
  public ContentType type() {
    return type;
  }

  /** Bytes that wait behind what is being sent, those not yet encoded by estimate. */
  public long queuedBytes() {
    synchronized (waiting) {
      return waitingBytes + stream.queuedBytes();
    }
  }

  private void schedule() {
    if (running) {
      return;
    }
    running = true;
    try {
      workers.execute(this::drain);
    } catch (RejectedExecutionException e) {
      running = false;
      closed = true;
      waiting.clear();
      stream.abort();
      // Without an end they would wait for ever.
      untaken.forEach(stream::whenTaken);
      untaken.clear();
    }
  }

  private void drain() {
    while (true) {
      Encoded<E> next;
      List<Runnable> written = List.of();
      synchronized (waiting) {
        next = waiting.poll();
        if (next == null) {
          running = false;
          written = List.copyOf(untaken);
          untaken.clear();
          if (ending) {
            stream.end();
          }
        } else {
          waitingBytes -= next.message().getSerializedSize();
        }
      }
      if (next == null) {
        written.forEach(stream::whenTaken);
        return;
      }
      boolean open;
      try {
        open = stream.write(next.record(type));
      } catch (RuntimeException e) {
        stream.abort();
        throw e;
      }
      if (!open) {
        closed = true;
      }
    }
  }
}
