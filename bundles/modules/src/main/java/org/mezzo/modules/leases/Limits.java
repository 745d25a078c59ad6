package org.mezzo.modules.leases;

import java.time.Duration;
import java.util.Optional;
import java.util.function.Consumer;
import org.mezzo.modules.Kind.Breaker;

/**
 * How patient leases of a host are, whatever the kind.
 *
 * @param abandonedThreads so many threads may be stuck in modules at a time before modules that
 *     have failed are not tried again
 * @param threads so many calls of all leases may run at a time; more wait for a thread
 * @param openDeadline for creating and opening an instance, with its rehearsal if it has to
 * @param closeDeadline for closing and releasing an instance
 * @param cancelGrace how long a call that nobody wants any more may take to notice
 * @param useLimit how long something done with what a module has lent may take at least before the
 *     thread is given up; twice as long at most
 * @param healthInterval how long after an answer a module is asked again how it is
 * @param healthDeadline how long it may take to say so
 * @param reopening instead of what breakers of kinds say: first and longest
 */
public record Limits(
    int abandonedThreads,
    int threads,
    Duration openDeadline,
    Duration closeDeadline,
    Duration cancelGrace,
    Duration useLimit,
    Duration healthInterval,
    Duration healthDeadline,
    Optional<Reopening> reopening) {

  /** How long a module that failed is left alone: the first time, doubling to the last. */
  record Reopening(Duration first, Duration last) {}

  /** What a host uses. */
  public static final Limits DEFAULT =
      new Limits(
          16,
          512,
          Duration.ofSeconds(30),
          Duration.ofSeconds(10),
          Duration.ofSeconds(10),
          Duration.ofSeconds(2),
          Duration.ofSeconds(10),
          Duration.ofSeconds(5),
          Optional.empty());

  /** The same with other backoffs, for every kind. */
  public Limits withBackoff(Duration first, Duration last) {
    return with(draft -> draft.reopening = Optional.of(new Reopening(first, last)));
  }

  /** The same with another bound of abandoned threads. */
  public Limits withAbandonedThreads(int most) {
    return with(draft -> draft.abandonedThreads = most);
  }

  /** The same with other deadlines for opening and closing. */
  public Limits withDeadlines(Duration open, Duration close) {
    return with(
        draft -> {
          draft.openDeadline = open;
          draft.closeDeadline = close;
        });
  }

  /** The same with another patience with calls that nobody wants any more. */
  public Limits withCancelGrace(Duration grace) {
    return with(draft -> draft.cancelGrace = grace);
  }

  /** The same with other times for questions about health. */
  public Limits withHealth(Duration interval, Duration deadline) {
    return with(
        draft -> {
          draft.healthInterval = interval;
          draft.healthDeadline = deadline;
        });
  }

  /** A copy to change, so that each change names only what it is about. */
  private static final class Draft {
    private int abandonedThreads;
    private final int threads;
    private Duration openDeadline;
    private Duration closeDeadline;
    private Duration cancelGrace;
    private final Duration useLimit;
    private Duration healthInterval;
    private Duration healthDeadline;
    private Optional<Reopening> reopening;

    Draft(Limits from) {
      abandonedThreads = from.abandonedThreads;
      threads = from.threads;
      openDeadline = from.openDeadline;
      closeDeadline = from.closeDeadline;
      cancelGrace = from.cancelGrace;
      useLimit = from.useLimit;
      healthInterval = from.healthInterval;
      healthDeadline = from.healthDeadline;
      reopening = from.reopening;
    }
  }

  private Limits with(Consumer<Draft> change) {
    Draft draft = new Draft(this);
    change.accept(draft);
    return new Limits(
        draft.abandonedThreads,
        draft.threads,
        draft.openDeadline,
        draft.closeDeadline,
        draft.cancelGrace,
        draft.useLimit,
        draft.healthInterval,
        draft.healthDeadline,
        draft.reopening);
  }

  /** A breaker of a kind, as this host has it. */
  Breaker apply(Breaker breaker) {
    return reopening
        .map(
            it ->
                new Breaker(
                    breaker.calls(), breaker.share(), breaker.window(), it.first(), it.last()))
        .orElse(breaker);
  }
}
