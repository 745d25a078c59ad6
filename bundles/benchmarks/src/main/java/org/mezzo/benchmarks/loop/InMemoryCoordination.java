package org.mezzo.benchmarks.loop;

import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Executor;
import org.mezzo.api.Module;
import org.mezzo.api.Sink;
import org.mezzo.api.contender.MasterContender;
import org.mezzo.api.contender.Standing;
import org.mezzo.coordination.Coordination;
import org.mezzo.coordination.Registry;
import org.mezzo.modules.leases.Registration;
import org.mezzo.protocol.v1.MasterInfo;

/** An election with one candidate, and a registry in memory: what is measured is the master. */
final class InMemoryCoordination implements Coordination {
  private final Map<String, byte[]> stored = new TreeMap<>();
  private final Alone contender = new Alone();

  @Override
  public Election zooKeeper(String url, Duration sessionTimeout, Executor events) {
    throw new UnsupportedOperationException("There is no ZooKeeper here");
  }

  @Override
  public EmbeddedZooKeeper embedded(Path dataDir, int port) {
    throw new UnsupportedOperationException("There is no ZooKeeper here");
  }

  @Override
  public Session standalone(Path workDir, Executor events) {
    return new Single(events);
  }

  /** What is elected here, for the master's leases. */
  Registration contender() {
    return new Registration() {
      @Override
      public Announcement announcement() {
        return new Announcement(
            MasterContender.KIND,
            "standalone",
            "1",
            "",
            "",
            Set.of(),
            1,
            "org.mezzo.benchmarks.contender",
            "1",
            1);
      }

      @Override
      public boolean provides(Class<?> type) {
        return type == MasterContender.class;
      }

      @Override
      public Module create() {
        return contender;
      }

      @Override
      public void release(Module instance) {}
    };
  }

  /** Ends the master's term and begins the next, with what the registry holds. */
  void reelect() {
    contender.lose();
  }

  /** Leads whenever it is asked to. */
  private static final class Alone implements MasterContender {
    private volatile Sink<Standing> standings;

    @Override
    public void report(Sink<Standing> sink) {
      standings = sink;
    }

    @Override
    public void enter(MasterInfo self) {
      standings.report(Standing.leads());
    }

    void lose() {
      standings.report(Standing.follows("a new election"));
    }

    @Override
    public void leave() {}
  }

  private final class Single implements Session, Registry {
    private final Executor events;

    private Single(Executor events) {
      this.events = events;
    }

    @Override
    public CompletionStage<Optional<Registry>> begin(Optional<String> claim) {
      return CompletableFuture.supplyAsync(() -> Optional.of(this), events);
    }

    @Override
    public void end(String reason) {}

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
