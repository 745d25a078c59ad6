package org.mezzo.driver.leaders;

import java.io.IOException;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Optional;
import java.util.logging.Level;
import java.util.logging.Logger;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.apache.zookeeper.KeeperException;
import org.apache.zookeeper.WatchedEvent;
import org.apache.zookeeper.Watcher;
import org.apache.zookeeper.ZooKeeper;
import org.mezzo.driver.wire.MessageReader;

/**
 * The master that has the lowest sequence number below the path of the masters: in {@code
 * json.info_NNNNNNNNNN} as JSON, or of masters before 0.24 in {@code info_NNNNNNNNNN}.
 */
final class ZooKeeperLeaders implements Leaders, Watcher {
  private static final Logger LOG = Logger.getLogger(ZooKeeperLeaders.class.getName());
  private static final int SESSION_MS = 10_000;

  /** No longer than this until ZooKeeper is asked again, should a watch have got lost. */
  private static final long LOOK_MS = 2_000;

  private static final Pattern ADDRESS = Pattern.compile("\"address\"\\s*:\\s*\\{([^}]*)}");
  private static final Pattern HOSTNAME = Pattern.compile("\"hostname\"\\s*:\\s*\"([^\"]*)\"");
  private static final Pattern IP = Pattern.compile("\"ip\"\\s*:\\s*\"([^\"]*)\"");
  private static final Pattern PORT = Pattern.compile("\"port\"\\s*:\\s*(\\d{1,5})");

  private final ZooKeeperAddress address;
  private final String scheme;
  private Optional<ZooKeeper> client = Optional.empty();
  private long changes;
  private boolean closed;

  private ZooKeeperLeaders(ZooKeeperAddress address, String scheme) {
    this.address = address;
    this.scheme = scheme;
  }

  static Leaders of(ZooKeeperAddress address, String scheme) {
    return new ZooKeeperLeaders(address, scheme);
  }

  @Override
  public URI leader() throws InterruptedException {
    String said = "";
    for (; ; ) {
      long seen = changes();
      String missing;
      try {
        Optional<URI> leader = look();
        if (leader.isPresent()) {
          return leader.get();
        }
        missing = "no master leads below " + address + " yet";
      } catch (KeeperException.SessionExpiredException e) {
        drop();
        missing = "the session with ZooKeeper at " + address + " has expired";
      } catch (KeeperException | IOException e) {
        missing = "the leading master cannot be found in " + address + " now: " + e;
      }
      if (!missing.equals(said)) {
        LOG.log(Level.WARNING, "{0}; waiting for one", missing);
        said = missing;
      }
      await(seen);
    }
  }

  private Optional<URI> look() throws InterruptedException, KeeperException, IOException {
    ZooKeeper zooKeeper = client();
    List<String> children;
    try {
      children = zooKeeper.getChildren(address.path(), this);
    } catch (KeeperException.NoNodeException e) {
      zooKeeper.exists(address.path(), this);
      return Optional.empty();
    }
    for (String prefix : new String[] {"json.info_", "info_"}) {
      Optional<String> first =
          children.stream().filter(it -> it.startsWith(prefix)).sorted().findFirst();
      if (first.isPresent()) {
        try {
          byte[] info = zooKeeper.getData(address.path() + "/" + first.get(), this, null);
          return Optional.of(prefix.startsWith("json") ? ofJson(info) : ofMessage(info));
        } catch (KeeperException.NoNodeException e) {
          return Optional.empty();
        }
      }
    }
    return Optional.empty();
  }

  private URI ofJson(byte[] info) throws IOException {
    String json = new String(info, StandardCharsets.UTF_8);
    Matcher found = ADDRESS.matcher(json);
    if (!found.find()) {
      throw new IOException("the leading master tells no address");
    }
    String text = found.group(1);
    Matcher port = PORT.matcher(text);
    // A certificate is of a name, an address needs no resolver.
    Optional<String> host =
        scheme.equals("https") ? first(HOSTNAME, IP, text) : first(IP, HOSTNAME, text);
    if (!port.find() || !host.isPresent()) {
      throw new IOException("the leading master tells no address");
    }
    return uri(host.get(), Integer.parseInt(port.group(1)));
  }

  private static Optional<String> first(Pattern one, Pattern other, String text) {
    for (Pattern each : new Pattern[] {one, other}) {
      Matcher found = each.matcher(text);
      if (found.find() && !found.group(1).isEmpty()) {
        return Optional.of(found.group(1));
      }
    }
    return Optional.empty();
  }

  private URI ofMessage(byte[] info) throws IOException {
    MessageReader master = new MessageReader(info);
    String pid = master.text(4).orElse("");
    String hostAndPort = pid.substring(pid.indexOf('@') + 1);
    int colon = hostAndPort.lastIndexOf(':');
    if (colon < 1) {
      throw new IOException("the leading master tells no address");
    }
    return uri(hostAndPort.substring(0, colon), Integer.parseInt(hostAndPort.substring(colon + 1)));
  }

  private URI uri(String host, int port) {
    return URI.create(scheme + "://" + (host.contains(":") ? "[" + host + "]" : host) + ":" + port);
  }

  private synchronized ZooKeeper client() throws IOException, InterruptedException {
    if (closed) {
      throw new InterruptedException();
    }
    if (!client.isPresent()) {
      client =
          Optional.of(ZooKeeperClients.open(address.servers(), SESSION_MS, this, address.digest()));
    }
    return client.get();
  }

  private synchronized void drop() throws InterruptedException {
    if (client.isPresent()) {
      ZooKeeper expired = client.get();
      client = Optional.empty();
      expired.close();
    }
  }

  @Override
  public synchronized void process(WatchedEvent event) {
    changes++;
    notifyAll();
  }

  private synchronized long changes() {
    return changes;
  }

  private synchronized void await(long seen) throws InterruptedException {
    long until = System.nanoTime() + LOOK_MS * 1_000_000;
    while (changes == seen && !closed) {
      long left = (until - System.nanoTime()) / 1_000_000;
      if (left <= 0) {
        return;
      }
      wait(left);
    }
  }

  @Override
  public void close() {
    synchronized (this) {
      closed = true;
      notifyAll();
    }
    try {
      drop();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
