package org.mezzo.driver.leaders;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.apache.zookeeper.CreateMode;
import org.apache.zookeeper.ZooDefs;
import org.apache.zookeeper.ZooKeeper;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.mezzo.driver.wire.MessageWriter;

@Timeout(60)
class ZooKeeperLeadersTest {
  @TempDir Path folder;
  private TestZooKeeper server;
  private ZooKeeper client;
  private Leaders leaders;

  @BeforeEach
  void open() throws Exception {
    server = new TestZooKeeper(folder);
    client = server.client();
    leaders = Leaders.of("zk://" + server.servers() + "/mesos/", "http");
  }

  @AfterEach
  void close() throws Exception {
    leaders.close();
    client.close();
    server.close();
  }

  private CompletableFuture<URI> asked() {
    return CompletableFuture.supplyAsync(
        () -> {
          try {
            return leaders.leader();
          } catch (InterruptedException e) {
            throw new CompletionException(e);
          }
        });
  }

  private static String json(String host, String ip, int port) {
    return """
    {"address": {"hostname": "%s", "ip": "%s", "port": %d}, "id": "m", "port": 1}
    """
        .formatted(host, ip, port);
  }

  private void master(int sequence, int port) throws Exception {
    TestZooKeeper.put(
        client, "/mesos/json.info_%010d".formatted(sequence), json("named", "10.0.0.1", port));
  }

  @Test
  void theMasterThatCameFirstLeads() throws Exception {
    TestZooKeeper.put(client, "/mesos", "");
    TestZooKeeper.put(client, "/mesos/log_replicas", "");
    master(12, 5052);
    master(9, 5051);

    assertThat(leaders.leader()).isEqualTo(URI.create("http://10.0.0.1:5051"));

    client.delete("/mesos/json.info_0000000009", -1);

    assertThat(leaders.leader()).isEqualTo(URI.create("http://10.0.0.1:5052"));
  }

  @Test
  void oneIsWaitedForWhenThereIsNoneAndNotEvenItsPath() throws Exception {
    CompletableFuture<URI> asked = asked();
    assertThatThrownBy(() -> asked.get(300, TimeUnit.MILLISECONDS))
        .isInstanceOf(TimeoutException.class);

    TestZooKeeper.put(client, "/mesos", "");
    assertThatThrownBy(() -> asked.get(300, TimeUnit.MILLISECONDS))
        .isInstanceOf(TimeoutException.class);
    master(0, 5050);

    assertThat(asked.get()).isEqualTo(URI.create("http://10.0.0.1:5050"));
  }

  @Test
  void aServerThatComesBackIsAskedAgain() throws Exception {
    TestZooKeeper.put(client, "/mesos", "");
    master(0, 5050);
    assertThat(leaders.leader().getPort()).isEqualTo(5050);

    server.stop();
    CompletableFuture<URI> asked = asked();
    assertThatThrownBy(() -> asked.get(500, TimeUnit.MILLISECONDS))
        .isInstanceOf(TimeoutException.class);
    server.start();

    assertThat(asked.get().getPort()).isEqualTo(5050);
  }

  @Test
  void anExpiredSessionIsFollowedByAnother() throws Exception {
    TestZooKeeper.put(client, "/mesos", "");
    master(0, 5050);
    assertThat(leaders.leader().getPort()).isEqualTo(5050);

    server.expireSessions(client);

    assertThat(leaders.leader().getPort()).isEqualTo(5050);
  }

  @Test
  void nodesThatOnlyTheMastersMayReadNeedTheirPassword() throws Exception {
    client.addAuthInfo("digest", "master:secret".getBytes(StandardCharsets.UTF_8));
    client.create("/mesos", new byte[0], ZooDefs.Ids.CREATOR_ALL_ACL, CreateMode.PERSISTENT);
    client.create(
        "/mesos/json.info_0000000000",
        json("named", "10.0.0.1", 5050).getBytes(StandardCharsets.UTF_8),
        ZooDefs.Ids.CREATOR_ALL_ACL,
        CreateMode.PERSISTENT);

    CompletableFuture<URI> without = asked();
    assertThatThrownBy(() -> without.get(500, TimeUnit.MILLISECONDS))
        .isInstanceOf(TimeoutException.class);
    try (Leaders with = Leaders.of("zk://master:secret@" + server.servers() + "/mesos", "http")) {
      assertThat(with.leader().getPort()).isEqualTo(5050);
    }
  }

  @Test
  void aCertificateIsOfTheNameOfTheMaster() throws Exception {
    TestZooKeeper.put(client, "/mesos", "");
    master(0, 5050);
    try (Leaders secured = Leaders.of("zk://" + server.servers() + "/mesos", "https")) {
      assertThat(secured.leader()).isEqualTo(URI.create("https://named:5050"));
    }
  }

  @Test
  void mastersOfOldAreFoundByTheMessageThatTheyLeave() throws Exception {
    TestZooKeeper.put(client, "/mesos", "");
    client.create(
        "/mesos/info_0000000003",
        new MessageWriter().text(1, "m").number(2, 1).text(4, "master@10.0.0.9:5050").toBytes(),
        ZooDefs.Ids.OPEN_ACL_UNSAFE,
        CreateMode.PERSISTENT);

    assertThat(leaders.leader()).isEqualTo(URI.create("http://10.0.0.9:5050"));
  }

  @Test
  void whoWaitsIsWokenAtTheEnd() throws Exception {
    CompletableFuture<URI> asked = asked();
    assertThatThrownBy(() -> asked.get(300, TimeUnit.MILLISECONDS))
        .isInstanceOf(TimeoutException.class);

    leaders.close();

    assertThatThrownBy(asked::get)
        .isInstanceOf(ExecutionException.class)
        .hasRootCauseInstanceOf(InterruptedException.class);
  }
}
