package org.mezzo.allocator.drf;

import java.time.Instant;
import java.util.Optional;
import org.mezzo.api.allocator.AllocatorOptions;
import org.mezzo.api.allocator.Recovery;

/**
 * Holds offers after a change of leader until most agents are back, where somebody is guaranteed
 * something: else it would be given away before those agents come (section 9.10).
 */
final class RecoveryPause {
  private AllocatorOptions options = AllocatorOptions.builder().build();

  /** Empty when there is no pause, or none any more. */
  private Optional<Recovery> recovery = Optional.empty();

  /** Goes by other options from now on. */
  void configure(AllocatorOptions newOptions) {
    options = newOptions;
  }

  /** Begins one, if there is a reason to. */
  void begin(Optional<Recovery> newRecovery, boolean anyQuota) {
    recovery = anyQuota ? newRecovery : Optional.empty();
  }

  /** How many agents end it. */
  int enough() {
    return recovery.map(it -> (int) (it.agents() * options.recoveryFactor())).orElse(0);
  }

  /** When it ends whoever is back; empty when there is no pause. */
  Optional<Instant> end() {
    return recovery.map(it -> it.began().plus(options.recoveryTimeout()));
  }

  /** Whether offers are to be held; once they need not, they need not again. */
  boolean holds(int agents, Instant now) {
    if (recovery.isPresent() && (agents >= enough() || !now.isBefore(end().orElseThrow()))) {
      recovery = Optional.empty();
    }
    return recovery.isPresent();
  }
}
