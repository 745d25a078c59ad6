package org.mezzo.link.client;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.eclipse.jetty.http.HttpFields;
import org.eclipse.jetty.http.HttpHeader;
import org.eclipse.jetty.http.HttpScheme;
import org.eclipse.jetty.http.HttpURI;
import org.eclipse.jetty.http.HttpVersion;
import org.eclipse.jetty.http.MetaData;
import org.eclipse.jetty.http2.ErrorCode;
import org.eclipse.jetty.http2.api.Session;
import org.eclipse.jetty.http2.api.Stream;
import org.eclipse.jetty.http2.frames.DataFrame;
import org.eclipse.jetty.http2.frames.GoAwayFrame;
import org.eclipse.jetty.http2.frames.HeadersFrame;
import org.eclipse.jetty.http2.frames.ResetFrame;
import org.eclipse.jetty.util.Callback;
import org.eclipse.jetty.util.Promise;
import org.mezzo.link.LinkClient;
import org.mezzo.link.LinkServer;
import org.mezzo.link.messages.AgentCall;
import org.mezzo.link.messages.Hello;
import org.mezzo.link.messages.MasterEvent;
import org.mezzo.link.messages.Refusal;
import org.mezzo.link.messages.Welcome;
import org.mezzo.link.wire.Frame;
import org.mezzo.link.wire.Frames;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One link of an agent: a TCP connection with one HTTP/2 stream. Who sends only queues; calls are
 * encoded and written on threads of the client, those that came meanwhile in one piece.
 */
