package org.mezzo.master.transitions;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.mezzo.api.allocator.Proposal;
import org.mezzo.master.state.Agent;
import org.mezzo.master.state.Framework;
import org.mezzo.master.state.Happening;
import org.mezzo.master.state.MasterState;
import org.mezzo.master.state.Offer;
import org.mezzo.master.state.UnreachableAgent;
import org.mezzo.protocol.v1.Address;
import org.mezzo.protocol.v1.AgentID;
import org.mezzo.protocol.v1.AgentInfo;
import org.mezzo.protocol.v1.Filters;
import org.mezzo.protocol.v1.FrameworkInfo;
import org.mezzo.protocol.v1.MasterInfo;
import org.mezzo.protocol.v1.OfferID;
import org.mezzo.protocol.v1.scheduler.Event;
import org.mezzo.protocol.v1.scheduler.OfferConstraints;
import org.mezzo.resources.Resources;

/** Steps on states, with a clock that stands where the test wants it. */
class TransitionsTest {
  private static final Instant START = Instant.parse("2026-01-01T00:00:00Z");

  private Instant now = START;
  private Settings settings = Settings.DEFAULT;
  private List<Effect> effects = List.of();
  private List<Happening> happenings = List.of();
  private MasterState state =
      MasterState.begin(
          MasterInfo.newBuilder().setId("m").setIp(1).setPort(5050).build(),
          START,
          new MasterState.Limits(2, 3, 3, 3),
          MasterState.Counters.ZERO);

  private void run(Step step) {
    Transition tx = new Transition(state, now, settings);
    step.apply(tx);
    state = tx.state();
    effects = tx.effects();
    happenings = tx.happenings();
  }

  private void agent(String id, String resources) throws Exception {
    Agent agent =
        Agent.of(
            id,
            AgentInfo.newBuilder()
                .setHostname("h")
                .setId(AgentID.newBuilder().setValue(id))
                .build(),
            "1.12.0",
            Set.of(),
            Address.newBuilder().setIp("127.0.0.1").setPort(1000 + id.hashCode() % 1000).build(),
            "v",
            now,
            Resources.parse(resources, "*"));
    run(tx -> tx.put(agent));
  }

  private static FrameworkInfo.Builder info(String... roles) {
    return FrameworkInfo.newBuilder()
        .setUser("u")
        .setName("f")
        .addAllRoles(List.of(roles))
        .addCapabilities(
            FrameworkInfo.Capability.newBuilder()
                .setType(FrameworkInfo.Capability.Type.MULTI_ROLE));
  }

  private String framework(FrameworkInfo.Builder info, String stream) {
    run(
        tx ->
            Frameworks.subscribe(
                tx,
                Subscribing.of(info.build(), List.of(), OfferConstraints.getDefaultInstance()),
                stream,
                Optional.empty()));
    return state.frameworks().values().stream()
        .filter(it -> it.streamId().equals(stream))
        .findFirst()
        .map(Framework::id)
        .orElse("");
  }

  private Offer offer(String framework, String role, String agent, String resources)
      throws Exception {
    Proposal proposal =
        new Proposal(framework, role, agent, Resources.parse(resources, "*").allocatedTo(role));
    assertThat(Offers.objection(state, proposal)).isEmpty();
    List<Offer> made = new ArrayList<>();
    run(tx -> made.add(Offers.make(tx, proposal)));
    return made.get(0);
  }

  private List<Event> sentTo(String stream) {
    return effects.stream()
        .filter(it -> it instanceof Effect.Send send && send.streamId().equals(stream))
        .map(it -> ((Effect.Send) it).event())
        .toList();
  }

  private static Filters refuse(double seconds) {
    return Filters.newBuilder().setRefuseSeconds(seconds).build();
  }

  @Test
  void idsCountUp() {
    assertThat(framework(info("r"), "s1")).isEqualTo("m-0000");
    assertThat(framework(info("r"), "s2")).isEqualTo("m-0001");
    assertThat(sentTo("s2").get(0).getType()).isEqualTo(Event.Type.SUBSCRIBED);
    assertThat(happenings).hasOnlyElementsOfType(Happening.FrameworkAdded.class);
  }

