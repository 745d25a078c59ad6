package org.mezzo.itests.chaos;

import java.io.IOException;
import java.util.ArrayList;
import java.util.Collections;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.TimeUnit;

/**
 * Kills parts of a cluster in an order and at a pace that a seed decides, starts daemons again that
 * were killed, and remembers what was done to whom. Turns belong to one thread; what was done may
 * be asked from any.
 */
final class Mayhem {
  /** What is killed. */
  enum Victim {
    AGENT(14),
    SPAWNER(12),
    SHIM(32),
    EXECUTOR(32),
    MASTER(10);

    private final int share;

    Victim(int share) {
      this.share = share;
    }

    /** So many, each as often as its share of a hundred says. */
    private static List<Victim> chosen(int count, Random random) {
      List<Victim> all = new ArrayList<>();
      for (Victim each : values()) {
        for (int i = 0; i < (count * each.share + 99) / 100; i++) {
          all.add(each);
        }
      }
      Collections.shuffle(all, random);
      return all.subList(0, count);
    }
  }

  /**
   * One kill to come.
   *
   * @param after so many tasks have ended
   * @param delayMillis from then on
   * @param which of several, whatever number of them there is
   * @param downMillis until a daemon is started again
   */
  private record Kill(Victim victim, int after, int delayMillis, int which, int downMillis) {}

  private final ChaosCluster cluster;
  private final int tasks;
  private final List<Kill> plan = new ArrayList<>();

  /** Daemons to be started again, with when. */
  private final Map<ChaosCluster.Daemon, Long> down = new HashMap<>();

  private final List<String> faults = new ArrayList<>();
  private int next;

  /** When the next kill was first wanted; 0 before. */
  private long wanted;

  // Of any thread.
  private final Map<Victim, Integer> done = new EnumMap<>(Victim.class);

  /** When each was killed last. */
  private final Map<Victim, Long> latest = new EnumMap<>(Victim.class);

  private final Set<String> hit = new HashSet<>();

  /**
   * Nothing is killed yet.
   *
   * @param kills how many
   * @param tasks in whose course
   */
  Mayhem(ChaosCluster cluster, long seed, int kills, int tasks) {
    this.cluster = cluster;
    this.tasks = tasks;
    Random random = new Random(seed);
    List<Victim> victims = Victim.chosen(kills, random);
    int after = 0;
    for (int i = 0; i < kills; i++) {
      // Some come together with the one before them: that is when nobody is left to clean up.
      boolean together = i > 0 && random.nextInt(4) == 0;
      after = together ? after : i * tasks / (kills + 1);
      plan.add(
          new Kill(
              victims.get(i),
              after,
              together ? 0 : random.nextInt(400),
              random.nextInt(1 << 20),
              random.nextInt(3) == 0 ? random.nextInt(3000) : 0));
    }
  }

  /** Whether all is done, and all daemons were started again. */
  boolean over() {
    return next == plan.size() && down.isEmpty();
  }

  /**
   * Does what is due.
   *
   * @param ended how many tasks have ended
   */
  void turn(int ended) throws IOException {
    long now = System.nanoTime();
    for (Map.Entry<ChaosCluster.Daemon, Long> each : List.copyOf(down.entrySet())) {
      if (each.getValue() - now <= 0 && !each.getKey().runs()) {
        down.remove(each.getKey());
        each.getKey().start();
      }
    }
    notice(cluster.agents());
    notice(cluster.masters());
    if (next == plan.size() || plan.get(next).after() > ended) {
      return;
    }
    Kill kill = plan.get(next);
    wanted = wanted == 0 ? now : wanted;
    if (now - wanted < TimeUnit.MILLISECONDS.toNanos(kill.delayMillis())) {
      return;
    }
    // When all tasks have ended no container is left, and something else must do.
    boolean late =
        ended >= tasks && (kill.victim() == Victim.SHIM || kill.victim() == Victim.EXECUTOR);
    Victim victim = late ? Victim.AGENT : kill.victim();
    if (kill(victim, kill)) {
      synchronized (this) {
        done.merge(victim, 1, Integer::sum);
        latest.put(victim, System.nanoTime());
      }
      next++;
      wanted = 0;
    }
  }

  /** Daemons do not end unless they are killed. */
  private void notice(List<ChaosCluster.Daemon> daemons) throws IOException {
    for (ChaosCluster.Daemon daemon : daemons) {
      if (daemon.endedByItself()) {
        faults.add("ended by itself: " + daemon.lastWords());
        daemon.start();
      }
    }
  }

  private boolean kill(Victim victim, Kill kill) {
    return switch (victim) {
      case MASTER -> cluster.leader().map(leader -> take(leader, kill)).orElse(false);
      case AGENT ->
          pick(cluster.agents().stream().filter(ChaosCluster.Daemon::runs).toList(), kill)
              .map(agent -> take(agent, kill))
              .orElse(false);
      case SPAWNER ->
          pick(cluster.agents(), kill)
              .flatMap(agent -> agent.containers().spawner())
              .map(one -> Processes.kill(one.pid(), one.started()))
              .orElse(false);
      case SHIM, EXECUTOR -> container(kill).map(one -> strike(one, victim)).orElse(false);
    };
  }

  private static <T> Optional<T> pick(List<T> from, Kill kill) {
    return from.isEmpty() ? Optional.empty() : Optional.of(from.get(kill.which() % from.size()));
  }

  private boolean take(ChaosCluster.Daemon daemon, Kill kill) {
    daemon.kill();
    down.put(daemon, System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(kill.downMillis()));
    return true;
  }

  private Optional<RunningContainers.One> container(Kill kill) {
    return pick(
        cluster.agents().stream().flatMap(agent -> agent.containers().all().stream()).toList(),
        kill);
  }

  private boolean strike(RunningContainers.One one, Victim victim) {
    // Before it is done: a framework may hear of the end at once.
    synchronized (this) {
      hit.add(one.executor());
    }
    return victim == Victim.SHIM
        ? Processes.kill(one.shim(), one.shimStarted())
        : Processes.kill(one.pid(), one.started());
  }

  /** Whether a container of the executor was struck. */
  synchronized boolean hit(String executor) {
    return hit.contains(executor);
  }

  /**
   * Whether one of these was killed.
   *
   * @param sinceNanos as of {@link System#nanoTime}
   */
  synchronized boolean killed(Victim victim, long sinceNanos) {
    Long last = latest.get(victim);
    return last != null && last - sinceNanos >= 0;
  }

  /** What was done so far, for people. */
  synchronized Map<Victim, Integer> done() {
    return new EnumMap<>(done.isEmpty() ? Map.of(Victim.AGENT, 0) : done);
  }

  /** What must not have happened. */
  List<String> faults() {
    return faults;
  }
}
