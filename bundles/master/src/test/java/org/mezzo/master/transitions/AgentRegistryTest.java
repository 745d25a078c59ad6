package org.mezzo.master.transitions;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.protobuf.InvalidProtocolBufferException;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.time.Instant;
import java.util.Base64;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.mezzo.coordination.Registry;
import org.mezzo.master.state.MasterState;
import org.mezzo.master.state.Standing;
import org.mezzo.master.state.UnreachableAgent;
import org.mezzo.protocol.v1.AgentInfo;
import org.mezzo.protocol.v1.DrainConfig;
import org.mezzo.protocol.v1.DrainInfo;
import org.mezzo.protocol.v1.DrainState;
import org.mezzo.protocol.v1.TimeInfo;

class AgentRegistryTest {
  private final Given given = new Given();

  private void unreachable(String id, Instant since) {
    given.run(
        tx ->
            tx.become(
                tx.state()
                    .withUnreachableAgents(
                        tx.state()
                            .unreachableAgents()
                            .plus(
                                id,
                                new UnreachableAgent(
                                    id, AgentInfo.getDefaultInstance(), since, Standing.OPEN)))));
  }

  /** Rules 150 and 165: what one term writes is what the next one reads. */
  @Test
  void aSuccessorKnowsWhatWasWritten() throws InvalidProtocolBufferException {
    Map<String, byte[]> registry = new HashMap<>();
    given.register(Given.registering(1, given.host(1, "cpus:1")));
    write(registry);
    given.stored().register(Given.registering(2, given.host(2, "cpus:1")));
    write(registry);
    given.stored().later(Duration.ofSeconds(5)).run(tx -> Unreachability.mark(tx, "m-S1", "test"));
    write(registry);
    registry.put(
        "gone/g",
        TimeInfo.newBuilder()
            .setNanoseconds(AgentRegistry.nanos(given.now()))
            .build()
            .toByteArray());
    registry.put("master/info", new byte[] {1, 2, 3});

    MasterState next = AgentRegistry.recover(new Given().state(), registry);
    assertThat(next.recoveredAgents()).containsOnlyKeys("m-S0");
    assertThat(next.recoveredAgents().get("m-S0").info()).isEqualTo(given.agent("m-S0").info());
    assertThat(next.unreachableAgents()).containsOnlyKeys("m-S1");
    assertThat(next.unreachableAgents().get("m-S1").since()).isEqualTo(given.now());
    assertThat(next.unreachableAgents().get("m-S1").info()).isEqualTo(given.agent("m-S1").info());
    assertThat(next.goneAgents()).containsEntry("g", given.now());
    assertThat(next.agents()).isEmpty();
  }

  /** Values as masters wrote them before they said their version: host-1 is agent m-S0. */
  @Test
  void valuesOfBeforeAreRead() throws InvalidProtocolBufferException {
    byte[] info = Base64.getDecoder().decode("CgZob3N0LTEyBgoEbS1TMA==");
    byte[] unreachable =
        ByteBuffer.allocate(8 + info.length)
            .putLong(AgentRegistry.nanos(Given.START))
            .put(info)
            .array();
    MasterState read =
        AgentRegistry.recover(
            new Given().state(), Map.of("agents/m-S0", info, "unreachable/m-S1", unreachable));
    assertThat(read.recoveredAgents().get("m-S0").info().getHostname()).isEqualTo("host-1");
    assertThat(read.recoveredAgents().get("m-S0").standing()).isEqualTo(Standing.OPEN);
    assertThat(read.unreachableAgents().get("m-S1").info().getId().getValue()).isEqualTo("m-S0");
    assertThat(read.unreachableAgents().get("m-S1").since()).isEqualTo(Given.START);
  }

  /** What operators want of an agent stays with it. */
  @Test
  void theStandingIsKept() throws InvalidProtocolBufferException {
    AgentInfo info = AgentInfo.newBuilder().setHostname("h").build();
    Standing standing =
        new Standing(
            true,
            Optional.of(
                new Standing.Draining(
                    DrainInfo.newBuilder()
                        .setState(DrainState.DRAINING)
                        .setConfig(DrainConfig.newBuilder().setMarkGone(true))
                        .build(),
                    Given.START)));
    MasterState read =
        AgentRegistry.recover(
            new Given().state(),
            Map.of(
                "agents/a", AgentRegistry.bytes(info, standing),
                "unreachable/b", AgentRegistry.bytes(info, Given.START, standing)));
    assertThat(read.standing("a")).isEqualTo(standing);
    assertThat(read.standing("b")).isEqualTo(standing);
    assertThat(read.standing("a").open()).isFalse();
  }

  @Test
  void aFormOfLaterIsNotGuessedAt() {
    byte[] value = AgentRegistry.goneBytes(Given.START);
    value[1]++;
    assertThatThrownBy(() -> AgentRegistry.recover(new Given().state(), Map.of("gone/m-S0", value)))
        .isInstanceOf(InvalidProtocolBufferException.class)
        .hasMessageContaining("m-S0")
        .hasMessageContaining("newer master");
  }

  private void write(Map<String, byte[]> registry) {
    for (Registry.Change change : given.only(Effect.Store.class).changes()) {
      if (change.value() == null) {
        registry.remove(change.key());
      } else {
        registry.put(change.key(), change.value());
      }
    }
  }

  /** Rules 154 and 155. */
  @Test
  void theOldAndTheTooManyAreForgotten() {
    for (int i = 0; i < 4; i++) {
      unreachable("a" + i, Given.START.plusSeconds(i * 100L));
    }
    given.later(Duration.ofSeconds(350));
    given.run(tx -> AgentRegistry.forgetOld(tx, Duration.ofSeconds(300), 2));
    assertThat(given.only(Effect.Store.class).changes())
        .extracting(Registry.Change::key)
        .containsExactlyInAnyOrder("unreachable/a0", "unreachable/a1");
    given.stored();
    assertThat(given.state().unreachableAgents()).containsOnlyKeys("a2", "a3");
    given.run(tx -> AgentRegistry.forgetOld(tx, Duration.ofSeconds(300), 2));
    assertThat(given.effects()).isEmpty();
  }

  @Test
  void whatIsUnderWayIsNotForgotten() {
    unreachable("a", Given.START);
    given.run(tx -> tx.become(tx.state().undecided("a", true)));
    given.later(Duration.ofDays(20));
    given.run(tx -> AgentRegistry.forgetOld(tx, Duration.ofDays(14), 100));
    assertThat(given.effects()).isEmpty();
  }
}
