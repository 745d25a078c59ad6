package org.mezzo.daemon.loop;

import java.time.Duration;
import java.util.HashSet;
import java.util.Set;

/**
 * The timers of something that ends before its daemon does. They end with it: {@link #close} takes
 * them out of the loop's queue with all they refer to, and one that has come due but has not had
 * its turn does not run any more. Safe for any thread.
 */
public final class Timers implements AutoCloseable {
  private final EventLoop loop;
  private final Set<Entry> pending = new HashSet<>();
  private boolean closed;

  /** No timer yet. */
  public Timers(EventLoop loop) {
    this.loop = loop;
  }

  private final class Entry implements EventLoop.Timer {
    private final boolean once;
    private final Runnable task;
    private EventLoop.Timer timer = () -> {};

    Entry(boolean once, Runnable task) {
      this.once = once;
      this.task = task;
    }

    private void run() {
      synchronized (pending) {
        if (once ? !pending.remove(this) : !pending.contains(this)) {
          return;
        }
      }
      task.run();
    }

    @Override
    public void cancel() {
      synchronized (pending) {
        pending.remove(this);
        timer.cancel();
      }
    }
  }

  /** As {@link EventLoop#schedule}; ignored once closed. */
  public EventLoop.Timer schedule(Duration delay, Runnable task) {
    Entry entry = new Entry(true, task);
    synchronized (pending) {
      if (!closed) {
        pending.add(entry);
        entry.timer = loop.schedule(delay, entry::run);
      }
    }
    return entry;
  }

  /** As {@link EventLoop#every}; ignored once closed. */
  public EventLoop.Timer every(Duration period, Runnable task) {
    Entry entry = new Entry(false, task);
    synchronized (pending) {
      if (!closed) {
        pending.add(entry);
        entry.timer = loop.every(period, entry::run);
      }
    }
    return entry;
  }

  /** How many have not run yet. */
  public int size() {
    synchronized (pending) {
      return pending.size();
    }
  }

  /** Calls off what has not run. */
  @Override
  public void close() {
    synchronized (pending) {
      closed = true;
      pending.forEach(entry -> entry.timer.cancel());
      pending.clear();
    }
  }
}
