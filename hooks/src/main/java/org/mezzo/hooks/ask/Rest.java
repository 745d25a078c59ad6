package org.mezzo.hooks.ask;

import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.Lock;
import java.util.concurrent.locks.ReentrantLock;

/**
 * How long somebody is left alone who did not answer: a tenth of a second, twice as long each time
 * that it is needed again, half a minute at most. Safe for any thread.
 */
final class Rest {
  private static final long FIRST = TimeUnit.MILLISECONDS.toNanos(100);
  private static final long LONGEST = TimeUnit.SECONDS.toNanos(30);

  private final Lock lock = new ReentrantLock();
  private final Condition ended = lock.newCondition();
  private long length;
  private long began;

  /** It begins now. */
  void needed() {
    lock.lock();
    try {
      length = length == 0 ? FIRST : Math.min(LONGEST, 2 * length);
      began = System.nanoTime();
    } finally {
      lock.unlock();
    }
  }

  /** Whether it lasts. */
  boolean lasts() {
    lock.lock();
    try {
      return left() > 0;
    } finally {
      lock.unlock();
    }
  }

  private long left() {
    return length == 0 ? 0 : length - (System.nanoTime() - began);
  }

  /** It is not needed any more, and the next one is as short as the first. */
  void over() {
    lock.lock();
    try {
      length = 0;
      ended.signalAll();
    } finally {
      lock.unlock();
    }
  }

  /** Waits while it lasts. */
  void await() throws InterruptedException {
    lock.lock();
    try {
      for (long left = left(); left > 0; left = left()) {
        ended.awaitNanos(left);
      }
    } finally {
      lock.unlock();
    }
  }
}
