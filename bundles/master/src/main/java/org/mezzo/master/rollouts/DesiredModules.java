package org.mezzo.master.rollouts;

import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;

/**
 * What the registry knows about module bundles of the cluster. Immutable.
 *
 * @param current what is wanted where no rollout says otherwise
 * @param previous what was wanted before; empty when there was nothing before
 * @param rollout the last one that was begun, be it over; empty when none was
 * @param lastNumber the highest number that a generation was given
 */
public record DesiredModules(
    Generation current, Optional<Generation> previous, Optional<Rollout> rollout, long lastNumber) {
  /** Nothing was ever wanted. */
  public static final DesiredModules NONE =
      new DesiredModules(Generation.NONE, Optional.empty(), Optional.empty(), 0);

  /** The rollout that is not over. */
  public Optional<Rollout> underWay() {
    return rollout.filter(it -> !it.state().over());
  }

  /** Whether the last rollout changes what a daemon is to have. */
  public boolean concerns(Member member) {
    if (rollout.isEmpty()) {
      return false;
    }
    Generation before =
        rollout.get().state() == Rollout.State.DONE ? previous.orElse(Generation.NONE) : current;
    return !before.on(member).equals(rollout.get().to().on(member));
  }

  /** What a daemon is to have now. */
  public Generation of(String agentId) {
    return rollout
        .filter(it -> it.forward() && it.touched().contains(agentId))
        .map(Rollout::to)
        .orElse(current);
  }

  /** What each daemon is to have now; a copy, for many of them. */
  public Function<String, Generation> targets() {
    Optional<Rollout> forward = rollout.filter(Rollout::forward);
    Set<String> touched = new HashSet<>(forward.map(Rollout::touched).orElse(List.of()));
    return agentId -> touched.contains(agentId) ? forward.orElseThrow().to() : current;
  }

  DesiredModules with(Rollout next) {
    return new DesiredModules(current, previous, Optional.of(next), lastNumber);
  }

  /** With a rollout that has just begun. */
  DesiredModules begin(Rollout next) {
    return new DesiredModules(current, previous, Optional.of(next), next.to().number());
  }

  /** With the rollout's generation in force. */
  DesiredModules reached(Rollout done) {
    return new DesiredModules(done.to(), Optional.of(current), Optional.of(done), lastNumber);
  }

  /** Digests of the jars that may be asked for. */
  Set<String> digests() {
    Set<String> digests = new HashSet<>();
    current.modules().forEach(it -> digests.add(it.sha256()));
    previous.ifPresent(then -> then.modules().forEach(it -> digests.add(it.sha256())));
    underWay().ifPresent(now -> now.to().modules().forEach(it -> digests.add(it.sha256())));
    return digests;
  }
}
