package org.mezzo.containerizer.fetching;

import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.atomic.AtomicInteger;
import org.mezzo.containerizer.LaunchException;

/**
 * The URIs of one command on their way into its sandbox. While it waits for what somebody else
 * downloads it has no thread. Safe for any thread.
 */
public final class Fetch {
  /** What is done on a fetching thread. */
  interface Work {
    /**
     * Goes on as far as it gets.
     *
     * @return what to wait for before this is called again; empty when everything is done
     */
    Optional<CompletionStage<?>> run() throws LaunchException, InterruptedException;

    /** Gives back what it holds; called once, never beside {@link #run}, which does not follow. */
    void close();
  }

  private enum State {
    QUEUED,
    RUNNING,
    WAITING,
    ENDED
  }

  private final Runnable task = this::run;
  private final Work work;
  private final ThreadPoolExecutor lane;
  private final AtomicInteger waiting;
  private final CompletableFuture<Void> done = new CompletableFuture<>();
  private State state = State.QUEUED;
  private Thread thread;
  private boolean cancelled;

  /**
   * @param waiting counts those that wait for somebody else
   */
  Fetch(Work work, ThreadPoolExecutor lane, AtomicInteger waiting) {
    this.work = work;
    this.lane = lane;
    this.waiting = waiting;
  }

  void begin() {
    lane.execute(task);
  }

  /**
   * Completes when everything is in the sandbox, or with a {@link LaunchException}, whose cause is
   * an {@link InterruptedException} if the fetch was cancelled. Nothing of the fetch writes into
   * the sandbox afterwards.
   */
  public CompletionStage<Void> done() {
    return done;
  }

  /** Stops the fetch, and all that works for it, wherever it is; once it is done, nothing. */
  public void cancel() {
    synchronized (this) {
      cancelled = true;
      if (thread != null) {
        thread.interrupt();
        return;
      }
      if (state == State.WAITING) {
        waiting.decrementAndGet();
      } else if (state == State.ENDED || !lane.remove(task)) {
        return;
      }
      state = State.ENDED;
    }
    end(unwanted(new InterruptedException("It was not at work")));
  }

  private void run() {
    synchronized (this) {
      state = State.RUNNING;
      thread = Thread.currentThread();
      if (cancelled) {
        thread.interrupt();
      }
    }
    Optional<CompletionStage<?>> next = Optional.empty();
    LaunchException failure = null;
    try {
      next = work.run();
    } catch (LaunchException e) {
      failure = e;
    } catch (InterruptedException e) {
      failure = unwanted(e);
    } catch (RuntimeException e) {
      failure = new LaunchException("Fetching the URIs of the command failed: " + e, e);
    }
    synchronized (this) {
      thread = null;
      Thread.interrupted();
      if (next.isPresent() && cancelled) {
        next = Optional.empty();
        failure = unwanted(new InterruptedException("It was about to wait"));
      }
      state = next.isPresent() ? State.WAITING : State.ENDED;
      if (next.isPresent()) {
        waiting.incrementAndGet();
      }
    }
    if (next.isPresent()) {
      next.get().whenComplete((nothing, problem) -> goOn());
    } else {
      end(failure);
    }
  }

  private void goOn() {
    synchronized (this) {
      if (state != State.WAITING) {
        return;
      }
      waiting.decrementAndGet();
      state = State.QUEUED;
      try {
        lane.execute(task);
        return;
      } catch (RejectedExecutionException e) {
        state = State.ENDED;
      }
    }
    end(new LaunchException("Too many fetches are waiting on this agent"));
  }

  private void end(LaunchException failure) {
    work.close();
    if (failure == null) {
      done.complete(null);
    } else {
      done.completeExceptionally(failure);
    }
  }

  private static LaunchException unwanted(InterruptedException cause) {
    return new LaunchException("The container was destroyed while its URIs were fetched", cause);
  }
}
