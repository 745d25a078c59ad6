package org.mezzo.master.state;

import java.time.Instant;
import java.util.Optional;
import org.mezzo.protocol.v1.DrainInfo;

/**
 * What operators want of an agent. Kept by the registry, so that neither a lost link nor another
 * leader changes it.
 *
 * @param deactivated whether nothing of it may be offered until it is reactivated
 * @param draining how far it is with giving up its tasks; empty when it need not
 */
public record Standing(boolean deactivated, Optional<Draining> draining) {

  /**
   * That an agent has to give up its tasks.
   *
   * @param info how it is to be done, and whether it is
   * @param began when operators wanted it
   */
  public record Draining(DrainInfo info, Instant began) {}

  /** Nothing. */
  public static final Standing OPEN = new Standing(false, Optional.empty());

  /** Whether resources of the agent may be offered. */
  public boolean open() {
    return !deactivated && draining.isEmpty();
  }
}
