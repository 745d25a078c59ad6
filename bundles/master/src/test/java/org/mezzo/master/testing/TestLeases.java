package org.mezzo.master.testing;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import org.mezzo.api.DaemonContext;
import org.mezzo.api.Module;
import org.mezzo.modules.LeaseDescription;
import org.mezzo.modules.LeaseRequest;
import org.mezzo.modules.ModuleDescription;
import org.mezzo.modules.ModuleException;
import org.mezzo.modules.ModuleLease;
import org.mezzo.modules.ModuleLeases;

/** Leases of modules that tests hand out and take away. */
public final class TestLeases implements ModuleLeases, AutoCloseable {
  private final ExecutorService mailbox =
      Executors.newSingleThreadExecutor(
          task -> {
            Thread thread = new Thread(task, "test-mailbox");
            thread.setDaemon(true);
            return thread;
          });
  private final Map<String, Module> modules = new ConcurrentHashMap<>();
  private final List<TestLease<?>> leases = new ArrayList<>();

  /** Offers a module; whoever waits for it gets it. */
  public synchronized void register(String kind, String name, Module module) {
    modules.put(kind + '/' + name, module);
    leases.forEach(TestLease::refresh);
  }

  /** Takes a module away. */
  public synchronized void withdraw(String kind, String name) {
    modules.remove(kind + '/' + name);
    leases.forEach(TestLease::refresh);
  }

  @Override
  public synchronized <M extends Module> ModuleLease<M> lease(LeaseRequest<M> request) {
    TestLease<M> lease = new TestLease<>(request);
    leases.add(lease);
    // A real one tells its listener later as well.
    request.events().execute(lease::refresh);
    return lease;
  }

  private final class TestLease<M extends Module> implements ModuleLease<M> {
    private final LeaseRequest<M> request;
    private volatile String name;
    private volatile Module holder;
    private volatile long epoch;
    private long epochs;
    private boolean closed;

    private TestLease(LeaseRequest<M> request) {
      this.request = request;
      this.name = request.name();
    }

    private synchronized void refresh() {
      Module wanted = closed ? null : modules.get(request.kind() + '/' + name);
      if (wanted == holder) {
        return;
      }
      if (holder != null) {
        long gone = epoch;
        epoch = 0;
        request.events().execute(() -> request.listener().lost(gone, describe(), "withdrawn"));
      }
      holder = wanted;
      if (wanted != null) {
        long now = ++epochs;
        epoch = now;
        request.events().execute(() -> request.listener().acquired(now, describe()));
      }
    }

    private ModuleDescription describe() {
      return new ModuleDescription(
          request.kind(), name, "1", "", "", 1, "test", "1", "leased", "", List.of());
    }

    @Override
    public void select(String next) {
      name = next;
      refresh();
    }

    @Override
    public long epoch() {
      return epoch;
    }

    @Override
    public Optional<ModuleDescription> holder() {
      return holder == null ? Optional.empty() : Optional.of(describe());
    }

    @Override
    public <R> CompletionStage<R> call(
        long to, String operation, Duration deadline, Call<M, R> call) {
      CompletableFuture<R> reply = new CompletableFuture<>();
      Module module = holder;
      mailbox.execute(
          () -> {
            try {
              if (to != epoch || module == null) {
                throw new ModuleException(ModuleException.Kind.STALE, "gone", null);
              }
              R result = call.apply(request.type().cast(module));
              request.events().execute(() -> reply.complete(result));
            } catch (Exception e) {
              request.events().execute(() -> reply.completeExceptionally(e));
            }
          });
      return reply;
    }

    @Override
    public int backlog() {
      return 0;
    }

    @Override
    public synchronized void close() {
      closed = true;
      refresh();
    }
  }

  @Override
  public List<ModuleDescription> modules() {
    return List.of();
  }

  @Override
  public CompletionStage<Void> drain(long bundleId, Duration deadline) {
    return CompletableFuture.completedFuture(null);
  }

  @Override
  public void readmit(long bundleId) {}

  @Override
  public List<LeaseDescription> leases() {
    return List.of();
  }

  @Override
  public List<DaemonContext> wanting(String kind, String name) {
    return List.of();
  }

  @Override
  public List<ModuleDescription> quarantined() {
    return List.of();
  }

  @Override
  public void close() {
    mailbox.shutdownNow();
  }
}
