package org.mezzo.api.isolator;

import java.util.Objects;
import org.osgi.annotation.versioning.ProviderType;

/**
 * A container that an instance finds when it takes over. Immutable; made by the agent and, in
 * tests, with {@link #of}.
 */
@ProviderType
public final class RecoveredContainer {
  /** How far a container is, as far as this isolator was told. */
  public enum Phase {
    /** {@link Isolator#prepare} has returned for it; {@code isolate} or {@code cleanup} follows. */
    PREPARED,
    /** It has a process, and {@link Isolator#isolate} has returned for it. */
    ISOLATED
  }

  private final Container container;
  private final Phase phase;
  private final byte[] state;

  private RecoveredContainer(Container container, Phase phase, byte[] state) {
    this.container = Objects.requireNonNull(container);
    this.phase = Objects.requireNonNull(phase);
    this.state = state.clone();
  }

  /**
   * A container to take over.
   *
   * @param state what an instance before has kept in its {@link LaunchPlan}; empty for nothing
   */
  public static RecoveredContainer of(Container container, Phase phase, byte[] state) {
    return new RecoveredContainer(container, phase, state);
  }

  /** The container, with its first process where it has one. */
  public Container container() {
    return container;
  }

  /** How far it is. */
  public Phase phase() {
    return phase;
  }

  /** What an instance before has kept in its {@link LaunchPlan}; empty for nothing. A copy. */
  public byte[] state() {
    return state.clone();
  }
}
