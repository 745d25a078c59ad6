package org.mezzo.coordination.store;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import org.mezzo.coordination.Registry;
import org.mezzo.coordination.Registry.Change;
import org.mezzo.coordination.Registry.RefusedException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Stores changes on a thread of its own, in the order of the calls; what arrives during one write
 * goes into the next one (rule 167), as far as that stays below what one write may hold. Changes
 * that are refused for what they contain fail alone; any other failed write ends everything,
 * because nobody knows what is stored.
 */
public final class GroupCommit {
  /**
   * Bytes of one atomic write. ZooKeeper takes packets of 1,048,575 bytes ({@code jute.maxbuffer});
   * the rest is for what servers add when they pass it on.
   */
  public static final int MAX_BYTES = 1_020_000;

  /** Several writes for each agent of the largest cluster may wait. */
  private static final int MAX_WAITING = 200_000;

  private static final Logger LOG = LoggerFactory.getLogger(GroupCommit.class);

  /** Where changes become durable. */
  public interface Store {
    /**
     * Makes a batch durable as a whole; on the committing thread.
     *
     * @throws RefusedException when the batch cannot be stored for what it contains, and nothing of
     *     it is
     * @throws Exception when nothing can be stored any more
     */
    void store(List<Change> changes) throws Exception;

    /**
     * Bytes that a change takes at most in a write, with all that goes with it. Safe for any
     * thread.
     */
    long bytes(Change change);
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
    String problem = null;
    for (Change change : changes) {
      bytes += store.bytes(change);
      int value = change.value() == null ? 0 : change.value().length;
      if (value > Registry.MAX_VALUE_BYTES) {
        problem =
            String.format(
                "Registry value of %s has %d bytes; at most %d can be stored",
                change.key(), value, Registry.MAX_VALUE_BYTES);
      }
    }
    if (problem == null && bytes > MAX_BYTES) {
      problem =
          String.format(
              "%d registry changes need %d bytes; at most %d can be stored at once",
              changes.size(), bytes, MAX_BYTES);
    }
    if (problem != null) {
      Entry<Void> refused = new Entry<>(List.of(), 0, null);
      finish(refused, new RefusedException(problem));
      return refused.result;
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
            new RefusedException(
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

  private void process(List<Entry<?>> batch) {
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
    } catch (RefusedException e) {
      refused(batch, e);
    } catch (Throwable e) {
      LOG.error("Registry has failed and takes nothing more in this term: {}", e.toString());
      batch.forEach(entry -> finish(entry, e));
      close(e);
    }
  }

  /** Finds the entries that are to blame; the others are stored. */
  private void refused(List<Entry<?>> batch, RefusedException reason) {
    if (batch.size() == 1) {
      LOG.warn("Registry refused a write and goes on: {}", reason.getMessage());
      finish(batch.get(0), reason);
      return;
    }
    int half = batch.size() / 2;
    for (List<Entry<?>> part : List.of(batch.subList(0, half), batch.subList(half, batch.size()))) {
      Throwable over = closed();
      if (over == null) {
        process(part);
      } else {
        part.forEach(entry -> finish(entry, over));
      }
    }
  }

  private Throwable closed() {
    synchronized (queue) {
      return closed;
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
