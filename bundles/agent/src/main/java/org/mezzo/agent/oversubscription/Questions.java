package org.mezzo.agent.oversubscription;

import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Executor;
import java.util.function.BiFunction;
import java.util.function.Supplier;
import org.mezzo.api.Module;
import org.mezzo.daemon.loop.EventLoop.Timer;
import org.mezzo.modules.DaemonModules;
import org.mezzo.modules.Kind;
import org.mezzo.modules.LeaseListener;
import org.mezzo.modules.ModuleDescription;
import org.mezzo.modules.ModuleLease;
import org.mezzo.protocol.v1.ResourceUsage;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Asks a module the same again and again, about what runs: one question at a time, an interval
 * after the answer before, and at once when another instance holds the lease. For the event loop
 * only, but for {@link #close}.
 *
 * @param <M> the kind of module
 * @param <A> what it answers
 */
final class Questions<M extends Module, A> implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(Questions.class);

  /**
   * What is needed to ask.
   *
   * @param modules of the agent
   * @param loop where everything here is called
   * @param timers runs something on the loop later
   * @param samples looks at what runs
   */
  record Surroundings(
      DaemonModules modules,
      Executor loop,
      BiFunction<Duration, Runnable, Timer> timers,
      Supplier<CompletionStage<UsageSample>> samples) {}

  /** A question; on a thread of the lease. What it throws unchecked is a fault of the module. */
  @FunctionalInterface
  interface Question<M, A> {
    A put(M module, ResourceUsage usage) throws Exception;
  }

  /** Who hears answers. */
  interface Listener<A> {
    /** An answer to a question about that. */
    void answered(A answer, UsageSample about);

    /** Nobody is there to be asked; told once for each interval as long as that is so. */
    void nobody();
  }

  private final Surroundings around;
  private final Kind<M> kind;
  private final String operation;
  private final Duration interval;
  private final Question<M, A> question;
  private final Listener<A> listener;
  private volatile Optional<ModuleLease<M>> lease = Optional.empty();
  private volatile Timer next = () -> {};
  private boolean asking;
  private boolean again;
  private boolean started;
  private volatile boolean closed;

  Questions(
      Surroundings around,
      Kind<M> kind,
      String operation,
      Duration interval,
      Question<M, A> question,
      Listener<A> listener) {
    this.around = around;
    this.kind = kind;
    this.operation = operation;
    this.interval = interval;
    this.question = question;
    this.listener = listener;
  }

  /** Selects whom to ask from now on, from when it has opened; empty for nobody. */
  synchronized void select(Optional<String> name) {
    if (closed) {
      return;
    }
    if (name.isEmpty()) {
      lease.ifPresent(ModuleLease::close);
      lease = Optional.empty();
      ask();
    } else if (lease.isPresent()) {
      lease.get().select(name.get());
    } else {
      lease =
          Optional.of(
              around
                  .modules()
                  .leases()
                  .lease(
                      around.modules().request(kind, name.get(), around.loop()).heardBy(holder())));
    }
  }

  private LeaseListener holder() {
    return new LeaseListener() {
      @Override
      public void acquired(long epoch, ModuleDescription module) {
        ask();
      }

      @Override
      public void lost(long epoch, ModuleDescription module, String reason) {
        if (!held()) {
          ask();
        }
      }
    };
  }

  private boolean held() {
    return lease.isPresent() && lease.get().epoch() != 0;
  }

  /** Begins to ask. */
  void start() {
    started = true;
    ask();
  }

  /** Asks now, or once the answer that is awaited has come. */
  private void ask() {
    if (!started || closed) {
      return;
    }
    if (asking) {
      again = true;
      return;
    }
    next.cancel();
    if (!held()) {
      listener.nobody();
      next = around.timers().apply(interval, this::ask);
      return;
    }
    asking = true;
    ModuleLease<M> asked = lease.get();
    sample()
        .whenCompleteAsync(
            (sample, failure) -> {
              if (failure != null || closed) {
                over(failure);
              } else {
                put(asked, sample);
              }
            },
            around.loop());
  }

  private CompletionStage<UsageSample> sample() {
    try {
      return around.samples().get();
    } catch (RuntimeException e) {
      return CompletableFuture.failedStage(e);
    }
  }

  private void put(ModuleLease<M> asked, UsageSample about) {
    asked
        .ask(operation, module -> question.put(module, about.usage()))
        .whenComplete(
            (answer, failure) -> {
              if (failure == null && !closed && lease.isPresent() && lease.get() == asked) {
                listener.answered(answer, about);
              }
              over(failure);
            });
  }

  private void over(Throwable failure) {
    asking = false;
    if (failure != null) {
      // Why a module failed stands in the log already, by its lease.
      LOG.debug("No answer from a {} to '{}'", kind.name(), operation, failure);
    }
    if (again) {
      again = false;
      ask();
    } else if (!closed) {
      next = around.timers().apply(interval, this::ask);
    }
  }

  @Override
  public synchronized void close() {
    closed = true;
    next.cancel();
    lease.ifPresent(ModuleLease::close);
    lease = Optional.empty();
  }
}
