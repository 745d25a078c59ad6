package org.mezzo.containerizer.fetching;

import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ThreadPoolExecutor;
import org.mezzo.containerizer.LaunchException;

/** The URIs of one command on their way into its sandbox. Safe for any thread. */
public final class Fetch {
  /** What is done on a fetching thread. */
  @FunctionalInterface
  interface Work {
    void run() throws LaunchException, InterruptedException;
  }

  private final Runnable task = this::run;
  private final Work work;
  private final ThreadPoolExecutor lane;
  private final CompletableFuture<Void> done = new CompletableFuture<>();
  private Thread thread;
  private boolean cancelled;

  Fetch(Work work, ThreadPoolExecutor lane) {
    this.work = work;
    this.lane = lane;
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
      }
    }
    if (lane.remove(task)) {
      done.completeExceptionally(unwanted(new InterruptedException("It had not begun")));
    }
  }

  private void run() {
    synchronized (this) {
      thread = Thread.currentThread();
      if (cancelled) {
        thread.interrupt();
      }
    }
    LaunchException failure = null;
    try {
      work.run();
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
    }
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
