package org.mezzo.master.transitions;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.mezzo.api.allocator.Proposal;
import org.mezzo.link.messages.UpdateAgent;
import org.mezzo.master.ledger.Offer;
import org.mezzo.master.state.Refusals;
import org.mezzo.protocol.v1.FrameworkInfo;
import org.mezzo.protocol.v1.OfferID;
import org.mezzo.protocol.v1.Resource;
import org.mezzo.protocol.v1.Value;
import org.mezzo.protocol.v1.scheduler.Event;
import org.mezzo.resources.Resources;

class OffersTest {
  private final Given given = new Given();
  private final String agent = given.agentOn(1, "cpus:4;mem:100;ephemeral_ports:[1-2]");
  private final String framework = given.subscribed("r", "q");

  private Optional<String> objection(String framework, String role, String agent, Resources what) {
    return Offers.objection(given.state(), new Proposal(framework, role, agent, what));
  }

  private Given decline(String framework, Offer offer, double seconds) {
    return given.run(
        tx ->
            Offers.decline(tx, framework, List.of(offer.message().getId()), Given.refuse(seconds)));
  }

  /** Rules 53 to 55. */
  @Test
  void anOfferIsOfOneAgentAndOneRole() {
    Offer offer = given.offer(framework, "r", agent, "cpus:1;ephemeral_ports:[1-1]");
    assertThat(offer.id()).isEqualTo("m-O0");
    assertThat(offer.message().getHostname()).isEqualTo("h1");
    assertThat(offer.message().getUrl().getPath()).isEqualTo("/slave(1)");
    assertThat(offer.message().getAllocationInfo().getRole()).isEqualTo("r");
    assertThat(offer.message().getResourcesList())
        .singleElement()
        .satisfies(
            resource -> {
              assertThat(resource.getName()).isEqualTo("cpus");
              assertThat(resource.getAllocationInfo().getRole()).isEqualTo("r");
            });
    assertThat(given.account(agent).free().scalar("cpus")).isEqualTo(3000);
    assertThat(given.effects()).isEmpty();

    String plain =
        given.subscribed(FrameworkInfo.newBuilder().setUser("u").setName("f").setRole("r"));
    Offer older = given.offer(plain, agent, "cpus:1");
    assertThat(older.message().hasAllocationInfo()).isFalse();
    assertThat(older.message().getResources(0).hasAllocationInfo()).isFalse();
    assertThat(older.message().getResources(0).getRole()).isEqualTo("*");
  }

  /** Rule 46. */
  @Test
  void thoseThatStillStandAreSentInOneEvent() {
    Offer one = given.offer(framework, "r", agent, "cpus:1");
    Offer gone = given.offer(framework, "r", agent, "cpus:1");
    Offer two = given.offer(framework, "q", agent, "cpus:1");
    decline(framework, gone, 0);
    given.run(tx -> Offers.announce(tx, framework, List.of(one.id(), gone.id(), two.id())));
    assertThat(given.sentTo(framework)).hasSize(1);
    assertThat(given.sentTo(framework).get(0).getOffers().getOffersList())
        .containsExactly(one.message(), two.message());
    given.run(tx -> Offers.announce(tx, framework, List.of(gone.id())));
    assertThat(given.effects()).isEmpty();
  }

  /** Rule 56. */
  @Test
  void whatAnAllocatorMayNotPropose() {
    Resources cpu = Given.resources("cpus:1").allocatedTo("r");
    assertThat(objection(framework, "r", agent, cpu)).isEmpty();
    assertThat(objection("x", "r", agent, cpu)).contains("framework is not active");
    assertThat(objection(framework, "s", agent, Given.resources("cpus:1").allocatedTo("s")))
        .contains("framework is not subscribed to the role");
    assertThat(objection(framework, "r", "x", cpu)).contains("agent is not active");
    assertThat(objection(framework, "r", agent, Resources.EMPTY)).contains("nothing is proposed");
    assertThat(objection(framework, "q", agent, cpu))
        .contains("resources are not allocated to the role");
    assertThat(objection(framework, "r", agent, Given.resources("cpus:5").allocatedTo("r")))
        .contains("resources are not free");
    given.run(tx -> Disconnections.disconnected(tx, agent));
    assertThat(objection(framework, "r", agent, cpu)).contains("agent is not active");
  }

