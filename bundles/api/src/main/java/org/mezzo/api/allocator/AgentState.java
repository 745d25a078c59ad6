package org.mezzo.api.allocator;

import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.mezzo.protocol.v1.AgentInfo;
import org.mezzo.protocol.v1.Unavailability;
import org.mezzo.resources.Resources;
import org.osgi.annotation.versioning.ProviderType;

/** What the ledger knows of one agent. Immutable; more may be known in later versions. */
@ProviderType
public final class AgentState {
  private final Data data;

  private record Data(
      String id,
      AgentInfo info,
      Set<String> capabilities,
      boolean active,
      Resources total,
      Map<String, Resources> used,
      Optional<Unavailability> unavailability) {}

  private AgentState(Data data) {
    this.data = data;
  }

  /** Begins with what there always is; the rest is as it is by default. */
  public static Builder builder(String id, AgentInfo info) {
    return new Builder(id, info);
  }

  /** The same, to be changed. */
  public Builder toBuilder() {
    Builder builder = new Builder(data.id, data.info);
    builder.capabilities = data.capabilities;
    builder.active = data.active;
    builder.total = data.total;
    builder.used = data.used;
    builder.unavailability = data.unavailability;
    return builder;
  }

  /** The text of its id. */
  public String id() {
    return data.id;
  }

  /** As registered: hostname, attributes, domain. */
  public AgentInfo info() {
    return data.info;
  }

  /** Names of its capabilities, for example {@code MULTI_ROLE}. */
  public Set<String> capabilities() {
    return data.capabilities;
  }

  /** Whether its resources may be offered now. */
  public boolean active() {
    return data.active;
  }

  /** Everything it has, without allocation roles. */
  public Resources total() {
    return data.total;
  }

  /** What is offered or allocated, by framework id; resources carry their roles. */
  public Map<String, Resources> used() {
    return data.used;
  }

  /** When it is not to be counted on, if that was announced. */
  public Optional<Unavailability> unavailability() {
    return data.unavailability;
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof AgentState state && data.equals(state.data);
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
    private final AgentInfo info;
    private Set<String> capabilities = Set.of();
    private boolean active = true;
    private Resources total = Resources.EMPTY;
    private Map<String, Resources> used = Map.of();
    private Optional<Unavailability> unavailability = Optional.empty();

    private Builder(String id, AgentInfo info) {
      this.id = id;
      this.info = info;
    }

    /** See {@link AgentState#capabilities}. */
    public Builder capabilities(Set<String> value) {
      capabilities = Set.copyOf(value);
      return this;
    }

    /** See {@link AgentState#active}. */
    public Builder active(boolean value) {
      active = value;
      return this;
    }

    /** See {@link AgentState#total}. */
    public Builder total(Resources value) {
      total = value;
      return this;
    }

    /** See {@link AgentState#used}. */
    public Builder used(Map<String, Resources> value) {
      used = Map.copyOf(value);
      return this;
    }

    /** See {@link AgentState#unavailability}. */
    public Builder unavailability(Optional<Unavailability> value) {
      unavailability = value;
      return this;
    }

    /** As it is now. */
    public AgentState build() {
      return new AgentState(new Data(id, info, capabilities, active, total, used, unavailability));
    }
  }
}