final class JettyLinkConnection
    implements LinkClient.Connection, Session.Listener, Stream.Listener, Promise<Session> {
  private static final Logger LOG = LoggerFactory.getLogger(JettyLinkConnection.class);

  /** Calls that may wait for the master; twice the largest frame. */
  private static final long MAX_QUEUED_BYTES = 2L * Frames.MAX_BYTES;

  /** Small calls are sent together up to this size. */
  private static final int BATCH_BYTES = 64 << 10;

  private static final long SILENCE_NANOS = TimeUnit.SECONDS.toNanos(20);

  private final InetSocketAddress master;
  private final boolean tls;
  private final Map<String, String> shown;
  private final LinkClient.Listener listener;
  private final Consumer<JettyLinkConnection> gone;
  private final Executor writer;
  private final Frames.Decoder decoder = new Frames.Decoder(this::frame);
  private final Object out = new Object();

  /** Frames not yet given to Jetty. Guarded by out, as all that follows. */
  private final ArrayDeque<Frame> queue = new ArrayDeque<>();

  private long queuedBytes;

  /** The number of the last call. */
  private long sent;

  private boolean welcome;
  private boolean writing;

  /** Whether the writer was told that something waits, and has not looked yet. */
  private boolean told;

  /** Whether the link ends when the queue is empty. */
  private boolean closing;

  private int closingTicks;

  private boolean closed;
  private Session session;
  private Stream stream;

  /** The monitor of the listener. */
  private final Object in = new Object();

  /** The number of the last event. Guarded by in. */
  private long received;

  /** Guarded by in. */
  private boolean closeTold;

  private volatile long heard = System.nanoTime();

  /** The first frame, sent with the request. */
  private final Frame hello;

  /** What the welcome must answer. */
  private final long epoch;

  JettyLinkConnection(
      InetSocketAddress master,
      boolean tls,
      Map<String, String> shown,
      Hello hello,
      LinkClient.Listener listener,
      Consumer<JettyLinkConnection> gone,
      Executor writer) {
    this.master = master;
    this.tls = tls;
    this.shown = shown;
    this.hello = Frame.of(Frames.HELLO, hello);
    this.epoch = hello.getConnectionEpoch();
    this.listener = listener;
    this.gone = gone;
    this.writer = writer;
  }

  // ---- The connection is made.

  @Override
  public void succeeded(Session opened) {
    synchronized (out) {
      session = opened;
      if (closed) {
        opened.close(ErrorCode.NO_ERROR.code, "closed", Callback.NOOP);
        return;
      }
    }
    HttpURI uri =
        HttpURI.build()
            .scheme(tls ? HttpScheme.HTTPS : HttpScheme.HTTP)
            .host(master.getHostString())
            .port(master.getPort())
            .path(LinkServer.PATH + "/connect")
            .asImmutable();
    HttpFields.Mutable headers =
        HttpFields.build().put(HttpHeader.CONTENT_TYPE, "application/x-mezzo-link");
    shown.forEach(headers::put);
    MetaData.Request request =
        new MetaData.Request("POST", uri, HttpVersion.HTTP_2, headers.asImmutable());
    opened.newStream(
        new HeadersFrame(request, null, false),
        new Promise<>() {
          @Override
          public void succeeded(Stream created) {
            begin(created);
          }

          @Override
          public void failed(Throwable cause) {
            end("the link was not opened: " + cause);
          }
        },
        this);
  }

  @Override
  public void failed(Throwable cause) {
    end("cannot connect to " + master.getHostString() + ":" + master.getPort() + ": " + cause);
  }

  private void begin(Stream created) {
    created.setIdleTimeout(0);
    synchronized (out) {
      stream = created;
      queue.addFirst(hello);
      queuedBytes += hello.size();
    }
    created.demand();
    write();
  }

  // ---- Calls go up.

  @Override
  public boolean send(AgentCall.Builder call) {
    boolean full;
    boolean tell;
    synchronized (out) {
      if (closed || closing) {
        return false;
      }
      Frame frame = Frame.of(Frames.CALL, call.setNumber(++sent).build());
      int size = frame.size();
      full = queuedBytes > 0 && queuedBytes + size > MAX_QUEUED_BYTES;
      if (!full) {
        queue.add(frame);
        queuedBytes += size;
      }
      // A write under way goes on with the queue when it is done.
      tell = !told && !writing && welcome;
      told |= tell;
    }
    if (full) {
      end("the master does not read; more than " + MAX_QUEUED_BYTES + " bytes wait");
      return false;
    }
    return !tell || later();
  }

  /** Has the queue written on another thread; false when the link is over. */
  private boolean later() {
    try {
      writer.execute(this::write);
      return true;
    } catch (RejectedExecutionException e) {
      end("the link client was closed");
      return false;
    }
  }

  /** Gives Jetty the next piece when it has taken the one before; not for who sends. */
  private void write() {
    Stream to;
    List<Frame> piece;
    synchronized (out) {
      told = false;
      if (writing || closed || stream == null) {
        return;
      }
      if (queue.isEmpty()) {
        if (closing) {
          // The master ends the answer, which closes the link; a reset could overtake the calls.
          writing = true;
          stream.data(new DataFrame(stream.getId(), ByteBuffer.allocate(0), true), Callback.NOOP);
        }
        return;
      }
      // Before the welcome only the hello goes up.
      if (!welcome && queue.peek() != hello) {
        return;
      }
      writing = true;
      to = stream;
      piece = welcome ? batch() : List.of(queue.poll());
    }
    byte[] bytes;
    try {
      bytes = Frame.join(piece);
    } catch (RuntimeException | Error e) {
      LOG.error("Link to {} is cut: what goes up could not be encoded", master, e);
      end("a fault of the agent: " + e);
      return;
    }
    to.data(
        new DataFrame(to.getId(), ByteBuffer.wrap(bytes), false),
        Callback.from(
            () -> {
              synchronized (out) {
                writing = false;
                queuedBytes -= bytes.length;
              }
              write();
            },
            cause -> end("connection lost: " + cause)));
  }

  /** As many queued frames as fit into one piece, at least one. */
  private List<Frame> batch() {
    List<Frame> piece = new ArrayList<>();
    int size = 0;
    while (!queue.isEmpty() && (piece.isEmpty() || size + queue.peek().size() <= BATCH_BYTES)) {
      Frame next = queue.poll();
      piece.add(next);
      size += next.size();
    }
    return piece;
  }

  /**
   * Shows that this side lives, and looks whether the other does.
   *
   * @param late whether the process was held up, so that what has arrived may not be read yet
   */
  void tick(boolean late) {
    long silence = System.nanoTime() - heard;
    if (silence > SILENCE_NANOS && !late) {
      end("nothing was heard for " + TimeUnit.NANOSECONDS.toSeconds(SILENCE_NANOS) + " s");
      return;
    }
    if (leaving()) {
      end("closed by the agent");
      return;
    }
    synchronized (out) {
      if (!welcome || closed || !queue.isEmpty()) {
        return;
      }
      Frame alive = Frame.empty(Frames.ALIVE);
      queue.add(alive);
      queuedBytes += alive.size();
    }
    write();
  }

  /** Whether this side has closed and the master has not answered for a while. */
  private boolean leaving() {
    synchronized (out) {
      return closing && ++closingTicks > 1;
    }
  }

  // ---- Events come down.

  @Override
  public void onHeaders(Stream from, HeadersFrame frame) {
    if (frame.getMetaData() instanceof MetaData.Response response && response.getStatus() != 200) {
      end(
          response.getStatus() == 401
              ? "the master demands credentials of agents, and those of this agent are "
                  + (shown.isEmpty() ? "missing" : "not right")
                  + ": --credential names a file with them, or --authenticatee who has them"
              : "the master answers " + response.getStatus() + " instead of opening the link");
    } else if (frame.isEndStream()) {
      end("closed by the master");
    }
  }

  @Override
  public void onDataAvailable(Stream from) {
    while (true) {
      Stream.Data data = from.readData();
      if (data == null) {
        from.demand();
        return;
      }
      boolean last;
      try {
        heard = System.nanoTime();
        decoder.feed(data.frame().getByteBuffer());
        last = data.frame().isEndStream();
      } catch (IOException e) {
        LOG.warn("Link to {} is cut: {}", master, e.getMessage());
        end("broken frame: " + e.getMessage());
        return;
      } catch (RuntimeException e) {
        LOG.error("Link to {} is cut: taking what the master sent failed", master, e);
        end("a fault of the agent: " + e);
        return;
      } finally {
        data.release();
      }
      if (last) {
        end("closed by the master");
        return;
      }
    }
  }

  private void frame(int kind, byte[] content) throws IOException {
    switch (kind) {
      case Frames.ALIVE -> LOG.trace("Master {} lives", master);
      case Frames.WELCOME -> opened(Welcome.parseFrom(content));
      case Frames.REFUSAL -> {
        Refusal refusal = Refusal.parseFrom(content);
        synchronized (in) {
          if (!closeTold) {
            listener.refused(refusal);
          }
        }
        end("refused: " + refusal.getReason());
      }
      case Frames.EVENT -> event(MasterEvent.parseFrom(content));
      default -> LOG.debug("Frame of unknown kind {} from {} is skipped", kind, master);
    }
  }

  private void opened(Welcome first) throws IOException {
    if (first.hasConnectionEpoch() && first.getConnectionEpoch() != epoch) {
      throw new IOException(
          String.format(
              "the master welcomed connection %d of this agent, this is %d",
              first.getConnectionEpoch(), epoch));
    }
    synchronized (in) {
      if (closeTold) {
        return;
      }
      listener.opened(first);
    }
    synchronized (out) {
      welcome = true;
    }
    write();
  }

  private void event(MasterEvent event) {
    synchronized (in) {
      if (closeTold || event.getNumber() <= received) {
        return;
      }
      received = event.getNumber();
      if (event.getEventCase() == MasterEvent.EventCase.EVENT_NOT_SET) {
        LOG.debug("Event {} from {} is of an unknown kind", event.getNumber(), master);
        return;
      }
      listener.event(event);
    }
  }

  // ---- The end.

  @Override
  public void onReset(Stream from, ResetFrame frame, Callback callback) {
    callback.succeeded();
    end("the master has reset the link");
  }

  @Override
  public void onFailure(
      Stream from, int error, String reason, Throwable failure, Callback callback) {
    callback.succeeded();
    end("connection lost: " + (failure == null ? reason : failure));
  }

  @Override
  public void onClosed(Stream from) {
    end("closed");
  }

  @Override
  public void onClose(Session from, GoAwayFrame frame, Callback callback) {
    callback.succeeded();
    end("the master has closed the connection");
  }

  @Override
  public void onFailure(Session from, Throwable failure, Callback callback) {
    callback.succeeded();
    end("connection lost: " + failure);
  }

  @Override
  public boolean onIdleTimeout(Session from) {
    return false;
  }

  @Override
  public Map<Integer, Integer> onPreface(Session from) {
    return null;
  }

  @Override
  public void close() {
    boolean open;
    synchronized (out) {
      open = welcome;
      closing = open;
    }
    if (open) {
      later();
    } else {
      end("closed by the agent");
    }
  }

  /** Ends the link at once. */
  void end(String reason) {
    Session last;
    Stream open;
    String why;
    synchronized (out) {
      if (closed) {
        return;
      }
      closed = true;
      why = closing ? "closed by the agent" : reason;
      queue.clear();
      last = session;
      open = stream;
    }
    gone.accept(this);
    if (open != null) {
      open.reset(new ResetFrame(open.getId(), ErrorCode.CANCEL_STREAM_ERROR.code), Callback.NOOP);
    }
    if (last != null) {
      last.close(ErrorCode.NO_ERROR.code, "closed", Callback.NOOP);
    }
    synchronized (in) {
      closeTold = true;
      listener.closed(why);
    }
  }
}
