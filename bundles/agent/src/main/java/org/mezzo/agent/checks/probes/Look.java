package org.mezzo.agent.checks.probes;

import java.io.IOException;
import java.net.Inet6Address;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.StandardProtocolFamily;
import java.nio.channels.SelectionKey;
import java.nio.channels.SocketChannel;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicInteger;
import org.mezzo.agent.checks.Outcome;
import org.mezzo.agent.checks.Probe;
import org.mezzo.api.checker.CheckRequest;
import org.mezzo.api.checker.Connecting;
import org.mezzo.protocol.v1.CheckInfo;

/**
 * What one checker is asked once, with the connections that it makes for that. Safe for any thread.
 */
final class Look implements CheckRequest {
  private static final String OVER = "nobody waits for what comes of this check any more";

  private final String task;
  private final long pid;
  private final Probe probe;
  private final Duration timeout;
  private final Optional<NetworkRelay> relay;
  private final AtomicInteger open;
  private final List<Dialled> dialled = new ArrayList<>(1);
  private boolean over;
  private Optional<Outcome> impossible = Optional.empty();

  /**
   * Nothing connected yet.
   *
   * @param probe not a command
   * @param relay makes connections where the task is in another network than this process
   * @param open counts connections
   */
  Look(
      String task,
      long pid,
      Probe probe,
      Duration timeout,
      Optional<NetworkRelay> relay,
      AtomicInteger open) {
    this.task = task;
    this.pid = pid;
    this.probe = probe;
    this.timeout = timeout;
    this.relay = relay;
    this.open = open;
  }

  @Override
  public CheckInfo.Type type() {
    return probe instanceof Probe.Http ? CheckInfo.Type.HTTP : CheckInfo.Type.TCP;
  }

  @Override
  public String task() {
    return task;
  }

  @Override
  public int port() {
    return probe instanceof Probe.Http http ? http.port() : ((Probe.Tcp) probe).port();
  }

  @Override
  public boolean ipv6() {
    return probe instanceof Probe.Http http ? http.ipv6() : ((Probe.Tcp) probe).ipv6();
  }

  @Override
  public boolean secure() {
    return probe instanceof Probe.Http http && http.secure();
  }

  @Override
  public String path() {
    return probe instanceof Probe.Http http ? http.path() : "";
  }

  @Override
  public Duration timeout() {
    return timeout;
  }

  @Override
  public Connecting connect(InetAddress address, int port) throws IOException {
    if (port < 1 || port > 65_535) {
      throw new IllegalArgumentException("there is no port " + port);
    }
    Dialled connection;
    synchronized (this) {
      if (over) {
        throw new IOException(OVER);
      }
      connection = relay.isPresent() ? byRelay(relay.get(), address, port) : here(address, port);
      dialled.add(connection);
    }
    open.incrementAndGet();
    return connection;
  }

  private Dialled byRelay(NetworkRelay by, InetAddress address, int port) throws IOException {
    try {
      SocketChannel channel = by.dial(pid, address, port);
      return new Dialled(channel, SelectionKey.OP_READ, () -> NetworkRelay.answer(channel));
    } catch (NetworkRelay.ImpossibleException e) {
      impossible = Optional.of(e.outcome());
      throw e;
    }
  }

  private Dialled here(InetAddress address, int port) throws IOException {
    SocketChannel channel =
        SocketChannel.open(
            address instanceof Inet6Address
                ? StandardProtocolFamily.INET6
                : StandardProtocolFamily.INET);
    try {
      channel.configureBlocking(false);
      channel.connect(new InetSocketAddress(address, port));
      return new Dialled(channel, SelectionKey.OP_CONNECT, channel::finishConnect);
    } catch (IOException | RuntimeException e) {
      channel.close();
      throw e;
    }
  }

  /** That this agent can never try the task; empty as far as is known. */
  synchronized Optional<Outcome> impossible() {
    return impossible;
  }

  /**
   * Nothing is waited for any more, and no more connections are made.
   *
   * @return whether some are left
   */
  synchronized boolean end() {
    over = true;
    return !dialled.isEmpty();
  }

  /** Closes what the checker has left. */
  void closeAll() {
    List<Dialled> left;
    synchronized (this) {
      left = List.copyOf(dialled);
    }
    left.forEach(Dialled::close);
  }

  /** How a connection goes on. */
  @FunctionalInterface
  private interface Step {
    boolean finish() throws IOException;
  }

  /** A connection, or what is to be one. */
  private final class Dialled implements Connecting {
    private final SocketChannel channel;
    private final int operation;
    private final Step step;

    Dialled(SocketChannel channel, int operation, Step step) {
      this.channel = channel;
      this.operation = operation;
      this.step = step;
    }

    @Override
    public SocketChannel channel() {
      return channel;
    }

    @Override
    public int operation() {
      return operation;
    }

    @Override
    public boolean finish() throws IOException {
      try {
        return step.finish();
      } catch (NetworkRelay.ImpossibleException e) {
        synchronized (Look.this) {
          impossible = Optional.of(e.outcome());
        }
        throw e;
      }
    }

    @Override
    public void close() {
      synchronized (Look.this) {
        if (!dialled.remove(this)) {
          return;
        }
      }
      open.decrementAndGet();
      try {
        channel.close();
      } catch (IOException e) {
        // It is not needed any more.
        return;
      }
    }
  }
}
