package org.apache.mesos.state;

import java.util.Iterator;
import java.util.concurrent.Callable;
import java.util.concurrent.Future;
import java.util.concurrent.FutureTask;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import org.mezzo.driver.entries.Entry;
import org.mezzo.driver.entries.ZooKeeperEntries;

/**
 * A state that is kept somewhere else. What is asked of it is done in its order by one daemon
 * thread; a future that is cancelled is not waited for, whether or not it was done. Thread-safe.
 */
public abstract class AbstractState implements State {
  /** More that wait for their turn fail. */
  private static final int MOST_WAITING = 10_000;

  private final ZooKeeperEntries entries;
  private final ThreadPoolExecutor thread =
      new ThreadPoolExecutor(
          1,
          1,
          0,
          TimeUnit.SECONDS,
          new LinkedBlockingQueue<>(MOST_WAITING),
          work -> {
            Thread made = new Thread(work, "mezzo-driver-state");
            made.setDaemon(true);
            return made;
          });

  AbstractState(ZooKeeperEntries entries) {
    this.entries = entries;
  }

  @Override
  public Future<Variable> fetch(String name) {
    if (name == null || name.isEmpty()) {
      throw new IllegalArgumentException("a variable has to have a name");
    }
    return done(() -> new Variable(entries.get(name).orElseGet(() -> Entry.of(name, new byte[0]))));
  }

  /** Null comes of it when somebody else has changed or removed what was fetched: fetch again. */
  @Override
  public Future<Variable> store(Variable variable) {
    Entry before = variable.kept();
    Entry next = variable.next();
    return done(() -> entries.set(next, before) ? new Variable(next) : null);
  }

  /** False comes of it when there was no such variable, or somebody else has changed it. */
  @Override
  public Future<Boolean> expunge(Variable variable) {
    Entry entry = variable.kept();
    return done(() -> entries.expunge(entry));
  }

  @Override
  public Future<Iterator<String>> names() {
    return done(() -> entries.names().iterator());
  }

  private <T> Future<T> done(Callable<T> work) {
    try {
      return thread.submit(work);
    } catch (RejectedExecutionException e) {
      FutureTask<T> failed =
          new FutureTask<>(
              () -> {
                throw new IllegalStateException(
                    "too many changes of the state wait for ZooKeeper; is it there?");
              });
      failed.run();
      return failed;
    }
  }

  /** Ends it after what waits for its turn. */
  void close() {
    thread.execute(entries::close);
    thread.shutdown();
  }

  /** A state is never closed, it is forgotten. */
  @Override
  @SuppressWarnings({"deprecation", "Finalize"})
  protected void finalize() {
    if (!thread.isShutdown()) {
      close();
    }
  }
}
