package org.mezzo.master.transitions;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.time.Instant;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.mezzo.coordination.Registry;
import org.mezzo.link.messages.Register;
import org.mezzo.link.messages.Reregister;
import org.mezzo.master.state.MasterState;
import org.mezzo.master.state.Standing;
import org.mezzo.master.state.UnreachableAgent;
import org.mezzo.protocol.v1.Address;
import org.mezzo.protocol.v1.AgentID;
import org.mezzo.protocol.v1.AgentInfo;
import org.mezzo.protocol.v1.MasterInfo;

/** Who is admitted, and what becomes of the others: nothing that touches a registered agent. */
class NewcomersTest {
  private static final long GENUINE = 1;
  private static final long NEWCOMER = 2;

  private final Instant now = Instant.parse("2026-01-01T00:00:00Z");
  private MasterState state =
      MasterState.begin(
          MasterInfo.newBuilder().setId("m").setIp(1).setPort(5050).build(),
          now,
          MasterState.Limits.DEFAULT,
          MasterState.Counters.ZERO);
  private List<Effect> effects = List.of();

  private void run(Step step) {
    Transition tx = new Transition(state, now, Settings.DEFAULT);
    step.apply(tx);
    state = tx.state();
    effects = tx.effects();
  }

  private <T extends Effect> List<T> effects(Class<T> type) {
    return effects.stream().filter(type::isInstance).map(type::cast).toList();
  }

  private void reregister(long link, String id, String ip, String hostname) throws Exception {
    Reregister message =
        Reregister.newBuilder()
            .setVersion("1.12.0")
            .setResourceVersionUuid("v" + link)
            .setAddress(Address.newBuilder().setIp(ip).setPort(5051))
            .setAgent(
                AgentInfo.newBuilder()
                    .setHostname(hostname)
                    .setId(AgentID.newBuilder().setValue(id)))
            .build();
    Registration registration = Registration.of(link, message);
    run(tx -> Readmissions.reregister(tx, registration, message));
  }

  private void register(long link, String ip, String hostname) throws Exception {
    Registration registration =
        Registration.of(
            link,
            Register.newBuilder()
                .setVersion("1.12.0")
                .setResourceVersionUuid("v" + link)
                .setAddress(Address.newBuilder().setIp(ip).setPort(5051))
                .setAgent(AgentInfo.newBuilder().setHostname(hostname))
                .build());
    run(tx -> Admissions.register(tx, registration));
  }

  /** Nobody but the newcomer notices anything. */
  private void onlyTheNewcomerIsMeant() {
    assertThat(effects)
        .filteredOn(effect -> !(effect instanceof Effect.Count))
        .hasSize(1)
        .allSatisfy(
            effect ->
                assertThat(
                        effect instanceof Effect.ToLink to
                            ? to.linkNumber()
                            : ((Effect.RefuseLink) effect).linkNumber())
                    .isEqualTo(NEWCOMER));
  }

  @BeforeEach
  void aRegisteredAgent() throws Exception {
    reregister(GENUINE, "a", "10.0.0.1", "h");
    run(effects(Effect.Store.class).get(0).then());
    assertThat(effects(Effect.BindLink.class)).containsExactly(new Effect.BindLink("a", GENUINE));
  }

  @ParameterizedTest
  @CsvSource({"10.0.0.2, h", "10.0.0.1, other", "10.0.0.2, other"})
  void aCloneFromElsewhereIsToldToEndAndTheGenuineAgentKeepsItsLink(String ip, String hostname)
      throws Exception {
    MasterState before = state;
    reregister(NEWCOMER, "a", ip, hostname);

    onlyTheNewcomerIsMeant();
    assertThat(effects(Effect.ToLink.class).get(0).event().getShutdown().getMessage())
        .isEqualTo("Agent attempted to reregister with different IP / hostname");
    assertThat(state).isSameAs(before);
  }

  @Test
  void aGoneAgentIsToldToEndOnItsOwnLink() throws Exception {
    run(tx -> tx.become(tx.state().withGoneAgents(tx.state().goneAgents().plus("g", now))));
    reregister(NEWCOMER, "g", "10.0.0.3", "g");

    onlyTheNewcomerIsMeant();
    assertThat(effects(Effect.ToLink.class).get(0).event().getShutdown().getMessage())
        .isEqualTo("Agent has been marked gone");
  }

