package org.mezzo.link.server;

import com.google.protobuf.InvalidProtocolBufferException;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.util.Optional;
import org.mezzo.http.BodyListener;
import org.mezzo.http.ResponseStream;
import org.mezzo.link.LinkServer;
import org.mezzo.link.messages.AgentCall;
import org.mezzo.link.messages.Hello;
import org.mezzo.link.messages.MasterEvent;
import org.mezzo.link.messages.Refusal;
import org.mezzo.link.messages.Welcome;
import org.mezzo.link.wire.Frames;
import org.mezzo.link.wire.LinkVersion;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** One agent's connection on the master. */
final class HttpLinkSession implements LinkServer.Session, BodyListener {
  private static final Logger LOG = LoggerFactory.getLogger(HttpLinkSession.class);

  /** Calls an agent may send before it is accepted, in bytes. */
  private static final int MAX_EARLY_BYTES = Frames.MAX_BYTES;

  private final HttpLinkServer server;
  private final InetSocketAddress remote;
  private final LinkServer.Acceptor acceptor;
  private final Optional<String> principal;
  private final Frames.Decoder decoder = new Frames.Decoder(this::frame);
  private final Object out = new Object();

  /** The answer; null while the first bytes of the request are taken. Guarded by out. */
  private ResponseStream stream;

  /** Frames that wait for the writer. Guarded by out. */
  private ByteArrayOutputStream batch = new ByteArrayOutputStream();

  /** The number of the last event. Guarded by out. */
  private long sent;

  /** Whether the writer knows of the batch. Guarded by out. */
  private boolean queued;

  /** Whether the answer ends with the batch. Guarded by out. */
  private boolean ending;

  private volatile boolean closed;
  private volatile long heard = System.nanoTime();

  /** The monitor of what comes up: one call of the listener at a time. */
  private final Object in = new Object();

  /** Guarded by in, as all below. */
  private Hello hello;

  private LinkServer.Listener listener;
  private long received;
  private final java.util.ArrayDeque<AgentCall> early = new java.util.ArrayDeque<>();
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
      queue(Frames.frame(Frames.WELCOME, answer.build()), false);
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
    queue(Frames.frame(Frames.REFUSAL, refusal), true);
  }

  @Override
  public boolean send(MasterEvent.Builder event) {
    synchronized (out) {
      return queue(Frames.frame(Frames.EVENT, event.setNumber(++sent).build()), false);
    }
  }

  private boolean queue(byte[] frame, boolean last) {
    boolean wake;
    synchronized (out) {
      if (closed || ending) {
        return false;
      }
      batch.writeBytes(frame);
      ending = last;
      wake = !queued;
      queued = true;
    }
    if (wake) {
      server.unsent(this);
    }
    return true;
  }

  /** Gives the connector what waits; on the writer thread. */
  void flush() {
    byte[] bytes;
    boolean last;
    ResponseStream to;
    synchronized (out) {
      if (stream == null || closed) {
        return;
      }
      to = stream;
      bytes = batch.toByteArray();
      batch.reset();
      if (bytes.length > 1 << 16) {
        batch = new ByteArrayOutputStream();
      }
      queued = false;
      last = ending;
    }
    if (bytes.length > 0 && !to.write(bytes)) {
      cut("the agent does not read, or is gone");
    } else if (last) {
      to.end();
      ended("closed by the master");
    }
  }

  @Override
  public void close() {
    queue(new byte[0], true);
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
      case Frames.ALIVE -> queue(Frames.empty(Frames.ALIVE), false);
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
