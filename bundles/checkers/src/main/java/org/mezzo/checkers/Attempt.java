package org.mezzo.checkers;

import java.io.IOException;
import java.net.ConnectException;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.nio.channels.SelectionKey;
import java.nio.channels.SocketChannel;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import org.mezzo.api.checker.CheckRequest;
import org.mezzo.api.checker.CheckResult;
import org.mezzo.api.checker.Connecting;

/** One look at a task. For the thread of {@link CheckThread} only. */
abstract class Attempt {
  /** Times are compared by their distance from here, as nanoTime may overflow. */
  static final long ORIGIN = System.nanoTime();

  /** The longest that is waited for; a clock of nanoseconds holds 292 years. */
  private static final Duration LONGEST = Duration.ofDays(36_500);

  /** Something that may break a connection. */
  @FunctionalInterface
  interface Step {
    void run() throws IOException;
  }

  final CheckThread thread;
  final CheckRequest request;
  private final Duration timeout;
  private final CompletableFuture<CheckResult> result;

  /** When {@link #due()} is to be called. */
  long due;

  private boolean ended;
  private Connecting connecting;
  private boolean established;
  private SelectionKey key;

  Attempt(CheckThread thread, CheckRequest request, CompletableFuture<CheckResult> result) {
    this.thread = thread;
    this.request = request;
    this.result = result;
    timeout = request.timeout().compareTo(LONGEST) > 0 ? LONGEST : request.timeout();
  }

  // What a kind of look does.

  /** Begins to connect. */
  abstract void connect() throws IOException;

  /** There is a connection. */
  abstract void connected() throws IOException;

  /** The connection was refused, or there is no such port. */
  abstract CheckResult refused(String reason);

  /** What was waited for is there. */
  abstract void goOn() throws IOException;

  // From beginning to end.

  final void begin() {
    if (!timeout.isZero()) {
      awaitDue(timeout);
    }
    guarded(this::connect);
  }

  private void awaitDue(Duration from) {
    thread.forgetDue(this);
    due = System.nanoTime() + from.toNanos();
    thread.awaitDue(this);
  }

  /** Its time is over. */
  final void due() {
    if (ended) {
      return;
    }
    if (finished()) {
      end();
    } else {
      finish(CheckResult.failed("nothing came of it within " + timeout.toMillis() / 1000.0 + " s"));
    }
  }

  /** Does something that may break the connection. */
  final void guarded(Step step) {
    if (ended) {
      return;
    }
    try {
      step.run();
    } catch (ConnectException e) {
      finish(refused(reason(e)));
    } catch (IOException | RuntimeException e) {
      finish(CheckResult.failed(reason(e)));
    }
  }

  private static String reason(Exception e) {
    return e.getMessage() == null ? e.toString() : e.getMessage();
  }

  /** Tells what came of it and ends. */
  final void finish(CheckResult outcome) {
    result.complete(outcome);
    end();
  }

  /**
   * Tells what came of it, and stays a while to read what still comes, so that the other side does
   * not find the connection broken.
   */
  final void finishAndStay(CheckResult outcome, Duration limit) {
    result.complete(outcome);
    awaitDue(limit);
  }

  final boolean finished() {
    return result.isDone();
  }

  final void end() {
    if (ended) {
      return;
    }
    ended = true;
    thread.forgetDue(this);
    hangUp();
    thread.over(this);
  }

  // The connection.

  static InetAddress loopback(boolean ipv6) throws UnknownHostException {
    byte[] address = new byte[ipv6 ? 16 : 4];
    address[0] = (byte) (ipv6 ? 0 : 127);
    address[address.length - 1] = 1;
    return InetAddress.getByAddress(address);
  }

  /** Connects, instead of to what it was connected to. */
  final void dial(InetAddress address, int port) throws IOException {
    hangUp();
    if (port < 1 || port > 65_535) {
      throw new ConnectException("there is no port " + Integer.toUnsignedString(port));
    }
    connecting = request.connect(address, port);
    established = false;
    key = connecting.channel().register(thread.selector(), 0, this);
    ready();
  }

  /** The channel has what was waited for. */
  final void ready() throws IOException {
    if (connecting == null || !key.isValid()) {
      return;
    }
    if (established) {
      goOn();
    } else if (connecting.finish()) {
      established = true;
      key.interestOps(0);
      connected();
    } else {
      key.interestOps(connecting.operation());
    }
  }

  final SocketChannel channel() {
    return connecting.channel();
  }

  /** Waits for {@link SelectionKey#OP_READ}, {@code OP_WRITE} or nothing. */
  final void await(int operations) {
    key.interestOps(operations);
  }

  /** Closes the connection, if there is one. */
  final void hangUp() {
    if (connecting != null) {
      if (key != null) {
        key.cancel();
      }
      connecting.close();
      connecting = null;
      key = null;
    }
  }
}
