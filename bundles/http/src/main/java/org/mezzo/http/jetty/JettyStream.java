package org.mezzo.http.jetty;

import static java.nio.charset.StandardCharsets.US_ASCII;

import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Consumer;
import org.eclipse.jetty.http.HttpHeader;
import org.eclipse.jetty.http.HttpVersion;
import org.eclipse.jetty.io.AbstractEndPoint;
import org.eclipse.jetty.io.Connection;
import org.eclipse.jetty.server.Request;
import org.eclipse.jetty.server.Response;
import org.eclipse.jetty.util.BufferUtil;
import org.eclipse.jetty.util.Callback;
import org.mezzo.http.ResponseStream;
import org.mezzo.http.SlowClientException;
import org.mezzo.http.StreamBound;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A streamed answer. At most one write is under way; what is written meanwhile waits in a bounded
 * queue. Small messages go out together as one write, and a large one in pieces, so that it is
 * known whether its client reads.
 *
 * <p>Over HTTP/1.1 the head and the last chunk are Jetty's, but the chunks between are framed here
 * and written to the connection itself: Jetty sends the line end of a chunk only in front of the
 * next one, and clients that read a chunk with its line end would be one event behind.
 *
 * <p>A stream without traffic costs no thread: over HTTP/2 Jetty tells of a reset; over HTTP/1.1
 * nobody reads while an answer is under way, so the stream itself watches the connection for its
 * end.
 */
final class JettyStream implements ResponseStream {
  private static final Logger LOG = LoggerFactory.getLogger(JettyStream.class);
  private static final int MAX_WRITE_BYTES = 256 * 1024;
  private static final byte[] LINE_END = {'\r', '\n'};

  /** A size of up to eight digits and two line ends. */
  private static final int MOST_FRAME_BYTES = 12;

  private final JettyConnector connector;
  private final Request request;
  private final Response response;
  private final Callback callback;
  private final StreamBound bound;

  private final Object lock = new Object();
  private final ArrayDeque<byte[]> queue = new ArrayDeque<>();

  /** What is left of what is being sent. */
  private ByteBuffer sending = BufferUtil.EMPTY_BUFFER;

  /** Whether that has its chunks around its messages already. */
  private boolean framed;

  /** The size of the queue. */
  private long queuedBytes;

  /** The size of what is being sent, the write under way included. */
  private long sendingBytes;

  private long movedNanos;
  private boolean writing;
  private boolean ending;
  private boolean closed;
  private Throwable cause;
  private List<Consumer<Throwable>> listeners = new ArrayList<>(1);

  /** Wait for the end of what is written. */
  private List<Runnable> takers = List.of();

  private final EndWatch watch;
  private final Connection.Listener connectionEnd =
      new Connection.Listener() {
        @Override
        public void onClosed(Connection connection) {
          closed(new EOFException("The connection is closed"));
        }
      };

  JettyStream(
      JettyConnector connector,
      Request request,
      Response response,
      Callback callback,
      StreamBound bound) {
    this.connector = connector;
    this.request = request;
    this.response = response;
    this.callback = callback;
    this.bound = bound;
    Connection connection = request.getConnectionMetaData().getConnection();
    this.watch =
        http1() && connection.getEndPoint() instanceof AbstractEndPoint
            ? new EndWatch((AbstractEndPoint) connection.getEndPoint())
            : null;
  }

  private boolean http1() {
    return request.getConnectionMetaData().getHttpVersion().getVersion()
        < HttpVersion.HTTP_2.getVersion();
  }

  void begin(boolean requestIsRead) {
    if (chunked()) {
      // Said outright so that Connection: close does not make Jetty choose an unframed body.
      response.getHeaders().put(HttpHeader.TRANSFER_ENCODING, "chunked");
    }
    request.addFailureListener(this::closed);
    // A session that was told of its end does not tell its streams of the connection's.
    Connection connection = request.getConnectionMetaData().getConnection();
    connection.addEventListener(connectionEnd);
    if (!connection.getEndPoint().isOpen()) {
      closed(new EOFException("The client closed the connection"));
    }
    synchronized (lock) {
      writing = true;
      movedNanos = System.nanoTime();
    }
    Written head = new Written();
    response.write(false, BufferUtil.EMPTY_BUFFER, head);
    if (head.returned()) {
      flush();
    }
    if (watch != null && requestIsRead) {
      watch.register();
    }
  }

  @Override
  public boolean write(byte[] bytes) {
    Optional<String> objection;
    synchronized (lock) {
      if (closed || ending) {
        return false;
      }
      if (bytes.length == 0) {
        return true;
      }
      objection = objection(bytes.length);
      if (objection.isEmpty()) {
        queue.add(bytes);
        queuedBytes += bytes.length;
      }
    }
    if (objection.isPresent()) {
      abort(new SlowClientException(objection.get()));
      return false;
    }
    flush();
    return true;
  }

