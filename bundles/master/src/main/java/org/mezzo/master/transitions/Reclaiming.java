package org.mezzo.master.transitions;

import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.mezzo.api.allocator.InverseAnswer;
import org.mezzo.master.state.Agent;
import org.mezzo.master.state.Framework;
import org.mezzo.master.state.InverseOffers;
import org.mezzo.master.state.MasterState;
import org.mezzo.protocol.v1.AgentID;
import org.mezzo.protocol.v1.Filters;
import org.mezzo.protocol.v1.FrameworkID;
import org.mezzo.protocol.v1.InverseOffer;
import org.mezzo.protocol.v1.OfferID;
import org.mezzo.protocol.v1.TimeInfo;
import org.mezzo.protocol.v1.URL;
import org.mezzo.protocol.v1.allocator.InverseOfferStatus;
import org.mezzo.protocol.v1.scheduler.Event;

/**
 * Inverse offers: frameworks are asked to give back what they hold on agents that are planned to be
 * unavailable (rules 46, 57, 71, 242, 246). Allocators say whom to ask, and are told what becomes
 * of it.
 */
public final class Reclaiming {
  private Reclaiming() {}

  /** Asks frameworks, each in one event; what does not fit the ledger is told to be withdrawn. */
  public static void ask(Transition tx, List<org.mezzo.api.allocator.InverseOffer> wanted) {
    Map<String, Event.InverseOffers.Builder> events = new LinkedHashMap<>();
    for (var one : wanted) {
      if (!fits(tx.state(), one)) {
        if (tx.agent(one.agentId()) != null && !waiting(tx.state(), one)) {
          tellAnswered(tx, one, InverseAnswer.Outcome.WITHDRAWN, Optional.empty());
        }
        continue;
      }
      InverseOffer offer = make(tx, one);
      events
          .computeIfAbsent(one.frameworkId(), unused -> Event.InverseOffers.newBuilder())
          .addInverseOffers(offer);
    }
    events.forEach(
        (frameworkId, event) ->
            tx.send(
                tx.framework(frameworkId),
                Event.newBuilder()
                    .setType(Event.Type.INVERSE_OFFERS)
                    .setInverseOffers(event)
                    .build()));
  }

  private static boolean waiting(MasterState state, org.mezzo.api.allocator.InverseOffer one) {
    return state.inverseOffers().waiting(one.frameworkId(), one.agentId());
  }

  private static boolean fits(MasterState state, org.mezzo.api.allocator.InverseOffer one) {
    Agent agent = state.agents().get(one.agentId());
    Framework framework = state.frameworks().get(one.frameworkId());
    if (agent == null || framework == null) {
      return false;
    }
    var account = state.account(agent.id());
    return agent.connected()
        && agent.unavailability().isPresent()
        && framework.active()
        && (account.allocated().containsKey(framework.id())
            || account.offered().containsKey(framework.id()))
        && !waiting(state, one);
  }

  private static InverseOffer make(Transition tx, org.mezzo.api.allocator.InverseOffer one) {
    Map.Entry<String, MasterState> id = tx.state().newOfferId();
    Agent agent = tx.agent(one.agentId());
    InverseOffer offer =
        InverseOffer.newBuilder()
            .setId(OfferID.newBuilder().setValue(id.getKey()))
            .setUrl(
                URL.newBuilder().setScheme("http").setAddress(agent.address()).setPath("/slave(1)"))
            .setFrameworkId(FrameworkID.newBuilder().setValue(one.frameworkId()))
            .setAgentId(AgentID.newBuilder().setValue(one.agentId()))
            .setUnavailability(agent.unavailability().orElseThrow())
            .build();
    tx.become(id.getValue());
    put(tx, tx.state().inverseOffers().with(offer));
    tx.settings()
        .frameworks()
        .offerTimeout()
        .ifPresent(
            timeout ->
                tx.after(
                    timer(offer),
                    timeout,
                    later -> {
                      if (later.state().inverseOffers().outstanding().containsValue(offer)) {
                        rescind(later, offer);
                      }
                    }));
    return offer;
  }

  private static String timer(InverseOffer offer) {
    return "timeout of inverse offer " + offer.getId().getValue();
  }

  private static void put(Transition tx, InverseOffers next) {
    tx.become(tx.state().with(next));
  }

  /** Takes back what is asked about an agent, and tells those who were asked. */
  static void rescind(Transition tx, String agentId) {
    tx.state().inverseOffers().about(agentId).forEach(offer -> rescind(tx, offer));
  }

  private static void rescind(Transition tx, InverseOffer offer) {
    withdraw(tx, offer);
    Framework framework = tx.framework(offer.getFrameworkId().getValue());
    if (framework != null) {
      tx.send(
          framework,
          Event.newBuilder()
              .setType(Event.Type.RESCIND_INVERSE_OFFER)
              .setRescindInverseOffer(
                  Event.RescindInverseOffer.newBuilder().setInverseOfferId(offer.getId()))
              .build());
    }
  }

