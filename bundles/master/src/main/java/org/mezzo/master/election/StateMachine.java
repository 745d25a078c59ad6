package org.mezzo.master.election;

import java.time.Clock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import org.mezzo.daemon.loop.EventLoop;
import org.mezzo.daemon.loop.Timers;
import org.mezzo.daemon.metrics.MetricsRegistry;
import org.mezzo.master.state.MasterState;
import org.mezzo.master.state.StateListener;
import org.mezzo.master.transitions.Effect;
import org.mezzo.master.transitions.Rehearsal;
import org.mezzo.master.transitions.Settings;
import org.mezzo.master.transitions.Step;
import org.mezzo.master.transitions.Transition;

/**
 * The state of one term and the one way to change it: runs steps as transitions, publishes the root
 * that they leave, and then has their effects carried out. Belongs to the event loop, but for what
 * says otherwise.
 */
public final class StateMachine implements AutoCloseable {
  private record Follower(StateListener listener, Runnable ended) {}

  private final EventLoop loop;
  private final Clock clock;
  private final MetricsRegistry metrics;
  private final Settings settings;
  private final List<Follower> followers = new ArrayList<>();
  private final Timers timers;
  private final Map<String, EventLoop.Timer> named = new HashMap<>();
  private Effect.Handler effects;
  private volatile MasterState state;
  private volatile boolean recovered;
  private volatile boolean closed;

  /**
   * Runs nothing before {@link #carryOut}.
   *
   * @param clock by which transitions happen
   * @param metrics with the counters of transitions
   * @param begin the root before anything is known
   */
  public StateMachine(
      EventLoop loop, Clock clock, MetricsRegistry metrics, Settings settings, MasterState begin) {
    this.loop = loop;
    this.clock = clock;
    this.metrics = metrics;
    this.settings = settings;
    this.state = begin;
    this.timers = new Timers(loop);
  }

  /** Says who carries out what transitions want done; to be called once, before anything runs. */
  void carryOut(Effect.Handler handler) {
    effects = handler;
  }

  /** The root as it was published last. Safe for any thread. */
  public MasterState state() {
    return state;
  }

  /** The flags that shape transitions. Safe for any thread. */
  public Settings settings() {
    return settings;
  }

  /** Whether the root holds what the registry knew, and the term is not over. Any thread. */
  boolean serving() {
    return recovered && !closed;
  }

  /** Begins with what the registry knew; nobody follows yet. */
  void recovered(MasterState root) {
    state = root;
    recovered = true;
  }

  /** Runs a step, publishes the state and has the effects carried out. Ignored once closed. */
  public void run(Step step) {
    if (closed) {
      return;
    }
    MasterState before = state;
    Transition tx = new Transition(before, clock.instant(), settings);
    step.apply(tx);
    assert Rehearsal.repeats(step, tx);
    MasterState after = tx.state();
    if (after != before) {
      state = after;
      for (Follower follower : followers) {
        follower.listener().published(before, after, tx.happenings());
      }
    }
    tx.effects().forEach(effect -> effect.accept(effects));
  }

  /** Runs a step in a turn of its own. Safe for any thread. */
  void runNext(Step step) {
    loop.execute(() -> run(step));
  }

  /**
   * Runs a step later, unless it is called off.
   *
   * @param name of the timer, which replaces an earlier one of the same name
   */
  void runAfter(String name, Duration delay, Step step) {
    callOff(name);
    named.put(
        name,
        timers.schedule(
            delay,
            () -> {
              named.remove(name);
              run(step);
            }));
  }

  /** Calls off a timer, if there is one. */
  void callOff(String name) {
    EventLoop.Timer timer = named.remove(name);
    if (timer != null) {
      timer.cancel();
    }
  }

  /** Adds to a counter. */
  void count(String metric, long by) {
    metrics.counter(metric).add(by);
  }

  /** Follows every root that is published from now on, as long as the term lasts. */
  void follow(StateListener listener) {
    followers.add(new Follower(listener, () -> {}));
  }

  /**
   * Follows the roots, if there is one to begin with: not before the registry was read.
   *
   * @param begin is given the present root; the first call of the listener follows it
   * @param ended run when the term ends before the following does, or there is no root
   * @return ends the following; safe for any thread
   */
  AutoCloseable follow(Consumer<MasterState> begin, StateListener listener, Runnable ended) {
    if (!serving()) {
      ended.run();
      return () -> {};
    }
    Follower follower = new Follower(listener, ended);
    followers.add(follower);
    begin.accept(state);
    return () -> loop.execute(() -> followers.remove(follower));
  }

  /** Runs nothing any more, and lets go of the state but for the numbers of ids. */
  @Override
  public void close() {
    if (closed) {
      return;
    }
    closed = true;
    timers.close();
    named.clear();
    followers.forEach(follower -> follower.ended().run());
    followers.clear();
    // Connections that are still closing may know the term; the cluster's past is not theirs.
    state = MasterState.begin(state.self(), state.elected(), state.limits(), state.counters());
  }
}
