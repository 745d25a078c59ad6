package org.mezzo.master.rollouts;

import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;

/**
 * The way of the cluster from one generation to the next, a few hosts at a time. Immutable.
 *
 * @param to where it leads
 * @param pace how it goes
 * @param reason why it was stopped, or who has it wait; empty when there is nothing to tell
 * @param touched ids of agents and masters that were told to change, in this order
 * @param inBatch how many of the last of them are the present batch
 * @param since when the present batch or the way back began
 * @param settled since when all of the present batch are well; empty while they are not
 */
public record Rollout(
    Generation to,
    Pace pace,
    State state,
    String reason,
    List<String> touched,
    int inBatch,
    Instant since,
    Optional<Instant> settled) {

  /**
   * How a rollout goes.
   *
   * @param batch how many hosts at a time
   * @param pause how long the hosts of a batch have to be well before the next one begins
   * @param patience how long a host may take, and may be without a link; then it has failed
   * @param moreFailures so many of a hundred tasks more than usual may fail on hosts that were
   *     changed, see {@link FailureRule}; 100 when it does not matter
   */
  public record Pace(int batch, Duration pause, Duration patience, int moreFailures) {
    /** What {@code moreFailures} is where nobody says. */
    public static final int MORE_FAILURES = 10;
  }

  /** How far it is. */
  public enum State {
    /** Hosts are being changed. */
    RUNNING(false),
    /** No further batch begins until somebody resumes it. */
    PAUSED(false),
    /** Hosts that were changed go back. */
    ROLLING_BACK(false),
    /** The cluster has the new generation. */
    DONE(true),
    /** The cluster has the generation that it had before. */
    ROLLED_BACK(true);

    private final boolean over;

    State(boolean over) {
      this.over = over;
    }

    /** Whether nothing more happens. */
    public boolean over() {
      return over;
    }
  }

  public Rollout {
    touched = List.copyOf(touched);
  }

  /** One that has touched nothing. */
  static Rollout begin(Generation to, Pace pace, Instant now) {
    return new Rollout(to, pace, State.RUNNING, "", List.of(), 0, now, Optional.empty());
  }

  /** Whether agents that were touched are to have the new generation. */
  boolean forward() {
    return state == State.RUNNING || state == State.PAUSED;
  }

  Rollout paused(String by) {
    return with(State.PAUSED, "paused by " + by);
  }

  Rollout resumed() {
    return with(State.RUNNING, "");
  }

  private Rollout with(State next, String why) {
    return new Rollout(to, pace, next, why, touched, inBatch, since, settled);
  }

  Rollout goingBack(String why, Instant now) {
    return new Rollout(to, pace, State.ROLLING_BACK, why, touched, inBatch, now, Optional.empty());
  }

  Rollout ended(State end, String why) {
    return new Rollout(to, pace, end, why, touched, 0, since, Optional.empty());
  }

  Rollout settled(Optional<Instant> when) {
    return new Rollout(to, pace, state, reason, touched, inBatch, since, when);
  }

  Rollout nextBatch(List<String> all, int more, Instant now) {
    return new Rollout(to, pace, state, reason, all, more, now, Optional.empty());
  }

  /** The agents of the present batch. */
  List<String> batchNow() {
    return touched.subList(touched.size() - inBatch, touched.size());
  }
}
