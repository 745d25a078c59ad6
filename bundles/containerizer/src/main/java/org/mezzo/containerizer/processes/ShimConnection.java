package org.mezzo.containerizer.processes;

import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.SelectionKey;
import java.nio.channels.SocketChannel;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;

/**
 * A connection with the shim of a container. Belongs to the thread of {@link Attachments}; nothing
 * waits on it. What comes in is read no faster than it is taken.
 */
final class ShimConnection {
  private static final int FIRST_BYTES = 16_384;

  /** A shim sends pieces of 32 KiB. */
  private static final int MOST_BYTES = 1 << 18;

  /** Takes what is no answer; the next comes when the stage is complete. */
  interface Events {
    CompletionStage<?> event(NativeFrames.Frame frame);

    /** There is no connection any more. */
    void lost(IOException why);
  }

  private final SocketChannel channel;
  private final SelectionKey key;
  private final Attachments owner;
  private final Deque<ByteBuffer> out = new ArrayDeque<>();
  private final Map<Integer, CompletableFuture<NativeFrames.Frame>> answers = new HashMap<>();
  private ByteBuffer in = ByteBuffer.allocate(FIRST_BYTES).flip();
  private Optional<Events> events = Optional.empty();
  private int number;
  private boolean busy;
  private boolean closed;

  ShimConnection(SocketChannel channel, SelectionKey key, Attachments owner) {
    this.channel = channel;
    this.key = key;
    this.owner = owner;
  }

  /** Who is told of what is no answer. */
  void events(Events listener) {
    events = Optional.of(listener);
  }

  /** Sends a request. */
  CompletableFuture<NativeFrames.Frame> ask(java.util.function.IntFunction<byte[]> request) {
    CompletableFuture<NativeFrames.Frame> answer = new CompletableFuture<>();
    if (closed) {
      answer.completeExceptionally(new IOException("There is no connection any more"));
      return answer;
    }
    answers.put(++number, answer);
    out.add(ByteBuffer.wrap(request.apply(number)));
    write();
    return answer;
  }

  /** Its channel can be read or written. */
  void ready() {
    if (key.isValid() && key.isWritable()) {
      write();
    }
    if (!closed && key.isValid() && key.isReadable()) {
      read();
    }
  }

  private void write() {
    try {
      while (!out.isEmpty()) {
        channel.write(out.peek());
        if (out.peek().hasRemaining()) {
          break;
        }
        out.remove();
      }
      interest();
    } catch (IOException e) {
      // What was said before it went is still there to be read.
      out.clear();
      read();
      lost(e);
    }
  }

  private void read() {
    try {
      while (!closed && !busy) {
        handle();
        if (closed || busy) {
          break;
        }
        if (in.remaining() == in.capacity()) {
          if (in.capacity() >= MOST_BYTES) {
            throw new IOException("The shim sends what is no frame");
          }
          in = ByteBuffer.allocate(in.capacity() * 4).put(in);
        } else {
          in.compact();
        }
        int count = channel.read(in);
        in.flip();
        if (count < 0) {
          handle();
          throw new EOFException("The shim of the container is gone");
        }
        if (count == 0) {
          break;
        }
      }
      interest();
    } catch (IOException e) {
      lost(e);
    }
  }

  private void handle() throws IOException {
    while (!closed && !busy) {
      Optional<NativeFrames.Frame> frame = NativeFrames.Frame.next(in);
      if (frame.isEmpty()) {
        return;
      }
      CompletableFuture<NativeFrames.Frame> answer = answers.remove(frame.get().number());
      if (answer != null) {
        answer.complete(frame.get());
      } else if (events.isPresent()) {
        hand(events.get().event(frame.get()));
      }
    }
  }

  private void hand(CompletionStage<?> taken) {
    CompletableFuture<?> future = taken.toCompletableFuture();
    if (future.isDone()) {
      return;
    }
    busy = true;
    future.whenComplete(
        (done, failure) ->
            owner.execute(
                () -> {
                  busy = false;
                  if (!closed) {
                    read();
                  }
                }));
  }

  private void interest() {
    if (!closed && key.isValid()) {
      key.interestOps(
          (busy ? 0 : SelectionKey.OP_READ) | (out.isEmpty() ? 0 : SelectionKey.OP_WRITE));
    }
  }

  /** Ends it and tells whoever hears its events. */
  void fail(IOException why) {
    lost(why);
  }

  private void lost(IOException why) {
    if (!closed) {
      close(why);
      events.ifPresent(it -> it.lost(why));
    }
  }

  /** Ends it; what was asked and not answered fails. */
  void close(IOException why) {
    if (closed) {
      return;
    }
    closed = true;
    owner.gone(this);
    key.cancel();
    try {
      channel.close();
    } catch (IOException e) {
      // It is of no use any more either way.
    }
    Map<Integer, CompletableFuture<NativeFrames.Frame>> open = new HashMap<>(answers);
    answers.clear();
    open.values().forEach(answer -> answer.completeExceptionally(why));
  }
}
