package org.mezzo.master.transitions;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.mezzo.api.allocator.AllocationState;
import org.mezzo.api.allocator.InverseAnswer;
import org.mezzo.protocol.v1.InverseOffer;
import org.mezzo.protocol.v1.MachineID;
import org.mezzo.protocol.v1.OfferID;
import org.mezzo.protocol.v1.allocator.InverseOfferStatus;
import org.mezzo.protocol.v1.maintenance.Schedule;
import org.mezzo.protocol.v1.scheduler.Event;

/** {@link Reclaiming} (rules 46, 57, 71, 242, 246). */
class ReclaimingTest {
  private final Given given = new Given();
  private final String agent = given.agentOn(1, "cpus:4");
  private final String framework = given.subscribed(Given.info("r").setCheckpoint(true));

  private void plan(long start) {
    Schedule.Builder schedule = Schedule.newBuilder();
    var window = schedule.addWindowsBuilder();
    window.addMachineIds(MachineID.newBuilder().setHostname("h1").setIp("10.0.0.1"));
    window.getUnavailabilityBuilder().getStartBuilder().setNanoseconds(start);
    given
        .run(
            tx ->
                Maintenances.order(
                    tx, new MaintenanceOrder.Plan(schedule.build()), true, Outcome.UNHEARD))
        .stored();
  }

  private Given ask(String frameworkId) {
    return given.run(
        tx ->
            Reclaiming.ask(
                tx, List.of(new org.mezzo.api.allocator.InverseOffer(frameworkId, agent))));
  }

  private InverseOffer asked() {
    plan(1);
    given.running(framework, agent, "t", "cpus:1");
    ask(framework);
    return given.state().inverseOffers().outstanding().values().iterator().next();
  }

  private Given answer(OfferID id, boolean accepted, double seconds) {
    return given.run(
        tx -> Reclaiming.answer(tx, framework, List.of(id), accepted, Given.refuse(seconds)));
  }

  private List<InverseOfferStatus> statuses() {
    return given.state().inverseOffers().statuses(agent).toList();
  }

  private AllocationState ledger() {
    return Offers.ledger(given.state(), given.now(), Optional.empty());
  }

  @Test
  void whoHoldsSomethingIsAskedOnceAndTheAnswerIsNoted() {
    final InverseOffer offer = asked();
    Event event = given.sentTo(framework).get(0);
    assertThat(event.getType()).isEqualTo(Event.Type.INVERSE_OFFERS);
    assertThat(event.getInverseOffers().getInverseOffersList()).containsExactly(offer);
    assertThat(offer.getId().getValue()).startsWith("m-O");
    assertThat(offer.getAgentId().getValue()).isEqualTo(agent);
    assertThat(offer.getUnavailability().getStart().getNanoseconds()).isEqualTo(1);
    assertThat(offer.getUrl().getPath()).isEqualTo("/slave(1)");
    ask(framework);
    assertThat(given.effects()).as("it waits for the answer").isEmpty();
    assertThat(ledger().inverseOffers()).hasSize(1);

    answer(OfferID.newBuilder().setValue("nothing").build(), true, 5);
    assertThat(given.effects()).isEmpty();
    answer(offer.getId(), true, 5);
    assertThat(given.toldAllocator()).containsExactly("inverseOfferAnswered");
    assertThat(statuses())
        .singleElement()
        .matches(it -> it.getStatus() == InverseOfferStatus.Status.ACCEPT)
        .matches(it -> it.getFrameworkId().getValue().equals(framework));
    assertThat(given.framework(framework).tasks()).as("nothing else follows").isNotEmpty();
    assertThat(ledger().inverseOffers()).isEmpty();
    assertThat(ledger().inverseAnswers())
        .singleElement()
        .matches(it -> it.outcome() == InverseAnswer.Outcome.ACCEPTED)
        .matches(it -> it.filterExpires().equals(Optional.of(given.now().plusSeconds(5))));

    given.later(Duration.ofSeconds(6));
    assertThat(ledger().inverseAnswers()).isEmpty();
    ask(framework);
    InverseOffer second = given.state().inverseOffers().outstanding().values().iterator().next();
    answer(second.getId(), false, 5);
    assertThat(statuses())
        .as("the last answer counts")
        .extracting(InverseOfferStatus::getStatus)
        .containsExactly(InverseOfferStatus.Status.DECLINE);
    given.run(tx -> Offers.revive(tx, framework, List.of()));
    assertThat(ledger().inverseAnswers()).as("rule 69").isEmpty();
    assertThat(statuses()).hasSize(1);
    assertThat(given.toldAllocator()).contains("inverseOfferAnswered");
  }

  @Test
  void whatDoesNotFitIsGivenBackToTheAllocator() {
    plan(1);
    ask(framework);
    assertThat(given.toldAllocator())
        .as("it holds nothing")
        .containsExactly("inverseOfferAnswered");
    assertThat(given.sentTo(framework)).isEmpty();
    given.running(framework, agent, "t", "cpus:1");
    plan(2);
    ask("nobody");
    assertThat(given.toldAllocator()).containsExactly("inverseOfferAnswered");
    given.run(
        tx ->
            Reclaiming.ask(
                tx, List.of(new org.mezzo.api.allocator.InverseOffer(framework, "nobody"))));
    assertThat(given.effects()).isEmpty();
  }

  /** Rule 242. */
  @Test
  void anotherPlanTakesItBackAndForgetsTheAnswers() {
    InverseOffer offer = asked();
    plan(2);
    assertThat(given.typesTo(framework)).containsExactly(Event.Type.RESCIND_INVERSE_OFFER);
    assertThat(given.sentTo(framework).get(0).getRescindInverseOffer().getInverseOfferId())
        .isEqualTo(offer.getId());
    ask(framework);
    answer(given.state().inverseOffers().outstanding().values().iterator().next().getId(), true, 5);
    plan(3);
    assertThat(statuses()).isEmpty();
  }

  @Test
  void aLostAgentTakesItBackAloud() {
    asked();
    given.run(tx -> Disconnections.disconnected(tx, agent));
    assertThat(given.typesTo(framework)).containsExactly(Event.Type.RESCIND_INVERSE_OFFER);
    ask(framework);
    assertThat(given.sentTo(framework)).as("it is away").isEmpty();
  }

  @Test
  void aLostFrameworkTakesItBackSilently() {
    asked();
    given.disconnect(framework);
    assertThat(given.effects(Effect.Send.class)).isEmpty();
    assertThat(given.state().inverseOffers().outstanding()).isEmpty();
    assertThat(given.toldAllocator()).contains("inverseOfferAnswered");
  }

  @Test
  void whatAFrameworkSaidGoesWithIt() {
    answer(asked().getId(), true, 5);
    given.run(tx -> Frameworks.remove(tx, tx.framework(framework)));
    assertThat(statuses()).isEmpty();
  }

  @Test
  void whatWasSaidAboutAnAgentGoesWithIt() {
    answer(asked().getId(), true, 5);
    given.unreachable(agent);
    assertThat(given.state().inverseOffers().answers()).isEmpty();
  }

  /** Rule 57. */
  @Test
  void theTimeoutOfOffersCounts() {
    given.settings(it -> it.withOfferTimeout(Duration.ofSeconds(7)));
    asked();
    assertThat(given.only(Effect.After.class).delay()).isEqualTo(Duration.ofSeconds(7));
    given.expired();
    assertThat(given.typesTo(framework)).containsExactly(Event.Type.RESCIND_INVERSE_OFFER);
    assertThat(given.state().inverseOffers().outstanding()).isEmpty();
  }
}