  @Test
  void anAgentOfAnotherHostWithTheSameAddressDoesNotReplaceAConnectedOne() throws Exception {
    register(NEWCOMER, "10.0.0.1", "other");

    onlyTheNewcomerIsMeant();
    assertThat(effects(Effect.RefuseLink.class).get(0).reason())
        .isEqualTo(
            "Agent a on h is connected and has the same address 10.0.0.1:5051; give one of them"
                + " another --ip, --advertise_ip or --port");
    assertThat(state.agents()).containsOnlyKeys("a");
    assertThat(state.undecided()).isEmpty();
  }

  @ParameterizedTest
  @CsvSource({"a/b, contains invalid characters", "'', ID must not be empty"})
  void anIdThatIsNoneIsRefused(String id, String problem) throws Exception {
    reregister(NEWCOMER, id, "10.0.0.2", "h");

    onlyTheNewcomerIsMeant();
    assertThat(effects(Effect.RefuseLink.class).get(0).reason()).contains(problem);
  }

  @Test
  void whoseDescriptionTheRegistryRefusesMayTryAgain() throws Exception {
    reregister(NEWCOMER, "b", "10.0.0.2", "h2");
    assertThat(state.undecided()).containsExactly("b");
    Effect.Store store = effects(Effect.Store.class).get(0);
    run(tx -> store.refused().apply(tx, "no"));
    onlyTheNewcomerIsMeant();
    assertThat(state.undecided()).isEmpty();

    register(NEWCOMER, "10.0.0.2", "h2");
    assertThat(state.undecided()).hasSize(1);
    Effect.Store first = effects(Effect.Store.class).get(0);
    run(tx -> first.refused().apply(tx, "no"));
    onlyTheNewcomerIsMeant();
    assertThat(state.undecided()).isEmpty();
    assertThat(state.agents()).containsOnlyKeys("a");
  }

  @Test
  void anAgentThatCannotBeMarkedOrRemovedStaysAndIsDecidedAgain() {
    for (Step step :
        List.<Step>of(
            tx -> Unreachability.mark(tx, "a", "test"), tx -> Removals.unregister(tx, "a"))) {
      run(step);
      assertThat(state.undecided()).containsExactly("a");
      Effect.Store store = effects(Effect.Store.class).get(0);
      run(tx -> store.refused().apply(tx, "no"));
      assertThat(state.undecided()).isEmpty();
      assertThat(state.agents().get("a").connected()).isTrue();
    }
  }

  /** Rule 143: the removal rate counts here as well. */
  @Test
  void whoDoesNotComeBackInTimeIsMarkedInItsTurnOnly() throws Exception {
    run(tx -> Disconnections.disconnected(tx, "a"));
    Step expired = effects(Effect.After.class).get(0).step();
    run(expired);
    assertThat(effects(Effect.Store.class)).isEmpty();
    Effect.MarkUnreachable mark = effects(Effect.MarkUnreachable.class).get(0);
    assertThat(mark.agentId()).isEqualTo("a");

    MasterState away = state;
    reregister(GENUINE, "a", "10.0.0.1", "h");
    run(mark.mark());
    assertThat(effects).isEmpty();

    state = away;
    run(mark.mark());
    assertThat(effects(Effect.Store.class).get(0).changes())
        .extracting(Registry.Change::key)
        .containsExactly("agents/a", "unreachable/a");
  }

  @Test
  void manyAreForgottenInPortions() {
    run(
        tx -> {
          var unreachable = tx.state().unreachableAgents();
          var gone = tx.state().goneAgents();
          for (int i = 0; i < 2_500; i++) {
            String id = "u" + i;
            unreachable =
                unreachable.plus(
                    id,
                    new UnreachableAgent(
                        id, AgentInfo.getDefaultInstance(), Instant.EPOCH, Standing.OPEN));
            gone = gone.plus("g" + i, Instant.EPOCH);
          }
          tx.become(tx.state().withUnreachableAgents(unreachable).withGoneAgents(gone));
        });
    run(tx -> AgentRegistry.forgetOld(tx, Duration.ofDays(1), 100_000));

    List<Effect.Store> stores = effects(Effect.Store.class);
    Set<String> keys = new HashSet<>();
    stores.forEach(
        store -> {
          assertThat(store.changes()).hasSizeLessThanOrEqualTo(256);
          store.changes().forEach(change -> keys.add(change.key()));
        });
    assertThat(keys).hasSize(5_000);
    run(tx -> stores.get(0).refused().apply(tx, "no"));
    stores.stream().skip(1).forEach(store -> run(store.then()));
    assertThat(
            Stream.of(state.unreachableAgents().size(), state.goneAgents().size())
                .mapToInt(Integer::intValue)
                .sum())
        .isEqualTo(stores.get(0).changes().size());
  }
}
