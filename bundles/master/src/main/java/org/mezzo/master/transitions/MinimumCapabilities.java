package org.mezzo.master.transitions;

import com.google.protobuf.InvalidProtocolBufferException;
import java.util.EnumSet;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import org.mezzo.master.registry.Requirements;
import org.mezzo.master.state.MasterState;
import org.mezzo.master.state.Standing;
import org.mezzo.protocol.v1.MasterInfo;

/** What a master must be capable of to lead with what the registry holds (rule 166). */
public final class MinimumCapabilities {
  /**
   * Where a master that stores what older ones must not overlook names it. This one stores nothing
   * that any before it would have overlooked, and so only reads this.
   */
  static final String KEY = "master/minimum_capabilities";

  /** What this master is capable of, all of which it says of itself as well. */
  private static final Set<MasterInfo.Capability.Type> KNOWN =
      EnumSet.of(
          MasterInfo.Capability.Type.AGENT_UPDATE,
          MasterInfo.Capability.Type.AGENT_DRAINING,
          MasterInfo.Capability.Type.QUOTA_V2);

  private MinimumCapabilities() {}

  /**
   * Looks whether this master may lead with a registry.
   *
   * @throws InvalidProtocolBufferException when a newer one has stored what it would overlook; says
   *     what, and what to do
   */
  public static void check(Map<String, byte[]> registry) throws InvalidProtocolBufferException {
    byte[] stored = registry.get(KEY);
    if (stored == null) {
      return;
    }
    Set<String> lacking = new TreeSet<>(Requirements.parseFrom(stored).getCapabilitiesList());
    KNOWN.forEach(type -> lacking.remove(type.name()));
    if (!lacking.isEmpty()) {
      throw new InvalidProtocolBufferException(
          "the registry's minimum_capabilities demand "
              + lacking
              + " of a master, which this one lacks; a newer master has written that: let one of"
              + " its version lead, or undo there what needs them");
    }
  }

  /** What of a state a master must be capable of to take it over. */
  public static Set<MasterInfo.Capability.Type> needed(MasterState state) {
    Set<MasterInfo.Capability.Type> needed = EnumSet.noneOf(MasterInfo.Capability.Type.class);
    if (!state.quotas().isEmpty()) {
      needed.add(MasterInfo.Capability.Type.QUOTA_V2);
    }
    boolean draining =
        state.agents().values().stream().anyMatch(it -> held(it.standing()))
            || state.recoveredAgents().values().stream().anyMatch(it -> held(it.standing()))
            || state.unreachableAgents().values().stream().anyMatch(it -> held(it.standing()));
    if (draining) {
      needed.add(MasterInfo.Capability.Type.AGENT_DRAINING);
    }
    return needed;
  }

  private static boolean held(Standing standing) {
    return standing.deactivated() || standing.draining().isPresent();
  }
}
