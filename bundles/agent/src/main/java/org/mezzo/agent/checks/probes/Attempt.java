package org.mezzo.agent.checks.probes;

import java.io.IOException;
import java.net.ConnectException;
import java.net.Inet6Address;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.StandardProtocolFamily;
import java.net.UnknownHostException;
import java.nio.channels.SelectionKey;
import java.nio.channels.SocketChannel;
import java.time.Duration;
import java.util.Optional;
import java.util.function.Consumer;
import org.mezzo.agent.checks.Outcome;

/** One probe over the network. For the thread of {@link NetworkProbes} only. */
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

  final NetworkProbes probes;
  final long pid;
  private final Duration timeout;
  private Consumer<Outcome> done;

  /** When {@link #due} is to be called. */
  long due;

  private long begun;
  private boolean counted;
  private boolean ended;
  private boolean finished;
  private Optional<NetworkRelay> relay = Optional.empty();

  /** What the relay says of the connection is waited for. */
  private boolean entering;

  private SocketChannel channel;
  private SelectionKey key;

  Attempt(NetworkProbes probes, long pid, Duration timeout, Consumer<Outcome> done) {
    this.probes = probes;
    this.pid = pid;
    this.timeout = timeout.compareTo(LONGEST) > 0 ? LONGEST : timeout;
    this.done = done;
  }

  /** Has connections made by a relay, in the network of the process. */
  final void via(NetworkRelay other) {
    relay = Optional.of(other);
  }

  // What a kind of probe does.

  /** Begins to connect. */
  abstract void connect() throws IOException;

  /** There is a connection. */
  abstract void connected() throws IOException;

  /** The connection was refused, or there is no such port. */
  abstract Outcome refused(String reason);

  /** What was waited for is there. */
  abstract void goOn() throws IOException;

  // From beginning to end.

  final void begin() {
    counted = true;
    begun = System.nanoTime();
    Duration first =
        timeout.isZero() || timeout.compareTo(probes.counted()) > 0 ? probes.counted() : timeout;
    awaitDue(begun + first.toNanos());
  }

  private void awaitDue(long at) {
    probes.forgetDue(this);
    due = at;
    probes.awaitDue(this);
  }

  /** Its time is over, or that in which it counts. */
  final void due(long now) {
    if (ended) {
      return;
    }
    if (finished) {
      end();
    } else if (!timeout.isZero() && now - begun >= timeout.toNanos()) {
      finish(new Outcome.Failed("nothing came of it within " + timeout.toMillis() / 1000.0 + " s"));
    } else {
      uncount();
      if (!timeout.isZero()) {
        awaitDue(begun + timeout.toNanos());
      }
    }
  }

  private void uncount() {
    if (counted) {
      counted = false;
      probes.makeRoom();
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
    } catch (NetworkRelay.ImpossibleException e) {
      finish(e.outcome());
    } catch (IOException | RuntimeException e) {
      finish(new Outcome.Failed(reason(e)));
    }
  }

  private static String reason(Exception e) {
    return e.getMessage() == null ? e.toString() : e.getMessage();
  }

  /** Nobody is told. */
  final void silence() {
    done = outcome -> {};
  }

  /** Tells what came of it and ends. */
  final void finish(Outcome outcome) {
    tell(outcome);
    end();
  }

  private void tell(Outcome outcome) {
    if (!finished) {
      finished = true;
      done.accept(outcome);
    }
  }

  /**
   * Tells what came of it, and stays a while to read what still comes, so that the other side does
   * not find the connection broken.
   */
  final void finishAndStay(Outcome outcome, Duration limit) {
    tell(outcome);
    uncount();
    awaitDue(System.nanoTime() + limit.toNanos());
  }

  final boolean finished() {
    return finished;
  }

  final void end() {
    if (ended) {
      return;
    }
    ended = true;
    silence();
    probes.forgetDue(this);
    hangUp();
    uncount();
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
    if (relay.isPresent()) {
      channel = relay.get().dial(pid, address, port);
      probes.opened();
      entering = true;
      key = channel.register(probes.selector(), SelectionKey.OP_READ, this);
      return;
    }
    channel =
        SocketChannel.open(
            address instanceof Inet6Address
                ? StandardProtocolFamily.INET6
                : StandardProtocolFamily.INET);
    probes.opened();
    channel.configureBlocking(false);
    key = channel.register(probes.selector(), 0, this);
    if (channel.connect(new InetSocketAddress(address, port))) {
      connected();
    } else {
      key.interestOps(SelectionKey.OP_CONNECT);
    }
  }

  /** The channel has what was waited for. */
  final void ready() throws IOException {
    if (channel == null || !key.isValid()) {
      return;
    }
    if (entering) {
      if (NetworkRelay.answer(channel)) {
        entering = false;
        key.interestOps(0);
        connected();
      }
    } else if (channel.isConnectionPending()) {
      if (channel.finishConnect()) {
        key.interestOps(0);
        connected();
      }
    } else {
      goOn();
    }
  }

  final SocketChannel channel() {
    return channel;
  }

  /** Waits for {@link SelectionKey#OP_READ}, {@code OP_WRITE} or nothing. */
  final void await(int operations) {
    key.interestOps(operations);
  }

  /** Closes the connection, if there is one. */
  final void hangUp() {
    if (channel == null) {
      return;
    }
    SocketChannel old = channel;
    channel = null;
    key.cancel();
    probes.closedOne();
    try {
      old.close();
    } catch (IOException e) {
      // It is not needed any more.
      return;
    }
  }
}
