package org.mezzo.containerizer.processes;

import java.util.Optional;
import java.util.OptionalInt;
import org.mezzo.containerizer.Containerizer.Limitation;
import org.mezzo.containerizer.LaunchException;
import org.mezzo.containerizer.Termination;

/**
 * What is known of how a container ends; what is known first counts. Immutable.
 *
 * @param failure why it could not be launched
 */
record Ending(
    OptionalInt waitStatus, Optional<Limitation> limitation, Optional<LaunchException> failure) {
  static final Ending UNKNOWN = new Ending(OptionalInt.empty(), Optional.empty(), Optional.empty());

  Ending status(OptionalInt seen) {
    return waitStatus.isPresent() ? this : new Ending(seen, limitation, failure);
  }

  Ending limited(Limitation reached) {
    return limitation.isPresent() ? this : new Ending(waitStatus, Optional.of(reached), failure);
  }

  Ending failed(LaunchException why) {
    return failure.isPresent() ? this : new Ending(waitStatus, limitation, Optional.of(why));
  }

  Termination termination() {
    return new Termination(waitStatus, limitation);
  }
}
