package org.mezzo.agent.tasks;

import java.time.Duration;
import java.util.function.BiFunction;
import org.mezzo.daemon.loop.EventLoop.Timer;

/**
 * How anything here is ended: it is asked to, and made to once its grace is over. Who asks again
 * can only shorten the grace, counted from the first time (rules 121, 201, 202). For the event loop
 * only.
 */
final class Ending {
  private final BiFunction<Duration, Runnable, Timer> timers;
  private final Runnable ask;
  private final Runnable force;
  private Duration grace = Duration.ZERO;
  private long began;
  private boolean begun;
  private Timer timer = () -> {};

  /**
   * Nothing is asked yet.
   *
   * @param timers runs something on the loop later
   * @param ask asks it to end
   * @param force makes it end; not called any more after {@link #over}
   */
  Ending(BiFunction<Duration, Runnable, Timer> timers, Runnable ask, Runnable force) {
    this.timers = timers;
    this.ask = ask;
    this.force = force;
  }

  /** Asks, or shortens the grace of what was asked before. */
  void within(Duration wanted) {
    if (!begun) {
      begun = true;
      grace = wanted;
      began = System.nanoTime();
      ask.run();
      arm(grace);
    } else if (wanted.compareTo(grace) < 0) {
      grace = wanted;
      Duration rest = wanted.minus(Duration.ofNanos(System.nanoTime() - began));
      arm(rest.isNegative() ? Duration.ZERO : rest);
    }
  }

  private void arm(Duration wait) {
    timer.cancel();
    timer = timers.apply(wait, force);
  }

  /** It has ended. */
  void over() {
    begun = true;
    grace = Duration.ZERO;
    timer.cancel();
  }
}
