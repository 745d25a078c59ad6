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
import org.mezzo.api.Sink;
import org.mezzo.api.contender.MasterContender;
import org.mezzo.api.contender.Standing;
import org.mezzo.coordination.Coordination;
import org.mezzo.coordination.Registry;
import org.mezzo.protocol.v1.MasterInfo;

/** Elections that tests decide, and a registry that outlives masters. */
public final class InMemoryCoordination implements Coordination {
  public final Map<String, byte[]> stored = new TreeMap<>();
  private final List<Contender> contenders = new ArrayList<>();

  /** Whether a master that contends is elected at once. */
  public volatile boolean electAtOnce = true;

  /** A registry gives what it has once this is complete. */
  public volatile CompletableFuture<Void> readable = CompletableFuture.completedFuture(null);

  /** A registry says that it has written something once this is complete. */
  public volatile CompletableFuture<Void> written = CompletableFuture.completedFuture(null);

  /** Whether writes fail. */
  public volatile boolean broken;

  @Override
  public Election zooKeeper(String url, Duration sessionTimeout, Executor events) {
    throw new UnsupportedOperationException("There is no ZooKeeper here");
  }

  @Override
  public Session standalone(Path workDir, Executor events) {
    return new InMemorySession(events);
  }

  /** What stands in the elections here. */
  public synchronized MasterContender contender() {
    Contender contender = new Contender();
    contenders.add(contender);
    return contender;
  }

  /** Takes leadership away from whoever has it; who enters is not elected before {@link #elect}. */
  public synchronized void depose() {
    electAtOnce = false;
    contenders.forEach(Contender::lose);
  }

  /** Elects whoever stands. */
  public synchronized void elect() {
    contenders.forEach(Contender::elect);
  }

  @Override
  public EmbeddedZooKeeper embedded(Path dataDir, int port) {
    throw new UnsupportedOperationException();
  }

  private final class Contender implements MasterContender {
    private Sink<Standing> standings;
    private boolean standing;
    private boolean leading;

    @Override
    public void report(Sink<Standing> sink) {
      standings = sink;
    }

    @Override
    public void enter(MasterInfo self) {
      synchronized (InMemoryCoordination.this) {
        standing = true;
        if (electAtOnce) {
          elect();
        }
      }
    }

    private void elect() {
      if (standing && !leading) {
        leading = true;
        standings.report(Standing.leads());
      }
    }

    private void lose() {
      if (leading) {
        leading = false;
        standings.report(Standing.follows("deposed"));
      }
    }

    @Override
    public void leave() {
      synchronized (InMemoryCoordination.this) {
        standing = false;
        leading = false;
      }
    }
  }

  private final class InMemorySession implements Session, Registry {
    private final Executor events;

    private InMemorySession(Executor events) {
      this.events = events;
    }

    @Override
    public CompletionStage<Optional<Registry>> begin(Optional<String> claim) {
      return CompletableFuture.supplyAsync(() -> Optional.of(this), events);
    }

    @Override
    public void end(String reason) {}

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
