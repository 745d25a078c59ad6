package org.mezzo.coordination.store;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executor;
import org.mezzo.coordination.Coordination;
import org.mezzo.coordination.Registry;

/** A session without peers, with a private store (rule 160). */
public final class StandaloneSession implements Coordination.Session {
  private final Executor events;
  private final RegistryLog log;

  /** The latest; empty before the first term and after the last. Guarded by this. */
  private Optional<Term> term = Optional.empty();

  private boolean closed;

  /** Opens the store {@code registry/} below the work directory. */
  public StandaloneSession(Path workDir, Executor events) throws IOException {
    this.events = events;
    this.log = RegistryLog.open(workDir.resolve("registry"));
  }

  @Override
  public CompletionStage<Optional<Registry>> begin(Optional<String> claim) {
    CompletableFuture<Optional<Registry>> begun = new CompletableFuture<>();
    // What the term before writes at this moment is to be read by this one.
    Thread beginning = new Thread(() -> begin(begun), "coordination-term");
    beginning.setDaemon(true);
    beginning.setContextClassLoader(null);
    beginning.start();
    return begun;
  }

  private synchronized void begin(CompletableFuture<Optional<Registry>> begun) {
    if (closed) {
      events.execute(
          () -> begun.completeExceptionally(new IllegalStateException("The registry is closed")));
      return;
    }
    term.ifPresent(before -> before.endAndJoin("the next term has begun"));
    Term next = new Term();
    term = Optional.of(next);
    events.execute(() -> begun.complete(Optional.of(next)));
  }

  @Override
  public Optional<Coordination.Board> board() {
    return Optional.of(new OwnBoard());
  }

  @Override
  public synchronized void close() {
    closed = true;
    term.ifPresent(last -> last.endAndJoin("resigned"));
    term = Optional.empty();
    log.close();
  }

  /** What the only master sees: its own registry while it leads, and its own notice. */
  private final class OwnBoard implements Coordination.Board {
    private final Map<String, byte[]> notices = new ConcurrentHashMap<>();

    @Override
    public CompletionStage<Optional<byte[]>> read(String key) {
      Optional<Term> now;
      synchronized (StandaloneSession.this) {
        now = term;
      }
      return now.<CompletionStage<Map<String, byte[]>>>map(Term::load)
          .orElseGet(
              () ->
                  CompletableFuture.failedFuture(
                      new IllegalStateException("The registry is not open")))
          .thenApply(stored -> Optional.ofNullable(stored.get(key)));
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

  private final class Term implements Registry {
    private final GroupCommit commits = new GroupCommit("coordination-registry", log, events);

    @Override
    public CompletionStage<Map<String, byte[]>> load() {
      return commits.call(log::contents);
    }

    @Override
    public CompletionStage<Void> apply(List<Change> changes) {
      return commits.apply(changes);
    }

    @Override
    public void end(String reason) {
      commits.close(over(reason));
    }

    void endAndJoin(String reason) {
      commits.closeAndJoin(over(reason));
    }

    private static IllegalStateException over(String reason) {
      return new IllegalStateException("This term's registry is closed: " + reason);
    }
  }
}
