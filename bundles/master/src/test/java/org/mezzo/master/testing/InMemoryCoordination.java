package org.mezzo.master.testing;

import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
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

/** Elections that tests decide, and a registry that outlives masters. */
public final class InMemoryCoordination implements Coordination {
  public final Map<String, byte[]> stored = new TreeMap<>();
  private final List<InMemorySession> sessions = new ArrayList<>();

  /** Whether a master that contends is elected at once. */
  public volatile boolean electAtOnce = true;

  /** A registry gives what it has once this is complete. */
  public volatile CompletableFuture<Void> readable = CompletableFuture.completedFuture(null);

  /** A registry says that it has written something once this is complete. */
  public volatile CompletableFuture<Void> written = CompletableFuture.completedFuture(null);

  /** Whether writes fail. */
  public volatile boolean broken;

  @Override
  public Session zooKeeper(String url, Duration sessionTimeout, Executor events) {
    return open(events);
  }

  @Override
  public Session standalone(Path workDir, Executor events) {
    return open(events);
  }

  private synchronized Session open(Executor events) {
    InMemorySession session = new InMemorySession(events);
    sessions.add(session);
    return session;
  }

  /**
   * Takes leadership away from whoever has it; who contends is not elected before {@link #elect}.
   */
  public synchronized void depose(Optional<MasterInfo> successor) {
    electAtOnce = false;
    sessions.forEach(session -> session.lose(successor));
  }

  /** Elects whoever contends. */
  public synchronized void elect() {
    sessions.forEach(InMemorySession::elect);
  }

  @Override
  public EmbeddedZooKeeper embedded(Path dataDir, int port) {
    throw new UnsupportedOperationException();
  }

  private final class InMemorySession implements Session, Registry {
    private final Executor events;
    private CandidacyListener candidate;
    private MasterInfo self;
    private LeaderListener follower;
    private boolean leads;

    private InMemorySession(Executor events) {
      this.events = events;
    }

    @Override
    public Candidacy contend(MasterInfo info, CandidacyListener listener) {
      candidate = listener;
      self = info;
      if (electAtOnce) {
        elect();
      }
      return () -> lose(Optional.empty());
    }

    private void elect() {
      if (candidate != null && !leads) {
        leads = true;
        events.execute(() -> candidate.elected(this));
        tell(Optional.of(self));
      }
    }

    private void lose(Optional<MasterInfo> successor) {
      if (leads) {
        leads = false;
        events.execute(() -> candidate.lost("deposed"));
      }
      tell(successor);
    }

    private void tell(Optional<MasterInfo> leader) {
      if (follower != null) {
        events.execute(() -> follower.leader(leader));
      }
    }

    @Override
    public AutoCloseable detect(LeaderListener listener) {
      follower = listener;
      return () -> {};
    }

    @Override
    public CompletionStage<Map<String, byte[]>> load() {
      Map<String, byte[]> copy;
      synchronized (stored) {
        copy = new TreeMap<>(stored);
      }
      return readable.thenApplyAsync(unused -> copy, events);
    }

    @Override
    public CompletionStage<Void> apply(List<Change> changes) {
      if (broken) {
        return CompletableFuture.runAsync(
            () -> {
              throw new IllegalStateException("the registry is broken");
            },
            events);
      }
      synchronized (stored) {
        for (Change change : changes) {
          if (change.value() == null) {
            stored.remove(change.key());
          } else {
            stored.put(change.key(), change.value());
          }
        }
      }
      return written.thenRunAsync(() -> {}, events);
    }

    @Override
    public void close() {}
  }
}