  private static void withdraw(Transition tx, InverseOffer offer) {
    close(tx, offer);
    tellAnswered(tx, named(offer), InverseAnswer.Outcome.WITHDRAWN, Optional.empty());
  }

  private static void close(Transition tx, InverseOffer offer) {
    if (tx.settings().frameworks().offerTimeout().isPresent()) {
      tx.callOff(timer(offer));
    }
    put(tx, tx.state().inverseOffers().without(offer));
  }

  /** Takes back, without a word, what a framework is asked (rules 33, 39). */
  static void withdrawAll(Transition tx, String frameworkId) {
    tx.state().inverseOffers().to(frameworkId).forEach(offer -> withdraw(tx, offer));
  }

  /** Forgets what was said about an agent; it is gone, or planned for another time. */
  static void forgetAgent(Transition tx, String agentId) {
    put(tx, tx.state().inverseOffers().withoutAgent(agentId));
  }

  /** Forgets what a framework said, which is gone. */
  static void forgetFramework(Transition tx, String frameworkId) {
    put(tx, tx.state().inverseOffers().withoutFramework(frameworkId));
  }

  /** ACCEPT_INVERSE_OFFERS and DECLINE_INVERSE_OFFERS: noted, and nothing else (rule 246). */
  public static void answer(
      Transition tx, String frameworkId, List<OfferID> ids, boolean accepted, Filters filters) {
    for (OfferID id : ids) {
      InverseOffer offer = tx.state().inverseOffers().outstanding().get(id.getValue());
      if (offer == null || !offer.getFrameworkId().getValue().equals(frameworkId)) {
        continue;
      }
      close(tx, offer);
      Optional<Instant> expires =
          Offers.refusal(filters.getRefuseSeconds(), tx.settings().allocationInterval())
              .map(tx.now()::plus);
      InverseOfferStatus status =
          InverseOfferStatus.newBuilder()
              .setStatus(
                  accepted ? InverseOfferStatus.Status.ACCEPT : InverseOfferStatus.Status.DECLINE)
              .setFrameworkId(offer.getFrameworkId())
              .setTimestamp(TimeInfo.newBuilder().setNanoseconds(AgentRegistry.nanos(tx.now())))
              .build();
      String agentId = offer.getAgentId().getValue();
      put(
          tx,
          tx.state()
              .inverseOffers()
              .with(frameworkId, agentId, new InverseOffers.Answer(status, expires)));
      tellAnswered(tx, named(offer), outcome(status), expires);
    }
  }

  /** REVIVE: whoever has said something may be asked again at once (rule 69). */
  static void removeFilters(Transition tx, String frameworkId) {
    for (var entry : tx.state().inverseOffers().answers().entrySet()) {
      InverseOffers.Answer given = entry.getValue().get(frameworkId);
      if (given != null && given.filterExpires().isPresent()) {
        put(
            tx,
            tx.state()
                .inverseOffers()
                .with(
                    frameworkId,
                    entry.getKey(),
                    new InverseOffers.Answer(given.status(), Optional.empty())));
        tellAnswered(
            tx,
            new org.mezzo.api.allocator.InverseOffer(frameworkId, entry.getKey()),
            outcome(given.status()),
            Optional.empty());
      }
    }
  }

  private static InverseAnswer.Outcome outcome(InverseOfferStatus status) {
    return status.getStatus() == InverseOfferStatus.Status.ACCEPT
        ? InverseAnswer.Outcome.ACCEPTED
        : InverseAnswer.Outcome.DECLINED;
  }

  private static org.mezzo.api.allocator.InverseOffer named(InverseOffer offer) {
    return new org.mezzo.api.allocator.InverseOffer(
        offer.getFrameworkId().getValue(), offer.getAgentId().getValue());
  }

  private static void tellAnswered(
      Transition tx,
      org.mezzo.api.allocator.InverseOffer offer,
      InverseAnswer.Outcome outcome,
      Optional<Instant> expires) {
    InverseAnswer answer = InverseAnswer.builder(offer, outcome).filterExpires(expires).build();
    tx.tell("inverseOfferAnswered", it -> it.inverseOfferAnswered(answer));
  }

  /** Those that wait for an answer, as an allocator that starts is told of them. */
  static List<org.mezzo.api.allocator.InverseOffer> outstanding(MasterState state) {
    return state.inverseOffers().outstanding().values().stream().map(Reclaiming::named).toList();
  }

  /** What was answered and keeps questions away still, as an allocator that starts is told. */
  static List<InverseAnswer> answers(MasterState state, Instant now) {
    List<InverseAnswer> answers = new ArrayList<>();
    state
        .inverseOffers()
        .answers()
        .forEach(
            (agentId, byFramework) ->
                byFramework.forEach(
                    (frameworkId, given) -> {
                      if (given.filterExpires().filter(it -> it.isAfter(now)).isPresent()) {
                        var offer = new org.mezzo.api.allocator.InverseOffer(frameworkId, agentId);
                        answers.add(
                            InverseAnswer.builder(offer, outcome(given.status()))
                                .filterExpires(given.filterExpires())
                                .build());
                      }
                    }));
    return answers;
  }
}
