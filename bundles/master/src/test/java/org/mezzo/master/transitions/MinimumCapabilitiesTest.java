package org.mezzo.master.transitions;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.protobuf.InvalidProtocolBufferException;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.mezzo.master.registry.Requirements;
import org.mezzo.master.state.MasterState;
import org.mezzo.master.state.RecoveredAgent;
import org.mezzo.master.state.Standing;
import org.mezzo.protocol.v1.AgentInfo;
import org.mezzo.protocol.v1.MasterInfo;

/** Rule 166. */
class MinimumCapabilitiesTest {
  private static Map<String, byte[]> demanding(String... capabilities) {
    return Map.of(
        MinimumCapabilities.KEY,
        Requirements.newBuilder().addAllCapabilities(List.of(capabilities)).build().toByteArray());
  }

  @Test
  void aRegistryThatDemandsWhatIsKnownIsRead() {
    assertThatCode(() -> MinimumCapabilities.check(Map.of())).doesNotThrowAnyException();
    assertThatCode(() -> MinimumCapabilities.check(demanding("QUOTA_V2", "AGENT_DRAINING")))
        .doesNotThrowAnyException();
  }

  @Test
  void aRegistryThatDemandsSomethingElseIsNot() {
    assertThatThrownBy(() -> MinimumCapabilities.check(demanding("QUOTA_V2", "QUOTA_V3")))
        .isInstanceOf(InvalidProtocolBufferException.class)
        .hasMessageContaining("minimum_capabilities demand [QUOTA_V3] of a master")
        .hasMessageContaining("a newer master has written that");
  }

  @Test
  void drainingIsNeededAsLongAsAnAgentIsHeldBack() {
    MasterState state =
        MasterState.begin(
            MasterInfo.newBuilder().setId("m").setIp(1).setPort(5050).build(),
            Instant.EPOCH,
            MasterState.Limits.DEFAULT,
            MasterState.Counters.ZERO);
    assertThat(MinimumCapabilities.needed(state)).isEmpty();
    assertThat(MinimumCapabilities.needed(with(state, new Standing(true, Optional.empty()))))
        .containsExactly(MasterInfo.Capability.Type.AGENT_DRAINING);
    assertThat(MinimumCapabilities.needed(with(state, Standing.OPEN))).isEmpty();
  }

  private static MasterState with(MasterState state, Standing standing) {
    AgentInfo info = AgentInfo.newBuilder().setHostname("h").build();
    return state.withRecoveredAgents(
        state.recoveredAgents().plus("S", new RecoveredAgent("S", info, standing)));
  }
}
