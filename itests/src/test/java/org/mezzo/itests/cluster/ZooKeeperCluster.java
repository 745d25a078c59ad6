package org.mezzo.itests.cluster;

import java.io.IOException;
import java.net.URI;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import org.apache.curator.test.TestingServer;
import org.mezzo.fixtures.Await;

/**
 * Masters that elect one of them through a ZooKeeper of their own, and agents, as processes. For
 * one thread.
 */
final class ZooKeeperCluster implements AutoCloseable {
  static final Duration LIMIT = Duration.ofSeconds(120);

  /** Until a killed leader is missed; a slow machine must not take one for dead that lives. */
  static final Duration SESSION = Duration.ofSeconds(10);

  private final Path folder;
  private final Deque<AutoCloseable> open = new ArrayDeque<>();
  private final List<Master> masters = new ArrayList<>();
  private final TestingServer zooKeeper;

  /** A master process with its port. */
  record Master(MezzoProcess process, URI uri) {
    boolean leads() throws IOException {
      return process.isAlive()
          && Http.get(uri.resolve("/metrics/snapshot")).json().path("master/elected").asInt() == 1;
    }

    boolean answers() throws IOException {
      return Http.get(uri.resolve("/health")).status() == 200;
    }

    int agents() throws IOException {
      return Http.get(uri.resolve("/state")).json().path("activated_slaves").asInt();
    }

    void awaitAgents(int count) {
      Await.until(count + " agents are registered with " + uri, LIMIT, () -> agents() == count);
    }
  }

  /**
   * Only ZooKeeper runs yet.
   *
   * @param folder gets {@code zookeeper}, {@code logs}, a folder of each daemon's name and {@code
   *     run} ones
   */
  ZooKeeperCluster(Path folder) throws Exception {
    this.folder = folder;
    zooKeeper = own(new TestingServer(-1, folder.resolve("zookeeper").toFile(), true));
  }

  /** The servers of ZooKeeper, as {@code host:port}. */
  String zooKeeper() {
    return zooKeeper.getConnectString();
  }

  /** Where the masters are found. */
  String zk() {
    return "zk://" + zooKeeper() + "/mezzo";
  }

  /** Closes it before what was there earlier. */
  <T extends AutoCloseable> T own(T one) {
    open.push(one);
    return one;
  }

  /** Starts a master that is enough by itself, and waits until it answers. */
  Master master(String name) throws IOException {
    return master(name, SESSION);
  }

  /** The same with more flags. */
  Master flagged(String name, String... flags) throws IOException {
    Master master = start(name, SESSION, 1, flags);
    Await.until(name + " answers", LIMIT, master::answers);
    return master;
  }

  /** The same, which ZooKeeper takes for dead after another time without a word. */
  Master master(String name, Duration session) throws IOException {
    Master master = start(name, session, 1);
    Await.until(name + " answers", LIMIT, master::answers);
    return master;
  }

  /** Starts masters, a majority of which has to run, and waits until one leads. */
  Master masters(String... names) throws Exception {
    for (String name : names) {
      start(name, SESSION, names.length / 2 + 1);
    }
    for (Master each : masters) {
      Await.until(each.uri() + " answers", LIMIT, each::answers);
    }
    Await.until("one leads", LIMIT, () -> leaders().size() == 1);
    return leaders().get(0);
  }

  /** Waits until another one leads. */
  Master awaitLeaderAfter(Master last) throws IOException {
    Await.until(
        "another one leads", LIMIT, () -> leaders().size() == 1 && !leaders().contains(last));
    return leaders().get(0);
  }

  private List<Master> leaders() throws IOException {
    List<Master> leaders = new ArrayList<>();
    for (Master each : masters) {
      if (each.leads()) {
        leaders.add(each);
      }
    }
    return leaders;
  }

  private Master start(String name, Duration session, int quorum, String... flags)
      throws IOException {
    int port = Distribution.freePort();
    List<String> arguments =
        new ArrayList<>(
            List.of(
                "master",
                "--zk=" + zk(),
                "--zk_session_timeout=" + session.toSeconds() + "secs",
                "--quorum=" + quorum,
                "--port=" + port,
                "--work_dir=" + folder.resolve(name)));
    arguments.addAll(List.of(flags));
    MezzoProcess process =
        own(
            MezzoProcess.start(
                Distribution.built(), folder.resolve("logs"), arguments.toArray(String[]::new)));
    Master master = new Master(process, URI.create("http://127.0.0.1:" + port));
    masters.add(master);
    return master;
  }

  /**
   * Starts an agent; it may not be registered yet.
   *
   * @return where it is asked
   */
  URI agent(String name, String... flags) throws IOException {
    int port = Distribution.freePort();
    List<String> arguments =
        new ArrayList<>(
            List.of(
                "agent",
                "--master=" + zk(),
                "--port=" + port,
                "--runtime_dir=" + folder.resolve("run-" + name),
                "--work_dir=" + folder.resolve(name)));
    arguments.addAll(List.of(flags));
    own(
        MezzoProcess.start(
            Distribution.built(), folder.resolve("logs"), arguments.toArray(String[]::new)));
    return URI.create("http://127.0.0.1:" + port);
  }

  @Override
  public void close() throws Exception {
    while (!open.isEmpty()) {
      open.pop().close();
    }
  }
}
