package org.mezzo.coordination.zookeeper;

import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Executor;
import org.apache.curator.framework.CuratorFramework;
import org.apache.zookeeper.CreateMode;
import org.apache.zookeeper.KeeperException;
import org.apache.zookeeper.data.Stat;
import org.mezzo.coordination.Coordination;

/**
 * Notices of masters in ephemeral nodes below {@code <path>/mezzo/masters}, and the registry for
 * those who do not lead. Every question is one task of the session's thread.
 */
final class ZooKeeperBoard implements Coordination.Board {
  private final CuratorFramework curator;
  private final String path;
  private final Executor worker;
  private final Executor events;

  ZooKeeperBoard(CuratorFramework curator, String path, Executor worker, Executor events) {
    this.curator = curator;
    this.path = path;
    this.worker = worker;
    this.events = events;
  }

  @Override
  public CompletionStage<Optional<byte[]>> read(String key) {
    return ask(() -> ZooKeeperRegistry.read(curator, path, key));
  }

  @Override
  public CompletionStage<Void> post(String name, byte[] notice) {
    if (notice.length > MAX_NOTICE_BYTES) {
      return CompletableFuture.failedFuture(
          new IllegalArgumentException(
              "The notice of %s has %d bytes, more than %d"
                  .formatted(name, notice.length, MAX_NOTICE_BYTES)));
    }
    return ask(
        () -> {
          put(root() + "/" + name, notice);
          return null;
        });
  }

  private void put(String node, byte[] notice) throws Exception {
    Stat stat = new Stat();
    try {
      byte[] there = curator.getData().storingStatIn(stat).forPath(node);
      if (stat.getEphemeralOwner() == session()) {
        if (!Arrays.equals(there, notice)) {
          curator.setData().forPath(node, notice);
        }
        return;
      }
      // What a former process at this address has left would go when its session expires.
      curator.delete().forPath(node);
    } catch (KeeperException.NoNodeException e) {
      ZooKeeperSession.create(curator, root());
    }
    ZooKeeperSession.create(curator, node, CreateMode.EPHEMERAL, notice);
  }

  private long session() throws Exception {
    return curator.getZookeeperClient().getZooKeeper().getSessionId();
  }

  @Override
  public CompletionStage<Map<String, byte[]>> notices() {
    return ask(
        () -> {
          Map<String, byte[]> notices = new TreeMap<>();
          for (String name : names()) {
            try {
              notices.put(name, curator.getData().forPath(root() + "/" + name));
            } catch (KeeperException.NoNodeException e) {
              // It went meanwhile.
              continue;
            }
          }
          return notices;
        });
  }

  private List<String> names() throws Exception {
    try {
      return curator.getChildren().forPath(root());
    } catch (KeeperException.NoNodeException e) {
      return List.of();
    }
  }

  private String root() {
    return path + "/mezzo/masters";
  }

  private <T> CompletionStage<T> ask(Callable<T> question) {
    CompletableFuture<T> answer = new CompletableFuture<>();
    worker.execute(
        () -> {
          try {
            T value = question.call();
            events.execute(() -> answer.complete(value));
          } catch (Exception e) {
            if (e instanceof InterruptedException) {
              Thread.currentThread().interrupt();
            }
            events.execute(() -> answer.completeExceptionally(e));
          }
        });
    return answer;
  }
}
