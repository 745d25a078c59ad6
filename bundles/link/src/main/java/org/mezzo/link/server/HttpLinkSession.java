package org.mezzo.link.server;

import com.google.protobuf.InvalidProtocolBufferException;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.mezzo.http.BodyListener;
import org.mezzo.http.ResponseStream;
import org.mezzo.link.LinkServer;
import org.mezzo.link.messages.AgentCall;
import org.mezzo.link.messages.Hello;
import org.mezzo.link.messages.MasterEvent;
import org.mezzo.link.messages.Refusal;
import org.mezzo.link.messages.Welcome;
import org.mezzo.link.wire.Frame;
import org.mezzo.link.wire.Frames;
import org.mezzo.link.wire.LinkVersion;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** One agent's connection on the master. */
final class HttpLinkSession implements LinkServer.Session, BodyListener {
  private static final Logger LOG = LoggerFactory.getLogger(HttpLinkSession.class);

  /** Calls an agent may send before it is accepted, in bytes. */
  private static final int MAX_EARLY_BYTES = Frames.MAX_BYTES;

  /** Events that may wait to be encoded for one agent; a kill of all its tasks fits. */
  private static final int MAX_WAITING = 100_000;

  /** Small frames go out together up to this size. */
  private static final int PIECE_BYTES = 256 << 10;

  private final HttpLinkServer server;
  private final InetSocketAddress remote;
  private final LinkServer.Acceptor acceptor;
  private final Optional<String> principal;
  private final Frames.Decoder decoder = new Frames.Decoder(this::frame);
  private final Object out = new Object();

  /** The answer; null while the first bytes of the request are taken. Guarded by out. */
  private ResponseStream stream;

  /** Frames that wait for the writer, in their order. Guarded by out. */
  private ArrayDeque<Frame> waiting = new ArrayDeque<>();

  /** The number of the last event. Guarded by out. */
  private long sent;

  /** Whether the writer knows that something waits. Guarded by out. */
  private boolean queued;

  /** Whether the answer ends with what waits. Guarded by out. */
  private boolean ending;

  /** Whether more came than may wait. Guarded by out. */
  private boolean flooded;

  private volatile boolean closed;
  private volatile long heard = System.nanoTime();

  /** The monitor of what comes up: one call of the listener at a time. */
  private final Object in = new Object();

  /** Guarded by in, as all below. */
  private Hello hello;

  private LinkServer.Listener listener;
  private long received;
  private final ArrayDeque<AgentCall> early = new ArrayDeque<>();
  private long earlyBytes;
  private String closeReason;
  private boolean closeTold;

  HttpLinkSession(
      HttpLinkServer server,
      InetSocketAddress remote,
      LinkServer.Acceptor acceptor,
      Optional<String> principal) {
    this.server = server;
    this.remote = remote;
    this.acceptor = acceptor;
    this.principal = principal;
  }

  /** Gives the session its answer. */
  void begin(ResponseStream answer) {
    boolean over;
    synchronized (out) {
      stream = answer;
      over = closed;
    }
    answer.onClosed(this::streamClosed);
    if (over) {
      answer.abort();
    } else {
      server.unsent(this);
    }
  }

  @Override
  public void accept(Welcome welcome, LinkServer.Listener listener) {
    Welcome.Builder answer = welcome.toBuilder();
    synchronized (in) {
      if (!answer.hasMajor()) {
        answer.setMajor(LinkVersion.MAJOR);
      }
      if (!answer.hasMinor()) {
        answer.setMinor(Math.min(LinkVersion.MINOR, hello.getMinor()));
      }
      if (hello.hasConnectionEpoch() && !answer.hasConnectionEpoch()) {
        answer.setConnectionEpoch(hello.getConnectionEpoch());
      }
      queue(Frame.of(Frames.WELCOME, answer.build()), false);
      this.listener = listener;
      while (!early.isEmpty()) {
        listener.call(early.poll());
      }
      earlyBytes = 0;
      tellClosed();
    }
  }

  @Override
  public void refuse(Refusal refusal) {
    queue(Frame.of(Frames.REFUSAL, refusal), true);
  }

  @Override
  public boolean send(MasterEvent.Builder event) {
    synchronized (out) {
      return queue(Frame.of(Frames.EVENT, event.setNumber(++sent).build()), false);
    }
  }

  /** Queues a frame; null for none, but the end. */
  private boolean queue(Frame frame, boolean last) {
    boolean wake;
    boolean taken;
    synchronized (out) {
      if (closed || ending || flooded) {
        return false;
      }
      flooded = waiting.size() >= MAX_WAITING;
      taken = !flooded;
      if (flooded) {
        waiting.clear();
      } else if (frame != null) {
        waiting.add(frame);
      }
      ending = last;
      wake = !queued;
      queued = true;
    }
    if (wake) {
      server.unsent(this);
    }
    return taken;
  }

  /** How many frames are still to be encoded. */
  int waiting() {
    synchronized (out) {
      return waiting.size();
    }
  }

