package org.mezzo.api.allocator;

import java.time.Instant;
import org.osgi.annotation.versioning.ProviderType;

/**
 * What a new leader found in the registry. Agents come back one after the other, and who offers
 * them as they come may give away what others are guaranteed. How long to hold offers for that, if
 * at all, is the allocator's decision (hierarchical-allocator.md section 9.10). Immutable; more may
 * be known in later versions.
 */
@ProviderType
public final class Recovery {
  private final Data data;

  private record Data(int agents, Instant began) {}

  private Recovery(Data data) {
    this.data = data;
  }

  /**
   * Begins with what there always is.
   *
   * @param agents see {@link #agents}
   * @param began see {@link #began}
   */
  public static Builder builder(int agents, Instant began) {
    return new Builder(agents, began);
  }

  /** How many agents the registry had; those that are registered again are among them. */
  public int agents() {
    return data.agents;
  }

  /** When the leader had read the registry and began to wait for them, by the daemon's clock. */
  public Instant began() {
    return data.began;
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof Recovery recovery && data.equals(recovery.data);
  }

  @Override
  public int hashCode() {
    return data.hashCode();
  }

  @Override
  public String toString() {
    return data.toString();
  }

  /** Puts it together. */
  public static final class Builder {
    private final int agents;
    private final Instant began;

    private Builder(int agents, Instant began) {
      this.agents = agents;
      this.began = began;
    }

    /** As it is now. */
    public Recovery build() {
      return new Recovery(new Data(agents, began));
    }
  }
}