  /** Why so much more may not wait. */
  private Optional<String> objection(int more) {
    if (queuedBytes > 0 && queuedBytes + more > bound.most()) {
      return Optional.of(
          "The client reads too slowly: " + queuedBytes + " bytes wait for it, and more come");
    }
    long all = sendingBytes + queuedBytes;
    long stood = System.nanoTime() - movedNanos;
    if (all > 0 && all + more > bound.bytes() && stood > bound.patience().toNanos()) {
      return Optional.of(
          "The client does not read: "
              + all
              + " bytes wait for it, of which it took none for "
              + TimeUnit.NANOSECONDS.toMillis(stood)
              + " ms");
    }
    return Optional.empty();
  }

  private void flush() {
    boolean more = true;
    while (more) {
      ByteBuffer[] next;
      boolean last;
      synchronized (lock) {
        if (writing || closed) {
          return;
        }
        next = take();
        last = next == null && ending;
        if (next == null && !last) {
          return;
        }
        writing = true;
        movedNanos = System.nanoTime();
      }
      if (last) {
        finish();
        return;
      }
      Written written = new Written();
      send(next, written);
      more = written.returned();
    }
  }

  private void send(ByteBuffer[] bytes, Callback written) {
    if (!chunked()) {
      response.write(false, bytes[0], written);
      return;
    }
    request.getConnectionMetaData().getConnection().getEndPoint().write(written, bytes);
  }

  private boolean chunked() {
    return request.getConnectionMetaData().getHttpVersion() == HttpVersion.HTTP_1_1;
  }

  private void finish() {
    if (watch != null) {
      watch.release();
    }
    response.write(
        true,
        BufferUtil.EMPTY_BUFFER,
        Callback.from(
            () -> {
              closed(null);
              callback.succeeded();
            },
            this::closed));
  }

  /** The end of one write; a write that ends before it returns must not flush below itself. */
  private final class Written implements Callback {
    private final AtomicBoolean first = new AtomicBoolean(true);

    /** Whether the write has ended already. */
    boolean returned() {
      return !first.compareAndSet(true, false);
    }

    @Override
    public void succeeded() {
      synchronized (lock) {
        writing = false;
        sendingBytes = sending.remaining();
        movedNanos = System.nanoTime();
      }
      if (!first.compareAndSet(true, false)) {
        flush();
      }
      tellTakers();
    }

    @Override
    public void failed(Throwable reason) {
      closed(reason);
    }

    @Override
    public InvocationType getInvocationType() {
      return InvocationType.NON_BLOCKING;
    }
  }

  /**
   * The next piece: of what is being sent, or else of what waits, joined; null without either. With
   * HTTP/1.1 it is framed, so that each message is a chunk whatever it is sent with: there are
   * clients that take a chunk for a message.
   */
  private ByteBuffer[] take() {
    boolean begins = !sending.hasRemaining();
    if (begins) {
      sending = next();
      sendingBytes = sending.remaining();
    }
    int whole = sending.remaining();
    int size = Math.min(whole, MAX_WRITE_BYTES);
    if (size == 0) {
      return null;
    }
    ByteBuffer piece = sending.slice(sending.position(), size);
    sending.position(sending.position() + size);
    boolean ends = !sending.hasRemaining();
    if (ends) {
      sending = BufferUtil.EMPTY_BUFFER;
    }
    if (framed || !chunked()) {
      return new ByteBuffer[] {piece};
    }
    return new ByteBuffer[] {
      begins ? ByteBuffer.wrap(chunkHead(whole)) : BufferUtil.EMPTY_BUFFER,
      piece,
      ends ? ByteBuffer.wrap(LINE_END) : BufferUtil.EMPTY_BUFFER
    };
  }

  private static byte[] chunkHead(int size) {
    return (Integer.toHexString(size) + "\r\n").getBytes(US_ASCII);
  }

  private ByteBuffer next() {
    byte[] first = queue.poll();
    framed = false;
    if (first == null) {
      return BufferUtil.EMPTY_BUFFER;
    }
    int size = first.length;
    int count = 0;
    for (byte[] more : queue) {
      if (size + more.length > MAX_WRITE_BYTES) {
        break;
      }
      size += more.length;
      count++;
    }
    queuedBytes -= size;
    if (count == 0) {
      return ByteBuffer.wrap(first);
    }
    framed = chunked();
    ByteBuffer joined = ByteBuffer.allocate(framed ? size + (count + 1) * MOST_FRAME_BYTES : size);
    join(first, joined);
    for (int i = 0; i < count; i++) {
      join(queue.poll(), joined);
    }
    return joined.flip();
  }

