package org.mezzo.benchmarks.loop;

import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Executor;
import org.mezzo.coordination.Coordination;
import org.mezzo.coordination.Registry;
import org.mezzo.protocol.v1.MasterInfo;

/** An election with one candidate, and a registry in memory: what is measured is the master. */
final class InMemoryCoordination implements Coordination {
  private final Map<String, byte[]> stored = new TreeMap<>();
  private volatile Single session;

  @Override
  public Session zooKeeper(String url, Duration sessionTimeout, Executor events) {
    throw new UnsupportedOperationException("There is no ZooKeeper here");
  }

  @Override
  public EmbeddedZooKeeper embedded(Path dataDir, int port) {
    throw new UnsupportedOperationException("There is no ZooKeeper here");
  }

  @Override
  public Session standalone(Path workDir, Executor events) {
    session = new Single(events);
    return session;
  }

  /** Ends the master's term and begins the next, with what the registry holds. */
  void reelect() {
    session.events.execute(() -> session.candidate.lost("a new election"));
  }

  private final class Single implements Session, Registry {
    private final Executor events;
    private CandidacyListener candidate;
    private MasterInfo self;

    private Single(Executor events) {
      this.events = events;
    }

    @Override
    public Candidacy contend(MasterInfo info, CandidacyListener listener) {
      self = info;
      candidate = listener;
      events.execute(() -> listener.elected(this));
      return () -> {};
    }

    @Override
    public AutoCloseable detect(LeaderListener listener) {
      events.execute(() -> listener.leader(Optional.ofNullable(self)));
      return () -> {};
    }

    @Override
    public synchronized CompletionStage<Map<String, byte[]>> load() {
      return CompletableFuture.completedFuture(Map.copyOf(stored));
    }

    @Override
    public synchronized CompletionStage<Void> apply(List<Change> changes) {
      for (Change change : changes) {
        if (change.value() == null) {
          stored.remove(change.key());
        } else {
          stored.put(change.key(), change.value());
        }
      }
      CompletableFuture<Void> done = new CompletableFuture<>();
      events.execute(() -> done.complete(null));
      return done;
    }

    @Override
    public void close() {}
  }
}
