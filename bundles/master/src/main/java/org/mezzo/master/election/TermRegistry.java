package org.mezzo.master.election;

import com.google.protobuf.InvalidProtocolBufferException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeoutException;
import java.util.function.BiConsumer;
import java.util.function.Consumer;
import org.mezzo.coordination.Registry;
import org.mezzo.daemon.loop.EventLoop;
import org.mezzo.daemon.loop.Timers;
import org.mezzo.daemon.metrics.MetricsRegistry;
import org.mezzo.master.rollouts.Rollouts;
import org.mezzo.master.state.MasterState;
import org.mezzo.master.transitions.AgentRegistry;
import org.mezzo.master.transitions.Effect;
import org.mezzo.master.transitions.MaintenanceRegistry;
import org.mezzo.master.transitions.MinimumCapabilities;
import org.mezzo.master.transitions.PolicyRegistry;
import org.mezzo.master.transitions.Step;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The registry during one term: read once, then written, both within the time they may take (rule
 * 163), and cleared of agents that were lost long ago. Belongs to the event loop.
 */
public final class TermRegistry implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(TermRegistry.class);
  private static final String MASTER_INFO = "master/info";
  private static final String STORES_REFUSED = "registrar/mezzo/refused";

  /** How long the registry may take, and how long it remembers lost agents. */
  public record Times(
      Duration fetch, Duration store, Duration pruneInterval, Duration maxAge, int maxCount) {}

  private final EventLoop loop;
  private final Registry registry;
  private final Executor readers;
  private final Times times;
  private final MetricsRegistry metrics;
  private final MasterTerm.FailureListener failures;
  private final RegistryWrites writes;
  private final MetricsRegistry.Timer fetchTime;
  private final Timers timers;
  private boolean closed;

  /**
   * Not read yet.
   *
   * @param readers where what was read is decoded
   * @param failures told when the term cannot go on with it
   */
  public TermRegistry(
      EventLoop loop,
      Registry registry,
      Executor readers,
      Times times,
      MetricsRegistry metrics,
      MasterTerm.FailureListener failures) {
    this.loop = loop;
    this.registry = registry;
    this.readers = readers;
    this.times = times;
    this.metrics = metrics;
    this.failures = failures;
    timers = new Timers(loop);
    fetchTime = metrics.timer("registrar/state_fetch_ms", Duration.ZERO);
    metrics.counter(STORES_REFUSED);
    writes =
        new RegistryWrites(
            loop,
            registry,
            times.store(),
            metrics,
            timeout -> failures.failed("its registry cannot be written", timeout));
  }

  /**
   * Reads the registry and writes this master into it (rule 164). What is in there is decoded off
   * the loop, for a large cluster takes long.
   *
   * @param before the root without it
   * @param then given the root with it, and what is wanted of modules
   */
  void recover(MasterState before, BiConsumer<MasterState, Rollouts.Stored> then) {
    long began = System.nanoTime();
    within(registry.load(), times.fetch(), "read")
        .thenApplyAsync(
            stored -> {
              fetchTime.recordNanos(System.nanoTime() - began);
              return decoded(before, stored);
            },
            readers)
        .thenComposeAsync(found -> writes.apply(found.changes()).thenApply(unused -> found), loop)
        .whenCompleteAsync(
            (found, failure) -> {
              if (closed) {
                return;
              }
              if (failure != null) {
                failures.failed("its registry cannot be recovered", failure);
                return;
              }
              then.accept(found.root(), found.modules());
            },
            loop);
  }

  /**
   * What the registry knew.
   *
   * @param root with it
   * @param modules what is wanted of module bundles
   * @param changes what the registry has to be told at the begin of a term
   */
  private record Found(MasterState root, Rollouts.Stored modules, List<Registry.Change> changes) {}

  private static Found decoded(MasterState before, Map<String, byte[]> stored) {
    MasterState root;
    Rollouts.Stored modules;
    try {
      modules = Rollouts.Stored.of(stored);
      MinimumCapabilities.check(stored);
      MasterState agents = AgentRegistry.recover(before, stored);
      root = MaintenanceRegistry.recover(PolicyRegistry.recover(agents, stored), stored);
    } catch (InvalidProtocolBufferException e) {
      throw new IllegalStateException(
          "The registry holds what cannot be read: " + e.getMessage(), e);
    }
    List<Registry.Change> changes = new ArrayList<>();
    changes.add(new Registry.Change(MASTER_INFO, before.self().toByteArray()));
    changes.addAll(PolicyRegistry.missing(root.policy(), stored));
    return new Found(root, modules, changes);
  }

  /** Fails what takes longer than allowed. */
  private <T> CompletableFuture<T> within(CompletionStage<T> stage, Duration limit, String done) {
    CompletableFuture<T> result = new CompletableFuture<>();
    EventLoop.Timer timer =
        timers.schedule(
            limit,
            () ->
                result.completeExceptionally(
                    new TimeoutException(
                        "it was not " + done + " within " + limit.toSeconds() + " s")));
    stage.whenComplete(
        (value, failure) -> {
          timer.cancel();
          if (failure != null) {
            result.completeExceptionally(failure);
          } else {
            result.complete(value);
          }
        });
    return result;
  }

  /** Forgets lost agents from now on, in intervals. */
  void prune(Consumer<Step> run) {
    timers.every(
        times.pruneInterval(),
        () -> run.accept(tx -> AgentRegistry.forgetOld(tx, times.maxAge(), times.maxCount())));
  }

  /** Writes what a transition wants written, and runs the step that follows from the outcome. */
  void store(Effect.Store store, Consumer<Step> run) {
    writes
        .apply(store.changes())
        .whenComplete(
            (unused, failure) -> {
              if (closed) {
                return;
              }
              Throwable cause =
                  failure instanceof CompletionException ? failure.getCause() : failure;
              try {
                if (cause == null) {
                  run.accept(store.then());
                } else if (cause instanceof Registry.RefusedException refused) {
                  metrics.counter(STORES_REFUSED).add(1);
                  run.accept(tx -> store.refused().apply(tx, refused.getMessage()));
                } else {
                  failures.failed("its registry cannot be written", cause);
                }
              } catch (RuntimeException e) {
                LOG.error("What follows a write of the registry failed", e);
              }
            });
  }

  /**
   * Writes what belongs to no transition; completes on the event loop, and never once closed. Fails
   * with {@link Registry.RefusedException} when these changes cannot be stored; any other failure
   * ends the term.
   */
  public CompletionStage<Void> write(List<Registry.Change> changes) {
    CompletableFuture<Void> result = new CompletableFuture<>();
    writes
        .apply(changes)
        .whenComplete(
            (unused, failure) -> {
              if (closed) {
                return;
              }
              Throwable cause =
                  failure instanceof CompletionException ? failure.getCause() : failure;
              if (cause == null) {
                result.complete(null);
                return;
              }
              if (cause instanceof Registry.RefusedException) {
                metrics.counter(STORES_REFUSED).add(1);
              } else {
                failures.failed("its registry cannot be written", cause);
              }
              result.completeExceptionally(cause);
            });
    return result;
  }

  @Override
  public void close() {
    closed = true;
    writes.close();
    timers.close();
  }
}
