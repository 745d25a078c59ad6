package org.mezzo.agent.checks;

import java.time.Duration;
import java.util.function.Consumer;
import org.mezzo.daemon.loop.EventLoop.Timer;

/**
 * The delay, a run, the interval counted from its result, a run, and so on (rule 229). For the
 * event loop only.
 *
 * <table>
 * <caption>States and events; an empty cell: nothing happens</caption>
 * <tr><th></th><th>start</th><th>due</th><th>outcome</th><th>pause</th><th>resume</th>
 *     <th>stop</th></tr>
 * <tr><td>NEW</td><td>WAITS for what is left of the delay, or PAUSED</td><td></td><td></td><td></td><td></td><td>STOPPED</td></tr>
 * <tr><td>WAITS</td><td></td><td>PROBES</td><td></td><td>PAUSED</td><td></td><td>STOPPED</td></tr>
 * <tr><td>PROBES</td><td></td><td></td><td>told; WAITS for the interval. Of a subject that has ended
 *     nothing happens</td><td>PAUSED, the probe is
 *     called off</td><td></td><td>STOPPED, the same</td></tr>
 * <tr><td>PAUSED</td><td></td><td></td><td></td><td></td><td>PROBES, or WAITS for what is left of
 *     the delay</td><td>STOPPED</td></tr>
 * <tr><td>STOPPED</td><td></td><td></td><td></td><td></td><td></td><td></td></tr>
 * </table>
 */
final class Cycle {
  private enum State {
    NEW,
    WAITS,
    PROBES,
    PAUSED,
    STOPPED
  }

  private final CheckHost host;
  private final Subject subject;
  private final Probe probe;
  private final Schedule schedule;
  private final Consumer<Outcome> told;
  private State state = State.NEW;
  private boolean paused;
  private long firstDue;
  private Timer timer = () -> {};
  private Probing probing = Probing.NONE;

  /** Counts the probes, so that the outcome of one that was called off is known as such. */
  private int run;

  /**
   * Nothing begun.
   *
   * @param told each outcome that counts, on the loop; may stop or pause this
   */
  Cycle(CheckHost host, Subject subject, Probe probe, Schedule schedule, Consumer<Outcome> told) {
    this.host = host;
    this.subject = subject;
    this.probe = probe;
    this.schedule = schedule;
    this.told = told;
  }

  /**
   * The task runs; the first time only.
   *
   * @param ran for how long already, in which some other process has looked at it
   */
  void start(Duration ran) {
    if (state == State.NEW) {
      Duration wait = schedule.first(ran);
      firstDue = host.nanoTime().getAsLong() + wait.toNanos();
      if (paused) {
        state = State.PAUSED;
      } else {
        await(wait);
      }
    }
  }

  private void await(Duration wait) {
    state = State.WAITS;
    timer = host.timers().apply(wait, this::due);
  }

  private void due() {
    if (state == State.WAITS) {
      probe();
    }
  }

  private void probe() {
    state = State.PROBES;
    int mine = ++run;
    Probing begun =
        host.prober()
            .probe(
                subject,
                probe,
                schedule.timeout(),
                outcome -> host.loop().execute(() -> outcome(mine, outcome)));
    if (run == mine && state == State.PROBES) {
      probing = begun;
    }
  }

  private void outcome(int of, Outcome outcome) {
    if (of != run || state != State.PROBES) {
      return;
    }
    if (!subject.runs()) {
      // It ends, which is about to be told: what came of this may be for that reason.
      return;
    }
    probing = Probing.NONE;
    await(schedule.interval());
    told.accept(outcome);
  }

  /** Nothing is tried, nor does what is under way count, until {@link #resume}. */
  void pause() {
    paused = true;
    if (state == State.WAITS || state == State.PROBES) {
      end(State.PAUSED);
    }
  }

  /** Goes on: at once, if the first time was due meanwhile. */
  void resume() {
    paused = false;
    if (state != State.PAUSED) {
      return;
    }
    long left = firstDue - host.nanoTime().getAsLong();
    if (left > 0) {
      await(Duration.ofNanos(left));
    } else {
      probe();
    }
  }

  /** For good. */
  void stop() {
    end(State.STOPPED);
  }

  private void end(State next) {
    state = next;
    run++;
    timer.cancel();
    Probing under = probing;
    probing = Probing.NONE;
    under.cancel();
  }
}
