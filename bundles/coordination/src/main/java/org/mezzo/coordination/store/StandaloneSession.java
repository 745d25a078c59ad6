package org.mezzo.coordination.store;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.Executor;
import org.mezzo.coordination.Coordination;
import org.mezzo.coordination.Coordination.CandidacyListener;
import org.mezzo.coordination.Coordination.LeaderListener;
import org.mezzo.coordination.Registry;
import org.mezzo.protocol.v1.MasterInfo;

/** A session without peers: who contends leads at once, with a private store (rule 160). */
public final class StandaloneSession implements Coordination.Session {
  private final Executor events;
  private final RegistryLog log;
  private final List<LeaderListener> followers = new CopyOnWriteArrayList<>();

  /** Who leads, null when nobody does. Guarded by this. */
  private Leader leader;

  /** Opens the store {@code registry/} below the work directory. */
  public StandaloneSession(Path workDir, Executor events) throws IOException {
    this.events = events;
    this.log = RegistryLog.open(workDir.resolve("registry"));
  }

  @Override
  public synchronized Coordination.Candidacy contend(MasterInfo self, CandidacyListener listener) {
    if (leader != null) {
      throw new IllegalStateException("A standalone session has one candidate, and it leads");
    }
    Leader elected = new Leader(self, listener);
    leader = elected;
    events.execute(() -> listener.elected(elected));
    followers.forEach(follower -> events.execute(() -> follower.leader(Optional.of(self))));
    return elected;
  }

  @Override
  public synchronized AutoCloseable detect(LeaderListener listener) {
    followers.add(listener);
    Optional<MasterInfo> now = leader == null ? Optional.empty() : Optional.of(leader.self);
    events.execute(() -> listener.leader(now));
    return () -> followers.remove(listener);
  }

  @Override
  public Optional<Coordination.Board> board() {
    return Optional.of(new OwnBoard());
  }

  @Override
  public void close() {
    Leader last;
    synchronized (this) {
      last = leader;
    }
    if (last != null) {
      last.close();
    }
    log.close();
  }

  /** What the only master sees: its own registry while it leads, and its own notice. */
  private final class OwnBoard implements Coordination.Board {
    private final Map<String, byte[]> notices = new ConcurrentHashMap<>();

    @Override
    public CompletionStage<Optional<byte[]>> read(String key) {
      Leader now;
      synchronized (StandaloneSession.this) {
        now = leader;
      }
      return now == null
          ? CompletableFuture.failedFuture(new IllegalStateException("The registry is not open"))
          : now.load().thenApply(stored -> Optional.ofNullable(stored.get(key)));
    }

    @Override
    public CompletionStage<Void> post(String name, byte[] notice) {
      notices.put(name, notice);
      return CompletableFuture.completedFuture(null);
    }

    @Override
    public CompletionStage<Map<String, byte[]>> notices() {
      return CompletableFuture.completedFuture(Map.copyOf(notices));
    }
  }

  private final class Leader implements Coordination.Candidacy, Registry {
    private final MasterInfo self;
    private final CandidacyListener listener;
    private final GroupCommit commits = new GroupCommit("coordination-registry", log, events);

    Leader(MasterInfo self, CandidacyListener listener) {
      this.self = self;
      this.listener = listener;
    }

    @Override
    public CompletionStage<Map<String, byte[]>> load() {
      return commits.call(log::contents);
    }

    @Override
    public CompletionStage<Void> apply(List<Change> changes) {
      return commits.apply(changes);
    }

    @Override
    public void close() {
      synchronized (StandaloneSession.this) {
        if (leader != this) {
          return;
        }
        leader = null;
      }
      commits.closeAndJoin(new IllegalStateException("This term's registry is closed: resigned"));
      events.execute(() -> listener.lost("resigned"));
      followers.forEach(follower -> events.execute(() -> follower.leader(Optional.empty())));
    }
  }
}