  /** Encodes what waits and gives it to the connector; on the writer thread. */
  void flush(EventFrames events) {
    ArrayDeque<Frame> frames;
    boolean last;
    boolean over;
    ResponseStream to;
    synchronized (out) {
      if (stream == null || closed) {
        return;
      }
      to = stream;
      frames = waiting;
      waiting = new ArrayDeque<>();
      queued = false;
      last = ending;
      over = flooded;
    }
    if (over) {
      cut("more than " + MAX_WAITING + " events wait to be written");
    } else if (!write(to, frames, events)) {
      cut("the agent does not read, or is gone");
    } else if (last) {
      to.end();
      ended("closed by the master");
    }
  }

  /** Small frames go out together. False when the answer takes no more. */
  private static boolean write(ResponseStream to, ArrayDeque<Frame> frames, EventFrames events) {
    List<Frame> piece = new ArrayList<>();
    int size = 0;
    while (!frames.isEmpty()) {
      Frame frame = frames.poll();
      if (frame.kind() == Frames.EVENT && frame.message() instanceof MasterEvent event) {
        frame = events.frame(event);
      }
      int more = frame.size();
      if (!piece.isEmpty() && size + more > PIECE_BYTES) {
        if (!to.write(Frame.join(piece))) {
          return false;
        }
        piece.clear();
        size = 0;
      }
      piece.add(frame);
      size += more;
    }
    return piece.isEmpty() || to.write(Frame.join(piece));
  }

  @Override
  public void close() {
    queue(null, true);
  }

  @Override
  public InetSocketAddress remote() {
    return remote;
  }

  long heard() {
    return heard;
  }

  /** Ends the connection at once. */
  void cut(String reason) {
    synchronized (in) {
      if (closeReason == null) {
        // The answer that is aborted knows no better one.
        closeReason = reason;
      }
    }
    ResponseStream to = answer();
    if (to != null) {
      to.abort();
    }
    ended(reason);
  }

  /** Ends the connection for what should not have happened; never throws. */
  void fault(String doing, Throwable cause) {
    LOG.error("Link from {} is cut: {} failed", remote, doing, cause);
    String reason = "a fault of the master: " + cause;
    try {
      acceptor.failed(this, cause);
      cut(reason);
    } catch (RuntimeException e) {
      LOG.error("Link from {} could not be cut in order", remote, e);
      ended(reason);
    }
  }

  private ResponseStream answer() {
    synchronized (out) {
      return stream;
    }
  }

  void streamClosed(Throwable cause) {
    ended(cause == null ? "closed" : "connection lost: " + cause);
  }

  private void ended(String reason) {
    synchronized (out) {
      closed = true;
    }
    server.closed(this);
    synchronized (in) {
      if (closeReason == null) {
        closeReason = reason;
      }
      tellClosed();
    }
  }

  /** Tells a listener once; call it with the monitor of in. */
  private void tellClosed() {
    if (closeReason != null && listener != null && !closeTold) {
      closeTold = true;
      listener.closed(closeReason);
    }
  }

  @Override
  public void bytes(ByteBuffer bytes) {
    heard = System.nanoTime();
    try {
      decoder.feed(bytes);
    } catch (IOException e) {
      LOG.warn("Link from {} is cut: {}", remote, e.getMessage());
      cut("broken frame: " + e.getMessage());
    } catch (RuntimeException e) {
      fault("taking what the agent sent", e);
    }
  }

  @Override
  public void complete() {
    if (!closed) {
      ResponseStream to = answer();
      ended("closed by the agent");
      if (to != null) {
        to.end();
      }
    }
  }

  @Override
  public void failed(Throwable cause) {
    if (!closed) {
      cut("connection lost: " + cause);
    }
  }

  private void frame(int kind, byte[] content) throws IOException {
    switch (kind) {
      case Frames.ALIVE -> queue(Frame.empty(Frames.ALIVE), false);
      case Frames.HELLO -> hello(Hello.parseFrom(content));
      case Frames.CALL -> call(content);
      default -> LOG.debug("Frame of unknown kind {} from {} is skipped", kind, remote);
    }
  }

  private void hello(Hello first) throws IOException {
    synchronized (in) {
      if (hello != null) {
        throw new IOException("a second Hello");
      }
      hello = first;
    }
    if (first.getMajor() != LinkVersion.MAJOR) {
      refuse(
          Refusal.newBuilder()
              .setReason(
                  String.format(
                      "The agent speaks version %d.%d of the link and this master %d.%d; run"
                          + " versions of Mezzo that share the first number",
                      first.getMajor(), first.getMinor(), LinkVersion.MAJOR, LinkVersion.MINOR))
              .build());
      return;
    }
    acceptor.opened(this, first, principal);
  }

  private void call(byte[] content) throws InvalidProtocolBufferException, IOException {
    AgentCall call = AgentCall.parseFrom(content);
    synchronized (in) {
      if (hello == null) {
        throw new IOException("a call before Hello");
      }
      if (call.getNumber() <= received) {
        LOG.debug("Call {} from {} was seen before", call.getNumber(), remote);
        return;
      }
      received = call.getNumber();
      if (call.getCallCase() == AgentCall.CallCase.CALL_NOT_SET) {
        LOG.debug("Call {} from {} is of an unknown kind", call.getNumber(), remote);
      } else if (listener != null) {
        if (!closeTold) {
          listener.call(call);
        }
      } else {
        earlyBytes += content.length;
        if (earlyBytes > MAX_EARLY_BYTES) {
          throw new IOException("too many calls before the link was accepted");
        }
        early.add(call);
      }
    }
  }
}
