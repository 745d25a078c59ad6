package org.mezzo.daemon.loop;

import java.time.Duration;
import java.util.Comparator;
import java.util.HashSet;
import java.util.Set;
import java.util.TreeSet;

/**
 * The timers of something that ends before its daemon does. They end with it: {@link #close} takes
 * them out of the loop's queue with all they refer to, and one that has come due but has not had
 * its turn does not run any more. Those that run once share one timer of the loop, that of the
 * earliest, so that there may be one for each of very many things. Safe for any thread.
 */
public final class Timers implements AutoCloseable {
  /** Longer waits end after this, in some centuries. */
  private static final long LONGEST = Long.MAX_VALUE / 2;

  private final EventLoop loop;

  /** Those that run once and are not due yet, the earliest first. */
  private final TreeSet<Once> waiting =
      new TreeSet<>(
          Comparator.<Once>comparingLong(it -> it.due).thenComparingLong(it -> it.number));

  private final Set<Recurring> recurring = new HashSet<>();

  /** What {@link System#nanoTime} was at first: only differences of it can be compared. */
  private final long epoch = System.nanoTime();

  private long numbers;

  /** Due, and given to the loop, which has not run them yet. */
  private int due;

  private EventLoop.Timer alarm = () -> {};
  private boolean alarmed;

  /** For when the alarm is set, if it is. */
  private long alarmedFor;

  private boolean closed;

  /** No timer yet. */
  public Timers(EventLoop loop) {
    this.loop = loop;
  }

  private long now() {
    return System.nanoTime() - epoch;
  }

  private enum Phase {
    WAITING,
    DUE,
    OVER
  }

  private final class Once implements EventLoop.Timer {
    /** By {@link #now}. */
    private final long due;

    private final long number;
    private final Runnable task;
    private Phase phase = Phase.WAITING;

    Once(long due, long number, Runnable task) {
      this.due = due;
      this.number = number;
      this.task = task;
    }

    private void run() {
      synchronized (waiting) {
        if (phase != Phase.DUE || closed) {
          return;
        }
        end();
      }
      task.run();
    }

    /** Within the lock. */
    private void end() {
      if (phase == Phase.WAITING) {
        waiting.remove(this);
      } else if (phase == Phase.DUE) {
        Timers.this.due--;
      }
      phase = Phase.OVER;
    }

    @Override
    public void cancel() {
      synchronized (waiting) {
        end();
        if (waiting.isEmpty()) {
          silence();
        }
      }
    }
  }

  private final class Recurring implements EventLoop.Timer {
    private EventLoop.Timer timer = () -> {};

    @Override
    public void cancel() {
      synchronized (waiting) {
        recurring.remove(this);
        timer.cancel();
      }
    }
  }

  /** As {@link EventLoop#schedule}; ignored once closed. */
  public EventLoop.Timer schedule(Duration delay, Runnable task) {
    synchronized (waiting) {
      Once timer = new Once(now() + Math.min(delay.toNanos(), LONGEST), numbers++, task);
      if (!closed) {
        waiting.add(timer);
        if (waiting.first() == timer) {
          setAlarm();
        }
      }
      return timer;
    }
  }

  /** Has the loop look when the earliest is due. Within the lock. */
  private void setAlarm() {
    long first = waiting.first().due;
    if (alarmed && alarmedFor <= first) {
      // It looks before, and then sets it anew.
      return;
    }
    silence();
    alarmed = true;
    alarmedFor = first;
    alarm = loop.schedule(Duration.ofNanos(Math.max(0, first - now())), this::look);
  }

  private void silence() {
    alarm.cancel();
    alarm = () -> {};
    alarmed = false;
  }

  /** Gives each that is due a turn of its own. */
  private void look() {
    synchronized (waiting) {
      if (closed) {
        return;
      }
      alarmed = false;
      long now = now();
      while (!waiting.isEmpty() && waiting.first().due <= now) {
        Once timer = waiting.pollFirst();
        timer.phase = Phase.DUE;
        due++;
        loop.execute(timer::run);
      }
      if (!waiting.isEmpty()) {
        setAlarm();
      }
    }
  }

  /** As {@link EventLoop#every}; ignored once closed. */
  public EventLoop.Timer every(Duration period, Runnable task) {
    Recurring timer = new Recurring();
    synchronized (waiting) {
      if (!closed) {
        recurring.add(timer);
        timer.timer = loop.every(period, () -> run(timer, task));
      }
    }
    return timer;
  }

  private void run(Recurring timer, Runnable task) {
    synchronized (waiting) {
      if (!recurring.contains(timer)) {
        return;
      }
    }
    task.run();
  }

  /** How many have not run yet. */
  public int size() {
    synchronized (waiting) {
      return waiting.size() + due + recurring.size();
    }
  }

  /** Calls off what has not run. */
  @Override
  public void close() {
    synchronized (waiting) {
      closed = true;
      silence();
      waiting.clear();
      due = 0;
      recurring.forEach(entry -> entry.timer.cancel());
      recurring.clear();
    }
  }
}
