package org.mezzo.daemon.calls;

import com.google.protobuf.Message;
import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.mezzo.daemon.border.Refused;
import org.mezzo.http.BodyListener;
import org.mezzo.protocol.recordio.RecordFormatException;
import org.mezzo.protocol.recordio.RecordIo;

/**
 * The calls of a request that is a stream (rule 19), the first of which began it. They are handed
 * on one at a time, and the client is held back while one is being taken. Safe for any thread.
 *
 * @param <C> the call message of the API
 */
public final class CallRecords<C extends Message> {
  /**
   * What comes after the first call. Called one at a time, on any thread, which it must not hold.
   */
  public interface Taker<C> {
    /**
     * A call.
     *
     * @return completes when the next one may come; a failure ends the stream like one that is
     *     thrown
     * @throws Refused is the answer to the request, unless there is one
     */
    CompletionStage<?> take(C call) throws Refused;

    /** No more comes. */
    void complete();

    /** The rest will not come, or cannot be understood: of it nothing is handed on. */
    void failed(Throwable cause);
  }

  /** Makes a call of a record. */
  @FunctionalInterface
  interface Parsing<C> {
    C parse(byte[] record) throws Refused;
  }

  private final Parsing<C> parsing;
  private final Taker<C> first;
  private final Deque<byte[]> waiting = new ArrayDeque<>();
  private final RecordIo.Decoder decoder;
  private Taker<C> taker;
  private boolean begun;
  private boolean busy;
  private boolean complete;
  private boolean over;
  private Throwable failure;
  private CompletableFuture<Void> room = CompletableFuture.completedFuture(null);

  /**
   * Nothing has come yet.
   *
   * @param largest bytes that a record may have
   * @param first gets the first call, and {@code failed} where there is none
   */
  CallRecords(Parsing<C> parsing, int largest, Taker<C> first) {
    this.parsing = parsing;
    this.first = first;
    decoder = RecordIo.decoder(largest, waiting::add);
  }

  /** What reads the request. */
  BodyListener listener() {
    return new BodyListener() {
      @Override
      public void bytes(ByteBuffer bytes) {
        feed(bytes);
      }

      @Override
      public CompletionStage<?> room() {
        synchronized (CallRecords.this) {
          return room;
        }
      }

      @Override
      public void complete() {
        ended(null);
      }

      @Override
      public void failed(Throwable cause) {
        ended(cause);
      }
    };
  }

  private void feed(ByteBuffer bytes) {
    synchronized (this) {
      if (over || failure != null) {
        return;
      }
      try {
        decoder.feed(bytes);
      } catch (RecordFormatException e) {
        failure = e;
      }
      if (!waiting.isEmpty()) {
        room = room.isDone() ? new CompletableFuture<>() : room;
      }
    }
    advance();
  }

  private void ended(Throwable cause) {
    synchronized (this) {
      if (cause != null) {
        failure = cause;
      } else if (!decoder.atBoundary()) {
        failure = failure == null ? new RecordFormatException("a record is cut off") : failure;
      }
      complete = true;
    }
    advance();
  }

  /** Has the calls behind the first one handed on, from now on. Once. */
  public void follow(Taker<C> following) {
    synchronized (this) {
      taker = following;
    }
    advance();
  }

  /** Nobody wants more of it: what comes is read and thrown away. */
  public void stop() {
    CompletableFuture<Void> free;
    synchronized (this) {
      over = true;
      waiting.clear();
      free = room;
    }
    free.complete(null);
  }

  /** Hands on what can be handed on now. */
  private void advance() {
    while (true) {
      byte[] record;
      Taker<C> to;
      CompletableFuture<Void> free = null;
      Throwable failed = null;
      synchronized (this) {
        if (over || busy) {
          return;
        }
        to = begun ? taker : first;
        if (to == null) {
          return;
        }
        record = waiting.poll();
        if (record != null) {
          busy = true;
          begun = true;
        } else {
          free = room;
          over = complete || failure != null;
          failed = failure;
          if (!over) {
            // Whoever reads goes on when all that came is taken.
            to = null;
          } else if (to == first && failed == null) {
            failed = new RecordFormatException("the stream ended before its first record");
          }
        }
      }
      if (record == null) {
        free.complete(null);
        if (to != null && failed != null) {
          to.failed(failed);
        } else if (to != null) {
          to.complete();
        }
        return;
      }
      if (!taken(to, record)) {
        return;
      }
    }
  }

  /** Hands on one; false where that is not over yet, or was the last. */
  private boolean taken(Taker<C> to, byte[] record) {
    CompletableFuture<?> taken;
    try {
      taken = to.take(parsing.parse(record)).toCompletableFuture();
    } catch (Refused | RuntimeException e) {
      taken = CompletableFuture.failedFuture(e);
    }
    if (taken.isDone() && !taken.isCompletedExceptionally()) {
      free();
      return true;
    }
    taken.whenComplete(
        (nothing, why) -> {
          if (why != null) {
            stop();
            to.failed(why);
            return;
          }
          free();
          advance();
        });
    return false;
  }

  private synchronized void free() {
    busy = false;
  }
}
