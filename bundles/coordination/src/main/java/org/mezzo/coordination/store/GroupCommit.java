package org.mezzo.coordination.store;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import org.mezzo.coordination.Registry.Change;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Stores changes on a thread of its own, in the order of the calls; what arrives during one write
 * goes into the next one (rule 167). A failed write ends everything, because later changes may
 * build on it.
 */
public final class GroupCommit {
  /** Bytes of keys and values in one atomic write; ZooKeeper takes packets of 1 MB. */
  public static final int MAX_BYTES = 1_000_000;

  /** Rough cost of a node's path and the operation around it. */
  private static final int OVERHEAD = 300;

  /** Several writes for each agent of the largest cluster may wait. */
  private static final int MAX_WAITING = 200_000;

  private static final Logger LOG = LoggerFactory.getLogger(GroupCommit.class);

  /** Makes a batch durable or throws. */
  @FunctionalInterface
  public interface Store {
    void store(List<Change> changes) throws Exception;
  }

  private final Store store;
  private final Executor events;
  private final Thread thread;
  private final ArrayDeque<Entry<?>> queue = new ArrayDeque<>();

  /** Why nothing is stored any more; null while open. Guarded by the queue. */
  private Throwable closed;

  public GroupCommit(String name, Store store, Executor events) {
    this.store = store;
    this.events = events;
    this.thread = new Thread(this::run, name);
    thread.setDaemon(true);
    thread.setContextClassLoader(GroupCommit.class.getClassLoader());
    thread.start();
  }

  /** Queues an atomic change. */
  public CompletionStage<Void> apply(List<Change> changes) {
    long bytes = 0;
    for (Change change : changes) {
      int value = change.value() == null ? 0 : change.value().length;
      bytes += OVERHEAD + 3L * change.key().length() + value;
      if (value > MAX_BYTES) {
        return CompletableFuture.failedFuture(
            new IllegalArgumentException(
                String.format(
                    "Registry value of %s has %d bytes; at most %d can be stored",
                    change.key(), value, MAX_BYTES)));
      }
    }
    if (bytes > MAX_BYTES + OVERHEAD * 4L && changes.size() > 1) {
      return CompletableFuture.failedFuture(
          new IllegalArgumentException(
              String.format(
                  "%d registry changes have %d bytes; at most %d can be stored at once, split them",
                  changes.size(), bytes, MAX_BYTES)));
    }
    return enqueue(new Entry<>(List.copyOf(changes), bytes, null));
  }

  /** Runs something in order with the writes. */
  public <T> CompletionStage<T> call(Callable<T> task) {
    return enqueue(new Entry<>(null, 0, task));
  }

  /** Fails what waits and all that comes; what is being written may still be stored. */
  public void close(Throwable reason) {
    List<Entry<?>> waiting;
    synchronized (queue) {
      if (closed != null) {
        return;
      }
      closed = reason;
      waiting = new ArrayList<>(queue);
      queue.clear();
      queue.notifyAll();
    }
    waiting.forEach(entry -> finish(entry, reason));
  }

  /** Closes and waits until nothing is being written. */
  public void closeAndJoin(Throwable reason) {
    close(reason);
    try {
      thread.join();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private <T> CompletionStage<T> enqueue(Entry<T> entry) {
    Throwable reason;
    synchronized (queue) {
      reason = closed;
      if (reason == null && queue.size() >= MAX_WAITING) {
        reason =
            new IllegalStateException(
                "Registry is too slow: " + MAX_WAITING + " changes wait to be stored");
      }
      if (reason == null) {
        queue.add(entry);
        queue.notifyAll();
      }
    }
    if (reason != null) {
      finish(entry, reason);
    }
    return entry.result;
  }

  private void run() {
    try {
      while (true) {
        List<Entry<?>> batch = next();
        if (batch.isEmpty()) {
          return;
        }
        process(batch);
      }
    } catch (InterruptedException e) {
      close(e);
    }
  }

  private void process(List<Entry<?>> batch) throws InterruptedException {
    try {
      Entry<?> first = batch.get(0);
      if (first.task != null) {
        first.run();
      } else {
        List<Change> changes = new ArrayList<>();
        batch.forEach(entry -> changes.addAll(entry.changes));
        store.store(changes);
      }
      batch.forEach(entry -> finish(entry, null));
    } catch (InterruptedException e) {
      batch.forEach(entry -> finish(entry, e));
      throw e;
    } catch (Exception e) {
      LOG.error("Registry has failed and takes nothing more in this term: {}", e.toString());
      batch.forEach(entry -> finish(entry, e));
      close(e);
    }
  }

  /** Either one task or as many changes as fit into one write; empty when closed. */
  private List<Entry<?>> next() throws InterruptedException {
    synchronized (queue) {
      while (queue.isEmpty() && closed == null) {
        queue.wait();
      }
      List<Entry<?>> batch = new ArrayList<>();
      long bytes = 0;
      while (!queue.isEmpty()) {
        Entry<?> entry = queue.peek();
        if (!batch.isEmpty() && (entry.task != null || bytes + entry.bytes > MAX_BYTES)) {
          break;
        }
        batch.add(queue.poll());
        bytes += entry.bytes;
        if (entry.task != null) {
          break;
        }
      }
      return batch;
    }
  }

  private <T> void finish(Entry<T> entry, Throwable failure) {
    Runnable event =
        () -> {
          if (failure == null) {
            entry.result.complete(entry.value);
          } else {
            entry.result.completeExceptionally(failure);
          }
        };
    try {
      events.execute(event);
    } catch (RejectedExecutionException e) {
      LOG.debug("The daemon takes no events any more");
    }
  }

  private static final class Entry<T> {
    private final List<Change> changes;
    private final long bytes;
    private final Callable<T> task;
    private final CompletableFuture<T> result = new CompletableFuture<>();
    private T value;

    Entry(List<Change> changes, long bytes, Callable<T> task) {
      this.changes = changes;
      this.bytes = bytes;
      this.task = task;
    }

    void run() throws Exception {
      value = task.call();
    }
  }
}