  @Test
  void refusalsAreClamped() {
    Duration interval = Duration.ofSeconds(1);
    assertThat(Offers.refusal(0, interval)).isEmpty();
    assertThat(Offers.refusal(0.2, interval)).contains(interval);
    assertThat(Offers.refusal(3, interval)).contains(Duration.ofSeconds(3));
    assertThat(Offers.refusal(-1, interval)).contains(Duration.ofSeconds(5));
    assertThat(Offers.refusal(Double.NaN, interval)).contains(Duration.ofSeconds(5));
    assertThat(Offers.refusal(1e300, interval)).contains(Duration.ofDays(365));
    assertThat(Offers.refusal(Filters.getDefaultInstance().getRefuseSeconds(), interval))
        .contains(Duration.ofSeconds(5));
  }

  @Test
  void filtersAreHandedToASuccessorUntilTheyExpire() throws Exception {
    agent("a", "cpus:4;mem:100");
    String id = framework(info("r"), "s");
    Offer first = offer(id, "r", "a", "cpus:1");
    run(tx -> Offers.decline(tx, id, List.of(first.message().getId()), refuse(10)));
    assertThat(Offers.ledger(state, now, Optional.empty()).filters()).hasSize(1);
    assertThat(state.agents().get("a").free()).isEqualTo(state.agents().get("a").total());

    // A filter that covers another one replaces it.
    Offer second = offer(id, "r", "a", "cpus:2");
    run(tx -> Offers.decline(tx, id, List.of(second.message().getId()), refuse(20)));
    assertThat(Offers.ledger(state, now, Optional.empty()).filters()).hasSize(1);

    now = START.plusSeconds(21);
    assertThat(Offers.ledger(state, now, Optional.empty()).filters()).isEmpty();
    run(tx -> Offers.expireFilters(tx, id));
    assertThat(state.frameworks().get(id).filters()).isEmpty();
  }

  @Test
  void reviveAndDisconnectionDropFilters() throws Exception {
    agent("a", "cpus:4");
    String id = framework(info("r", "q"), "s");
    for (String role : List.of("r", "q")) {
      Offer offer = offer(id, role, "a", "cpus:1");
      run(tx -> Offers.decline(tx, id, List.of(offer.message().getId()), refuse(100)));
    }
    assertThat(state.frameworks().get(id).filters()).hasSize(2);
    run(tx -> Offers.revive(tx, id, List.of("r")));
    assertThat(state.frameworks().get(id).filters()).hasSize(1);
    run(tx -> Offers.revive(tx, id, List.of("strange")));
    assertThat(state.frameworks().get(id).filters()).hasSize(1);
    run(tx -> Frameworks.disconnected(tx, id, "s"));
    assertThat(state.frameworks().get(id).filters()).isEmpty();
  }

  @Test
  void unknownAndForeignOffersAreNotDeclined() throws Exception {
    agent("a", "cpus:4");
    String one = framework(info("r"), "s1");
    String two = framework(info("r"), "s2");
    Offer offer = offer(one, "r", "a", "cpus:1");
    run(
        tx ->
            Offers.decline(
                tx,
                two,
                List.of(offer.message().getId(), OfferID.newBuilder().setValue("x").build()),
                refuse(0)));
    assertThat(state.offers()).hasSize(1);
  }

  @Test
  void aDroppedRoleRescindsItsOffers() throws Exception {
    agent("a", "cpus:4");
    String id = framework(info("r", "q"), "s");
    offer(id, "r", "a", "cpus:1");
    Offer kept = offer(id, "q", "a", "cpus:1");
    FrameworkInfo update =
        state.frameworks().get(id).info().toBuilder().clearRoles().addRoles("q").build();
    run(
        tx -> {
          Subscribing request =
              Subscribing.of(update, List.of("q"), OfferConstraints.getDefaultInstance());
          assertThat(Frameworks.updateProblem(tx, id, request)).isEmpty();
          Frameworks.update(tx, id, request);
        });
    assertThat(sentTo("s").get(0).getType()).isEqualTo(Event.Type.RESCIND);
    assertThat(state.offers().keySet()).containsExactly(kept.id());
    assertThat(state.frameworks().get(id).subscription().suppressed()).containsExactly("q");
  }

  @Test
  void completedFrameworksAreRememberedUpToTheLimit() {
    List<String> ids = new ArrayList<>();
    for (int i = 0; i < 3; i++) {
      String id = framework(info("r"), "s" + i);
      ids.add(id);
      run(tx -> Frameworks.remove(tx, tx.framework(id)));
    }
    assertThat(state.isCompleted(ids.get(0))).isFalse();
    assertThat(state.isCompleted(ids.get(1))).isTrue();
    assertThat(state.isCompleted(ids.get(2))).isTrue();
  }

