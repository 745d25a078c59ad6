package org.mezzo.modules;

import java.time.Duration;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import org.mezzo.api.DaemonContext.Role;
import org.mezzo.api.Module;

/**
 * One kind of modules as data: everything that leases do differently for it. The kinds that exist
 * are the rows of {@link Kinds}.
 *
 * @param type the SPI interface
 * @param name the value of {@code mezzo.module.kind}
 * @param flags the flag that selects a module, by the role of the daemon; none where modules are
 *     selected by what they serve
 * @param order whether calls follow each other
 * @param atOnce how many calls of one lease may be under way; 1 where they follow each other
 * @param queue how many more may wait; beyond it a call is refused as {@code OVERLOADED}
 * @param deadline of a call from the moment it begins to its result, a returned stage included;
 *     empty where the caller watches progress instead
 * @param stall where there is no deadline: what limits how long a call may make no progress, as the
 *     documentation says it
 * @param handover how long a successor waits for calls that the old instance has begun; past it
 *     they are interrupted and their callers told
 * @param breaker when failing calls cost an instance its lease
 * @param cardinality whether a daemon has one module of the kind or several
 * @param absence what the daemon does without a module
 * @param moving how work in flight gets from an instance to its successor
 */
public record Kind<M extends Module>(
    Class<M> type,
    String name,
    Map<Role, String> flags,
    Order order,
    int atOnce,
    int queue,
    Optional<Duration> deadline,
    Optional<String> stall,
    Duration handover,
    Breaker breaker,
    Cardinality cardinality,
    Absence absence,
    Moving moving) {

  /** Whether calls follow each other. */
  public enum Order {
    /** The next call begins after the one before, its stage included, has ended. */
    SERIAL,
    /** Several calls at a time; one that is slow stops no other. */
    PARALLEL
  }

  /** How many modules of the kind a daemon uses. */
  public enum Cardinality {
    ONE("one"),
    MANY("several");

    private final String text;

    Cardinality(String text) {
      this.text = text;
    }

    /** As the documentation says it. */
    public String text() {
      return text;
    }
  }

  /** What a daemon does without a module that it wants. */
  public enum Absence {
    /** No new offers are made; everything else goes on. */
    NO_OFFERS("no new offers"),
    /** Launches fail. */
    LAUNCH_FAILS("launches fail"),
    /** It is passed over. */
    SKIPPED("it is skipped"),
    /** What it would have to serve fails. */
    TASK_FAILS("tasks that need it fail"),
    /** The request is refused with 503. */
    UNAVAILABLE("503"),
    /** The request is refused as not allowed. */
    FORBIDDEN("refused"),
    /** No more is lent than is in use already. */
    NOTHING_LENT("nothing more is lent"),
    /** What runs on lent resources goes on. */
    NOTHING_PREEMPTED("nothing is preempted"),
    /** What is known of the health of tasks stays. */
    HEALTH_STAYS("what is known of health stays"),
    /** The leader that is known stays the leader. */
    LEADER_STAYS("the last known leader stays"),
    /** The master does not stand for election. */
    NO_LEADERSHIP("the master does not lead"),
    /** The link that is there stays; none is opened. */
    NO_NEW_LINK("no new link to a master"),
    /** The daemon needs nothing of it. */
    UNNOTICED("the daemon does not notice");

    private final String text;

    Absence(String text) {
      this.text = text;
    }

    /** As the documentation says it. */
    public String text() {
      return text;
    }
  }

  /** How work in flight gets from an instance to its successor. */
  public enum Moving {
    /**
     * New calls are held, begun ones end on the old instance, the successor takes over the state,
     * and the held calls go to it; to the old one when it cannot take over.
     */
    HELD("held for the successor"),
    /** As {@link #HELD}, but the successor is told everything anew, which voids what was held. */
    TOLD_ANEW("ended, the rest told anew"),
    /** New calls go to the successor at once, begun ones end on the old instance beside it. */
    BESIDE("ends beside the successor");

    private final String text;

    Moving(String text) {
      this.text = text;
    }

    /** As the documentation says it. */
    public String text() {
      return text;
    }
  }

  /**
   * When failing calls cost an instance its lease. Failing are calls that threw something
   * unchecked, gave null or were late.
   *
   * @param calls so many of the last calls are looked at, and no fewer
   * @param share the part of them, above 0 and up to 1, that must have failed
   * @param window calls older than this are not looked at
   * @param firstReopening how long a module that failed is left alone the first time; doubles
   * @param lastReopening the longest that it is left alone
   */
  public record Breaker(
      int calls, double share, Duration window, Duration firstReopening, Duration lastReopening) {
    public Breaker {
      if (calls < 1 || !(share > 0 && share <= 1)) {
        throw new IllegalArgumentException(
            "a breaker looks at 1 or more calls and opens at a share above 0 and up to 1, not at "
                + calls
                + " and "
                + share);
      }
    }

    /** Five in a row. */
    public static final Breaker SERIAL =
        new Breaker(5, 1, Duration.ofDays(1), Duration.ofSeconds(1), Duration.ofSeconds(60));

    /** Half of twenty within a minute. */
    public static final Breaker PARALLEL =
        new Breaker(20, 0.5, Duration.ofMinutes(1), Duration.ofSeconds(1), Duration.ofSeconds(60));

    /** How long a module that has failed so many times is left alone. */
    public Duration reopening(int strikes) {
      Duration wait = firstReopening;
      for (int i = 1; i < strikes && wait.compareTo(lastReopening) < 0; i++) {
        wait = wait.multipliedBy(2);
      }
      return wait.compareTo(lastReopening) < 0 ? wait : lastReopening;
    }
  }

  public Kind {
    Objects.requireNonNull(type, "type");
    Objects.requireNonNull(name, "name");
    flags = Map.copyOf(flags);
    if (atOnce < 1 || order == Order.SERIAL && atOnce != 1) {
      throw new IllegalArgumentException(
          "calls at once must be 1 for a serial kind and at least 1 for others, but are " + atOnce);
    }
    if ((order == Order.PARALLEL) != (moving == Moving.BESIDE)) {
      throw new IllegalArgumentException("Parallel kinds, and only they, drain beside a successor");
    }
  }

  /** A kind whose calls follow each other, with usual bounds. */
  public static <M extends Module> Kind<M> serial(Class<M> type, String name) {
    return new Kind<>(
        type,
        name,
        Map.of(),
        Order.SERIAL,
        1,
        100_000,
        Optional.of(Duration.ofSeconds(10)),
        Optional.empty(),
        Duration.ofSeconds(10),
        Breaker.SERIAL,
        Cardinality.MANY,
        Absence.SKIPPED,
        Moving.HELD);
  }

  /** A kind of which several calls run at a time, with usual bounds. */
  public static <M extends Module> Kind<M> parallel(Class<M> type, String name, int atOnce) {
    return new Kind<>(
        type,
        name,
        Map.of(),
        Order.PARALLEL,
        atOnce,
        10_000,
        Optional.of(Duration.ofSeconds(5)),
        Optional.empty(),
        Duration.ofSeconds(10),
        Breaker.PARALLEL,
        Cardinality.MANY,
        Absence.SKIPPED,
        Moving.BESIDE);
  }

  /** The same, selected by that flag of that role. */
  public Kind<M> selectedBy(Role role, String flag) {
    Map<Role, String> more = new java.util.EnumMap<>(Role.class);
    more.putAll(flags);
    more.put(role, flag);
    return new Kind<>(
        type,
        name,
        more,
        order,
        atOnce,
        queue,
        deadline,
        stall,
        handover,
        breaker,
        cardinality,
        absence,
        moving);
  }

  /** The same with another deadline and another limit of the handover. */
  public Kind<M> within(Optional<Duration> newDeadline, Duration newHandover) {
    return new Kind<>(
        type,
        name,
        flags,
        order,
        atOnce,
        queue,
        newDeadline,
        Optional.empty(),
        newHandover,
        breaker,
        cardinality,
        absence,
        moving);
  }

  /** The same without a deadline, where callers take back what makes no progress. */
  public Kind<M> stalling(String limit, Duration newHandover) {
    return new Kind<>(
        type,
        name,
        flags,
        order,
        atOnce,
        queue,
        Optional.empty(),
        Optional.of(limit),
        newHandover,
        breaker,
        cardinality,
        absence,
        moving);
  }

  /** The same with another bound of calls that wait. */
  public Kind<M> queueing(int calls) {
    return new Kind<>(
        type,
        name,
        flags,
        order,
        atOnce,
        calls,
        deadline,
        stall,
        handover,
        breaker,
        cardinality,
        absence,
        moving);
  }

  /** The same with another breaker. */
  public Kind<M> breaking(Breaker other) {
    return new Kind<>(
        type,
        name,
        flags,
        order,
        atOnce,
        queue,
        deadline,
        stall,
        handover,
        other,
        cardinality,
        absence,
        moving);
  }

  /** The same for so many modules, of which one that is missing means this. */
  public Kind<M> wanted(Cardinality number, Absence missing) {
    return new Kind<>(
        type, name, flags, order, atOnce, queue, deadline, stall, handover, breaker, number,
        missing, moving);
  }

  /** The same, work in flight moving that way. */
  public Kind<M> moved(Moving other) {
    return new Kind<>(
        type,
        name,
        flags,
        order,
        atOnce,
        queue,
        deadline,
        stall,
        handover,
        breaker,
        cardinality,
        absence,
        other);
  }

  /** Whether its modules keep somebody out, so that a daemon without one must not be open. */
  public boolean guards() {
    return absence == Absence.UNAVAILABLE || absence == Absence.FORBIDDEN;
  }

  /**
   * Whether a running daemon can be told to use none. Whom nobody guards, everybody enters: that
   * takes a restart with other flags. Without an allocator, a detector, a contender or an
   * authenticatee a daemon is of no use.
   */
  public boolean isDispensable() {
    return !guards()
        && !Set.of(
                Absence.NO_OFFERS, Absence.LEADER_STAYS, Absence.NO_LEADERSHIP, Absence.NO_NEW_LINK)
            .contains(absence);
  }

  /** Whether instances answer one call after the other. */
  public boolean isSerial() {
    return order == Order.SERIAL;
  }
}
