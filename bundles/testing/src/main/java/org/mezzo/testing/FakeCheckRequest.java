package org.mezzo.testing;

import java.io.IOException;
import java.net.Inet6Address;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.StandardProtocolFamily;
import java.nio.channels.SelectionKey;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.time.Duration;
import java.util.concurrent.atomic.AtomicInteger;
import org.mezzo.api.checker.CheckRequest;
import org.mezzo.api.checker.Connecting;
import org.mezzo.protocol.v1.CheckInfo;

/** A request for a checker, of a task in the network of this process. Safe for any thread. */
public final class FakeCheckRequest implements CheckRequest {
  private static final Duration PATIENT = Duration.ofSeconds(20);

  private final CheckInfo.Type type;
  private final int port;
  private final String path;
  private final boolean secure;
  private final boolean ipv6;
  private final Duration timeout;
  private final boolean unreachable;
  private final AtomicInteger made = new AtomicInteger();
  private final AtomicInteger open = new AtomicInteger();

  private FakeCheckRequest(
      CheckInfo.Type type,
      int port,
      String path,
      boolean secure,
      boolean ipv6,
      Duration timeout,
      boolean unreachable) {
    this.type = type;
    this.port = port;
    this.path = path;
    this.secure = secure;
    this.ipv6 = ipv6;
    this.timeout = timeout;
    this.unreachable = unreachable;
  }

  /** For a page of {@code 127.0.0.1}, within 20 seconds. */
  public static FakeCheckRequest http(int port, String path) {
    return new FakeCheckRequest(CheckInfo.Type.HTTP, port, path, false, false, PATIENT, false);
  }

  /** For a connection to {@code 127.0.0.1}, within 20 seconds. */
  public static FakeCheckRequest tcp(int port) {
    return new FakeCheckRequest(CheckInfo.Type.TCP, port, "", false, false, PATIENT, false);
  }

  /** The same by https. */
  public FakeCheckRequest withTls() {
    return new FakeCheckRequest(type, port, path, true, ipv6, timeout, unreachable);
  }

  /** The same of {@code ::1}. */
  public FakeCheckRequest withIpv6() {
    return new FakeCheckRequest(type, port, path, secure, true, timeout, unreachable);
  }

  /** The same in another time; zero for ever. */
  public FakeCheckRequest within(Duration other) {
    return new FakeCheckRequest(type, port, path, secure, ipv6, other, unreachable);
  }

  /** The same of a task to which connections are never made, nor refused. */
  public FakeCheckRequest unreachable() {
    return new FakeCheckRequest(type, port, path, secure, ipv6, timeout, true);
  }

  /** How many connections were asked for. */
  public int made() {
    return made.get();
  }

  /** How many of them are not closed. */
  public int open() {
    return open.get();
  }

  @Override
  public CheckInfo.Type type() {
    return type;
  }

  @Override
  public String task() {
    return "task";
  }

  @Override
  public int port() {
    return port;
  }

  @Override
  public boolean ipv6() {
    return ipv6;
  }

  @Override
  public boolean secure() {
    return secure;
  }

  @Override
  public String path() {
    return path;
  }

  @Override
  public Duration timeout() {
    return timeout;
  }

  @Override
  public Connecting connect(InetAddress address, int to) throws IOException {
    if (to < 1 || to > 65_535) {
      throw new IllegalArgumentException("there is no port " + to);
    }
    made.incrementAndGet();
    open.incrementAndGet();
    Fake connecting = new Fake(address instanceof Inet6Address);
    try {
      connecting.begin(new InetSocketAddress(address, to));
      return connecting;
    } catch (IOException | RuntimeException e) {
      connecting.close();
      throw e;
    }
  }

  private final class Fake implements Connecting {
    private final SocketChannel channel;

    /** The other side of a connection of which nothing is ever heard; closed otherwise. */
    private final ServerSocketChannel mute = ServerSocketChannel.open();

    private boolean closed;

    Fake(boolean byIpv6) throws IOException {
      channel =
          SocketChannel.open(
              byIpv6 && !unreachable ? StandardProtocolFamily.INET6 : StandardProtocolFamily.INET);
    }

    void begin(InetSocketAddress to) throws IOException {
      if (unreachable) {
        mute.bind(new InetSocketAddress(InetAddress.getByName("127.0.0.1"), 0));
        channel.connect(mute.getLocalAddress());
        channel.configureBlocking(false);
      } else {
        mute.close();
        channel.configureBlocking(false);
        channel.connect(to);
      }
    }

    @Override
    public SocketChannel channel() {
      return channel;
    }

    @Override
    public int operation() {
      return unreachable ? SelectionKey.OP_READ : SelectionKey.OP_CONNECT;
    }

    @Override
    public boolean finish() throws IOException {
      return !unreachable && channel.finishConnect();
    }

    @Override
    public synchronized void close() {
      if (!closed) {
        closed = true;
        open.decrementAndGet();
        try {
          mute.close();
          channel.close();
        } catch (IOException e) {
          // Nothing of it is needed any more.
          return;
        }
      }
    }
  }
}