  @Test
  void aReturnInTimeCallsTheFailoverTimerOff() {
    String id = framework(info("r").setFailoverTimeout(10), "s1");
    run(tx -> Frameworks.disconnected(tx, id, "s1"));
    Effect.After timer =
        effects.stream()
            .filter(Effect.After.class::isInstance)
            .map(Effect.After.class::cast)
            .findFirst()
            .orElseThrow();
    assertThat(timer.delay()).isEqualTo(Duration.ofSeconds(10));
    now = START.plusSeconds(5);
    FrameworkInfo again = state.frameworks().get(id).info();
    assertThat(framework(again.toBuilder(), "s2")).isEqualTo(id);
    now = START.plusSeconds(6);
    run(tx -> Frameworks.disconnected(tx, id, "s2"));
    now = START.plusSeconds(10);
    run(timer.step());
    assertThat(state.frameworks()).containsKey(id);
  }

  @Test
  void oldLostAgentsAreForgotten() {
    for (int i = 0; i < 4; i++) {
      String id = "a" + i;
      Instant since = START.plusSeconds(i * 100L);
      run(
          tx ->
              tx.become(
                  tx.state()
                      .withUnreachableAgents(
                          tx.state()
                              .unreachableAgents()
                              .plus(
                                  id,
                                  new UnreachableAgent(
                                      id, AgentInfo.getDefaultInstance(), since)))));
    }
    now = START.plusSeconds(350);
    run(tx -> AgentRegistry.forgetOld(tx, Duration.ofSeconds(300), 2));
    Effect.Store store = (Effect.Store) effects.get(0);
    assertThat(store.changes())
        .extracting(change -> change.key())
        .containsExactlyInAnyOrder("unreachable/a0", "unreachable/a1");
    run(store.then());
    assertThat(state.unreachableAgents().keySet()).containsExactlyInAnyOrder("a2", "a3");
  }

  @Test
  void whitelistedRolesAndRootSubmissions() {
    settings =
        new Settings(
            settings.heartbeatInterval(),
            settings.agentPingTimeout(),
            settings.maxAgentPingTimeouts(),
            settings.agentReregisterTimeout(),
            settings.allocationInterval(),
            Optional.empty(),
            Optional.of(Set.of("r")),
            false,
            false,
            false);
    assertThat(framework(info("other"), "s1")).isEmpty();
    assertThat(sentTo("s1").get(0).getError().getMessage())
        .isEqualTo("Roles { other } are not present in the master's --roles");
    framework(info("r").setUser("root"), "s2");
    assertThat(sentTo("s2").get(0).getError().getMessage()).contains("--root_submissions");
    assertThat(framework(info("r"), "s3")).isNotEmpty();
    Subscribing toor =
        Subscribing.of(
                info("r").setUser("toor").build(), List.of(), OfferConstraints.getDefaultInstance())
            .asRoot();
    run(tx -> Frameworks.subscribe(tx, toor, "s4", Optional.empty()));
    assertThat(sentTo("s4").get(0).getError().getMessage())
        .isEqualTo("User 'toor' is not allowed to run frameworks without --root_submissions set");
  }

  @Test
  void roleNames() {
    assertThat(Roles.problem("*")).isEmpty();
    assertThat(Roles.problem("eng/dev-1")).isEmpty();
    for (String bad : List.of("", "/a", "a/", "a//b", ".", "a/..", "a/*", "-a", "a b", "a\tb")) {
      assertThat(Roles.problem(bad)).as(bad).isPresent();
    }
  }

  @Test
  void ids() {
    assertThat(Identifiers.problem("a b.c")).isEmpty();
    assertThat(Identifiers.problem("x".repeat(256))).isPresent();
    assertThat(Identifiers.problem("a\\b")).isPresent();
    assertThat(Identifiers.problem("a\u0001")).isPresent();
  }

  @Test
  void theLedgerTellsWhoHoldsWhat() throws Exception {
    agent("a", "cpus:4");
    String id = framework(info("r"), "s");
    offer(id, "r", "a", "cpus:1");
    var ledger = Offers.ledger(state, now, Optional.of(Set.of("h")));
    Map<String, Resources> used = ledger.agents().get(0).used();
    assertThat(used.get(id).scalar("cpus")).isEqualTo(1000);
    assertThat(ledger.frameworks().get(0).roles()).containsExactly("r");
    assertThat(ledger.whitelist()).contains(Set.of("h"));
  }
}