  /** Rule 318: whatever an allocator proposes. */
  @Test
  void onlyWhoKnowsRevocableResourcesIsOfferedSome() throws Exception {
    Resources lent =
        Resources.of(
            List.of(
                Resource.newBuilder()
                    .setName("cpus")
                    .setType(Value.Type.SCALAR)
                    .setScalar(Value.Scalar.newBuilder().setValue(2))
                    .setRevocable(Resource.RevocableInfo.getDefaultInstance())
                    .build()));
    given.run(tx -> Agents.update(tx, agent, UpdateAgent.getDefaultInstance(), lent));
    String able =
        given.subscribed(
            given
                .info("r")
                .addCapabilities(
                    FrameworkInfo.Capability.newBuilder()
                        .setType(FrameworkInfo.Capability.Type.REVOCABLE_RESOURCES)));
    assertThat(objection(able, "r", agent, lent.allocatedTo("r"))).isEmpty();
    assertThat(objection(framework, "r", agent, lent.allocatedTo("r")))
        .contains("framework does not know revocable resources");
  }

  /** Rule 57. */
  @Test
  void anOfferThatNobodyAnswersIsRescinded() {
    given.settings(it -> it.withOfferTimeout(Duration.ofSeconds(7)));
    Offer offer = given.offer(framework, "r", agent, "cpus:1");
    assertThat(given.only(Effect.After.class).delay()).isEqualTo(Duration.ofSeconds(7));
    Step expired = given.only(Effect.After.class).step();
    given.expired();
    assertThat(given.typesTo(framework)).containsExactly(Event.Type.RESCIND);
    assertThat(given.toldAllocator()).containsExactly("released");
    assertThat(given.effects(Effect.Allocate.class)).hasSize(1);
    given.run(expired);
    assertThat(given.effects()).isEmpty();

    Offer answered = given.offer(framework, "r", agent, "cpus:1");
    String timer = given.only(Effect.After.class).name();
    decline(framework, answered, 0);
    assertThat(given.effects(Effect.CallOff.class)).containsExactly(new Effect.CallOff(timer));
    assertThat(offer.id()).isNotEqualTo(answered.id());
  }

  @Test
  void whoNeverUsesAnOfferIsFoundOutAndForgivenWhenItUsesOneOrWantsNone() {
    given.settings(it -> it.withOfferTimeout(Duration.ofSeconds(7)));
    given.offer(framework, "r", agent, "cpus:1");
    given.expired();
    assertThat(given.counted()).contains("master/mezzo/offers_timed_out");
    for (int i = 1; i < Refusals.CHRONIC_OFFERS; i++) {
      decline(framework, given.offer(framework, "r", agent, "cpus:1"), 0);
    }
    Refusals busy = given.framework(framework).refusals();
    assertThat(busy.offers()).isEqualTo(Refusals.CHRONIC_OFFERS);
    assertThat(busy.timedOut()).isEqualTo(1);
    // Many in a short time are no habit.
    assertThat(busy.chronic()).isFalse();

    given.later(Refusals.CHRONIC_TIME);
    decline(framework, given.offer(framework, "r", agent, "cpus:1"), 0);
    assertThat(given.framework(framework).refusals().chronic()).isTrue();
    assertThat(given.counted()).contains("master/mezzo/chronic_decliners_found");
    decline(framework, given.offer(framework, "r", agent, "cpus:1"), 0);
    assertThat(given.counted()).doesNotContain("master/mezzo/chronic_decliners_found");

    given.run(tx -> Offers.suppress(tx, framework, List.of()));
    assertThat(given.framework(framework).refusals()).isEqualTo(Refusals.NONE);
    given.run(tx -> Offers.revive(tx, framework, List.of()));
    decline(framework, given.offer(framework, "r", agent, "cpus:1"), 0);
    assertThat(given.framework(framework).refusals().offers()).isEqualTo(1);
    given.running(framework, agent, "t", "cpus:1");
    assertThat(given.framework(framework).refusals()).isEqualTo(Refusals.NONE);
  }

  @Test
  void whoKeepsOffersToTheEndIsFoundOutSooner() {
    given.settings(it -> it.withOfferTimeout(Refusals.CHRONIC_TIME.dividedBy(2)));
    for (int i = 1; i <= Refusals.CHRONIC_TIMEOUTS; i++) {
      assertThat(given.framework(framework).refusals().chronic()).isFalse();
      given.offer(framework, "r", agent, "cpus:1");
      given.expired();
    }
    assertThat(given.framework(framework).refusals().chronic()).isTrue();
  }