  private void join(byte[] message, ByteBuffer joined) {
    if (!framed) {
      joined.put(message);
      return;
    }
    joined.put(chunkHead(message.length)).put(message).put(LINE_END);
  }

  @Override
  public void end() {
    synchronized (lock) {
      ending = true;
    }
    flush();
  }

  @Override
  public void abort() {
    cut(new IOException("Aborted"));
  }

  @Override
  public void abort(Throwable reason) {
    if (cut(reason) && reason instanceof SlowClientException) {
      LOG.warn(
          "The stream {} to {} is cut. {}",
          request.getHttpURI().getPath(),
          request.getConnectionMetaData().getRemoteSocketAddress(),
          reason.getMessage());
    }
  }

  /** False when it was over already. */
  private boolean cut(Throwable reason) {
    if (!closed(reason)) {
      return false;
    }
    if (http1()) {
      request.getConnectionMetaData().getConnection().getEndPoint().close(reason);
    }
    return true;
  }

  /** The stream is over; null when it ended in order. False when it was over already. */
  private boolean closed(Throwable reason) {
    List<Consumer<Throwable>> told;
    synchronized (lock) {
      if (closed) {
        return false;
      }
      closed = true;
      cause = reason;
      queue.clear();
      queuedBytes = 0;
      sending = BufferUtil.EMPTY_BUFFER;
      sendingBytes = 0;
      told = listeners;
      listeners = List.of();
    }
    connector.streamEnded(this);
    request.getConnectionMetaData().getConnection().removeEventListener(connectionEnd);
    if (reason != null) {
      if (watch != null) {
        watch.release();
      }
      callback.failed(reason);
    }
    told.forEach(listener -> tell(listener, reason));
    tellTakers();
    return true;
  }

  @Override
  public void whenTaken(Runnable listener) {
    synchronized (lock) {
      List<Runnable> more = new ArrayList<>(takers);
      more.add(listener);
      takers = more;
    }
    tellTakers();
  }

  /** Tells those who wait for it that nothing waits any more, if that is so. */
  private void tellTakers() {
    List<Runnable> told;
    synchronized (lock) {
      if (takers.isEmpty() || (!closed && (writing || sendingBytes + queuedBytes > 0))) {
        return;
      }
      told = takers;
      takers = List.of();
    }
    told.forEach(taker -> tell(reason -> taker.run(), null));
  }

  private static void tell(Consumer<Throwable> listener, Throwable reason) {
    try {
      listener.accept(reason);
    } catch (RuntimeException e) {
      LOG.error("A listener of a closed stream failed", e);
    }
  }

  @Override
  public void onClosed(Consumer<Throwable> listener) {
    Throwable reason;
    synchronized (lock) {
      if (!closed) {
        listeners.add(listener);
        return;
      }
      reason = cause;
    }
    tell(listener, reason);
  }

  @Override
  public long queuedBytes() {
    synchronized (lock) {
      return queuedBytes;
    }
  }

  /** Waits for the end of an HTTP/1.1 connection while its only request is being answered. */
  private final class EndWatch implements Callback {
    private final AbstractEndPoint endPoint;
    private final ByteBuffer pipelined = BufferUtil.allocate(1024);
    private boolean released;

    EndWatch(AbstractEndPoint endPoint) {
      this.endPoint = endPoint;
    }

    synchronized void register() {
      if (!released) {
        endPoint.tryFillInterested(this);
      }
    }

    /** Hands the connection's input back, with what was read of it. */
    void release() {
      synchronized (this) {
        if (released) {
          return;
        }
        released = true;
      }
      endPoint.getFillInterest().onFail(new EOFException("Not interested any more"));
      Connection connection = endPoint.getConnection();
      if (BufferUtil.hasContent(pipelined) && connection instanceof Connection.UpgradeTo) {
        ((Connection.UpgradeTo) connection).onUpgradeTo(pipelined);
      }
    }

    @Override
    public void succeeded() {
      boolean end = false;
      synchronized (this) {
        if (released || !endPoint.isOpen()) {
          return;
        }
        try {
          end = endPoint.fill(pipelined) < 0;
        } catch (IOException e) {
          end = true;
        }
        // A next request was sent ahead: it is kept, and the watch ends where its room does.
        if (!end && BufferUtil.space(pipelined) > 0) {
          endPoint.tryFillInterested(this);
        }
      }
      if (end) {
        cut(new EOFException("The client closed the connection"));
      }
    }

    @Override
    public void failed(Throwable reason) {
      synchronized (this) {
        if (released) {
          return;
        }
      }
      if (!endPoint.isOpen()) {
        cut(reason);
      }
    }
  }
}
