package org.mezzo.api.allocator;

import java.util.Set;
import org.mezzo.protocol.v1.FrameworkInfo;
import org.osgi.annotation.versioning.ProviderType;

/** What the ledger knows of one framework. Immutable; more may be known in later versions. */
@ProviderType
public final class FrameworkState {
  private final Data data;

  private record Data(
      String id,
      FrameworkInfo info,
      Set<String> roles,
      Set<String> suppressed,
      Set<String> capabilities,
      boolean active,
      OfferConstraintsFilter constraints) {}

  private FrameworkState(Data data) {
    this.data = data;
  }

  /** Begins with what there always is; the rest is as it is by default. */
  public static Builder builder(String id, FrameworkInfo info) {
    return new Builder(id, info);
  }

  /** The same, to be changed. */
  public Builder toBuilder() {
    Builder builder = new Builder(data.id, data.info);
    builder.roles = data.roles;
    builder.suppressed = data.suppressed;
    builder.capabilities = data.capabilities;
    builder.active = data.active;
    builder.constraints = data.constraints;
    return builder;
  }

  /** The text of its id. */
  public String id() {
    return data.id;
  }

  /** As it subscribed. */
  public FrameworkInfo info() {
    return data.info;
  }

  /** The roles it is subscribed to. */
  public Set<String> roles() {
    return data.roles;
  }

  /** Those of its roles that want no offers now. */
  public Set<String> suppressed() {
    return data.suppressed;
  }

  /** Names of its capabilities. */
  public Set<String> capabilities() {
    return data.capabilities;
  }

  /** Whether it may be offered anything now. */
  public boolean active() {
    return data.active;
  }

  /** Which agents it does not want; {@link OfferConstraintsFilter#NONE} when none. */
  public OfferConstraintsFilter constraints() {
    return data.constraints;
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof FrameworkState state && data.equals(state.data);
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
    private final String id;
    private final FrameworkInfo info;
    private Set<String> roles = Set.of();
    private Set<String> suppressed = Set.of();
    private Set<String> capabilities = Set.of();
    private boolean active = true;
    private OfferConstraintsFilter constraints = OfferConstraintsFilter.NONE;

    private Builder(String id, FrameworkInfo info) {
      this.id = id;
      this.info = info;
    }

    /** See {@link FrameworkState#roles}. */
    public Builder roles(Set<String> value) {
      roles = Set.copyOf(value);
      return this;
    }

    /** See {@link FrameworkState#suppressed}. */
    public Builder suppressed(Set<String> value) {
      suppressed = Set.copyOf(value);
      return this;
    }

    /** See {@link FrameworkState#capabilities}. */
    public Builder capabilities(Set<String> value) {
      capabilities = Set.copyOf(value);
      return this;
    }

    /** See {@link FrameworkState#active}. */
    public Builder active(boolean value) {
      active = value;
      return this;
    }

    /** See {@link FrameworkState#constraints}. */
    public Builder constraints(OfferConstraintsFilter value) {
      constraints = value;
      return this;
    }

    /** As it is now. */
    public FrameworkState build() {
      return new FrameworkState(
          new Data(id, info, roles, suppressed, capabilities, active, constraints));
    }
  }
}