  /** Rules 58 and 70. */
  @Test
  void aDeclinedOfferLeavesAFilterUnlessItsTimeIsZero() {
    decline(framework, given.offer(framework, "r", agent, "cpus:1"), 0);
    assertThat(given.filters(framework)).isEmpty();
    assertThat(given.toldAllocator()).containsExactly("released");
    decline(framework, given.offer(framework, "r", agent, "cpus:1"), 10);
    assertThat(given.toldAllocator()).containsExactlyInAnyOrder("released", "filterAdded");
    assertThat(Offers.ledger(given.state(), given.now(), Optional.empty()).filters()).hasSize(1);
    // A filter that covers another one replaces it.
    decline(framework, given.offer(framework, "r", agent, "cpus:2"), 20);
    assertThat(Offers.ledger(given.state(), given.now(), Optional.empty()).filters()).hasSize(1);

    given.later(Duration.ofSeconds(21));
    assertThat(Offers.ledger(given.state(), given.now(), Optional.empty()).filters()).isEmpty();
    given.run(tx -> Offers.expireFilters(tx, framework));
    assertThat(given.filters(framework)).isEmpty();
  }

  @Test
  void unknownAndForeignOffersAreNotDeclined() {
    String other = given.subscribed("r");
    Offer offer = given.offer(framework, "r", agent, "cpus:1");
    decline(other, offer, 0);
    given.run(
        tx ->
            Offers.decline(
                tx,
                framework,
                List.of(OfferID.newBuilder().setValue("x").build()),
                Given.refuse(0)));
    assertThat(given.counted()).containsExactly("master/invalid_decline_offers_ids");
    assertThat(given.state().offers()).hasSize(1);
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
    assertThat(
            Offers.refusal(
                org.mezzo.protocol.v1.Filters.getDefaultInstance().getRefuseSeconds(), interval))
        .contains(Duration.ofSeconds(5));
  }

  /** Rule 69. */
  @Test
  void suppressedRolesKeepTheirOffersAndRevivedOnesLoseTheirFilters() {
    decline(framework, given.offer(framework, "r", agent, "cpus:1"), 100);
    decline(framework, given.offer(framework, "q", agent, "cpus:1"), 100);
    given.offer(framework, "r", agent, "cpus:1");
    given.run(tx -> Offers.suppress(tx, framework, List.of("r")));
    assertThat(given.framework(framework).subscription().suppressed()).containsExactly("r");
    assertThat(given.ledger().offersTo(framework)).hasSize(1);
    assertThat(given.toldAllocator()).containsExactly("frameworkUpdated");
    given.run(tx -> Offers.suppress(tx, framework, List.of("q", "strange")));
    assertThat(given.framework(framework).subscription().suppressed()).containsExactly("r");
    given.run(tx -> Offers.suppress(tx, framework, List.of()));
    assertThat(given.framework(framework).subscription().suppressed()).containsOnly("r", "q");

    given.run(tx -> Offers.revive(tx, framework, List.of("strange")));
    assertThat(given.effects()).isEmpty();
    given.run(tx -> Offers.revive(tx, framework, List.of("r")));
    assertThat(given.framework(framework).subscription().suppressed()).containsExactly("q");
    assertThat(given.filters(framework)).hasSize(1);
    assertThat(given.effects(Effect.Allocate.class)).hasSize(1);
    given.run(tx -> Offers.revive(tx, framework, List.of()));
    assertThat(given.framework(framework).subscription().suppressed()).isEmpty();
    assertThat(given.filters(framework)).isEmpty();
  }

  @Test
  void theLedgerTellsASuccessorWhoHoldsWhat() {
    given.offer(framework, "r", agent, "cpus:1");
    given.launched(framework, agent, "t", "cpus:2");
    var ledger = Offers.ledger(given.state(), given.now(), Optional.of(Set.of("h1")));
    Map<String, Resources> used = ledger.agents().get(0).used();
    assertThat(used.get(framework).scalar("cpus")).isEqualTo(3000);
    assertThat(ledger.frameworks().get(0).roles()).containsExactlyInAnyOrder("q", "r");
    assertThat(ledger.whitelist()).contains(Set.of("h1"));
  }
}
