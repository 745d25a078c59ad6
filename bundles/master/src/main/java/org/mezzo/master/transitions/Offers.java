package org.mezzo.master.transitions;

import java.time.Duration;
import java.time.Instant;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.mezzo.api.allocator.AllocationState;
import org.mezzo.api.allocator.OfferFilter;
import org.mezzo.api.allocator.Proposal;
import org.mezzo.master.ledger.LedgerChange;
import org.mezzo.master.ledger.Offer;
import org.mezzo.master.ledger.OfferFilters;
import org.mezzo.master.state.Agent;
import org.mezzo.master.state.Framework;
import org.mezzo.master.state.MasterState;
import org.mezzo.master.state.Refusals;
import org.mezzo.protocol.v1.AgentID;
import org.mezzo.protocol.v1.ExecutorID;
import org.mezzo.protocol.v1.Filters;
import org.mezzo.protocol.v1.FrameworkID;
import org.mezzo.protocol.v1.FrameworkInfo;
import org.mezzo.protocol.v1.OfferID;
import org.mezzo.protocol.v1.Resource;
import org.mezzo.protocol.v1.URL;
import org.mezzo.protocol.v1.scheduler.Event;
import org.mezzo.resources.Resources;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Offers and the filters that keep them away (rules 46, 47, 53 to 59, 69, 70). */
public final class Offers {
  private static final Logger LOG = LoggerFactory.getLogger(Offers.class);
  private static final Duration DEFAULT_REFUSAL = Duration.ofSeconds(5);
  private static final Duration LONGEST_REFUSAL = Duration.ofDays(365);

  private static final String EPHEMERAL_PORTS = "ephemeral_ports";

  private Offers() {}

  /** The whole ledger as a starting allocator gets it. */
  public static AllocationState ledger(
      MasterState state, Instant now, Optional<Set<String>> whitelist) {
    return Holdings.ledger(state, now, whitelist);
  }

  /** Why a proposal is not turned into an offer; empty when it is. */
  public static Optional<String> objection(MasterState state, Proposal proposal) {
    Framework framework = state.frameworks().get(proposal.frameworkId());
    if (framework == null || !framework.active()) {
      return Optional.of("framework is not active");
    }
    if (!framework.subscription().roles().contains(proposal.role())) {
      return Optional.of("framework is not subscribed to the role");
    }
    Agent agent = state.agents().get(proposal.agentId());
    if (agent == null || !agent.active()) {
      return Optional.of("agent is not active");
    }
    Resources resources = proposal.resources();
    if (resources.isEmpty()) {
      return Optional.of("nothing is proposed");
    }
    Map<String, Resources> roles = resources.allocations();
    if (roles.size() != 1
        || !roles.containsKey(proposal.role())
        || roles.get(proposal.role()).size() != resources.size()) {
      return Optional.of("resources are not allocated to the role");
    }
    Resources wanted = resources.unallocated();
    if (!state.account(agent.id()).free().contains(wanted)) {
      return Optional.of("resources are not free");
    }
    if (wanted.allocatableTo(proposal.role()).size() != wanted.size()) {
      return Optional.of("resources are reserved to another role");
    }
    if (wanted.hasRevocable()
        && !framework.can(FrameworkInfo.Capability.Type.REVOCABLE_RESOURCES)) {
      return Optional.of("framework does not know revocable resources");
    }
    return Optional.empty();
  }

  /** Makes an offer of a proposal to which there is no objection; it is not sent yet. */
  public static Offer make(Transition tx, Proposal proposal) {
    Map.Entry<String, MasterState> id = tx.state().newOfferId();
    tx.become(id.getValue());
    Framework framework = tx.framework(proposal.frameworkId());
    Agent agent = tx.agent(proposal.agentId());
    Offer offer =
        new Offer(
            id.getKey(),
            framework.id(),
            agent.id(),
            proposal.role(),
            proposal.resources(),
            message(id.getKey(), framework, agent, proposal),
            tx.now());
    tx.post(new LedgerChange.Offered(offer));
    tx.settings()
        .frameworks()
        .offerTimeout()
        .ifPresent(
            timeout -> tx.after(timer(offer.id()), timeout, later -> expire(later, offer.id())));
    return offer;
  }

  private static String timer(String offerId) {
    return "timeout of offer " + offerId;
  }

  /** Sends those of the offers that still stand, in one event (rule 46). */
  public static void announce(Transition tx, String frameworkId, List<String> offerIds) {
    Framework framework = tx.framework(frameworkId);
    if (framework == null || !framework.connected()) {
      return;
    }
    Event.Offers.Builder offers = Event.Offers.newBuilder();
    for (String id : offerIds) {
      Offer offer = tx.state().offers().get(id);
      if (offer != null) {
        offers.addOffers(offer.message());
      }
    }
    if (offers.getOffersCount() > 0) {
      tx.send(framework, Event.newBuilder().setType(Event.Type.OFFERS).setOffers(offers).build());
    }
  }

  private static org.mezzo.protocol.v1.Offer message(
      String id, Framework framework, Agent agent, Proposal proposal) {
    boolean multiRole = framework.can(FrameworkInfo.Capability.Type.MULTI_ROLE);
    Resources.Format format =
        framework.can(FrameworkInfo.Capability.Type.RESERVATION_REFINEMENT)
            ? Resources.Format.POST_REFINEMENT
            : Resources.Format.PRE_REFINEMENT;
    Resources shown = multiRole ? proposal.resources() : proposal.resources().unallocated();
    org.mezzo.protocol.v1.Offer.Builder offer =
        org.mezzo.protocol.v1.Offer.newBuilder()
            .setId(OfferID.newBuilder().setValue(id))
            .setFrameworkId(FrameworkID.newBuilder().setValue(framework.id()))
            .setAgentId(AgentID.newBuilder().setValue(agent.id()))
            .setHostname(agent.info().getHostname())
            .setUrl(
                URL.newBuilder().setScheme("http").setAddress(agent.address()).setPath("/slave(1)"))
            .addAllAttributes(agent.info().getAttributesList());
    for (Resource resource : shown.toMessages(format)) {
      if (!resource.getName().equals(EPHEMERAL_PORTS)) {
        offer.addResources(resource);
      }
    }
    if (agent.info().hasDomain()) {
      offer.setDomain(agent.info().getDomain());
    }
    agent.unavailability().ifPresent(offer::setUnavailability);
    for (String executor : agent.executorsOf(framework.id()).keySet()) {
      offer.addExecutorIds(ExecutorID.newBuilder().setValue(executor));
    }
    if (multiRole) {
      offer.setAllocationInfo(Resource.AllocationInfo.newBuilder().setRole(proposal.role()));
    }
    return offer.build();
  }

  /** Takes an offer back, but does not tell the framework (rules 33, 39). */
  static void withdraw(Transition tx, Offer offer) {
    callOff(tx, offer);
    tx.post(new LedgerChange.Withdrawn(offer));
  }

  /** Allocates what offers hold, all of one agent, to the framework that has them. */
  static void claim(Transition tx, List<Offer> offers) {
    offers.forEach(offer -> callOff(tx, offer));
    tx.post(new LedgerChange.Claimed(offers));
  }

  private static void callOff(Transition tx, Offer offer) {
    if (tx.settings().frameworks().offerTimeout().isPresent()) {
      tx.callOff(timer(offer.id()));
    }
  }

  /** Takes an offer back and tells the framework (rule 47). */
  static void rescind(Transition tx, Offer offer) {
    withdraw(tx, offer);
    announceRescission(tx, offer);
  }

  /**
   * Takes offers back in the order of the list, those that still stand, and tells their frameworks;
   * many of them in several turns of the loop.
   */
  static void rescindInTurns(Transition tx, List<String> offerIds) {
    Turns.each(
        tx,
        offerIds,
        (now, id) -> now.state().offer(id).ifPresent(offer -> rescind(now, offer)),
        Turns::end);
  }

  static void announceRescission(Transition tx, Offer offer) {
    Framework framework = tx.framework(offer.frameworkId());
    if (framework != null) {
      tx.send(
          framework,
          Event.newBuilder()
              .setType(Event.Type.RESCIND)
              .setRescind(Event.Rescind.newBuilder().setOfferId(offer.message().getId()))
              .build());
    }
  }

  private static void expire(Transition tx, String offerId) {
    Offer offer = tx.state().offers().get(offerId);
    if (offer != null) {
      rescind(tx, offer);
      tx.count("master/mezzo/offers_timed_out");
      refused(tx, offer.frameworkId(), 0, 1);
      tx.allocate(offer.agentId());
    }
  }

  /** Gives every offer that a framework has now back without a word. */
  static void withdrawAll(Transition tx, Framework framework, Step then) {
    Reclaiming.withdrawAll(tx, framework.id());
    Turns.each(
        tx,
        List.copyOf(tx.state().ledger().offersTo(framework.id())),
        (now, id) -> now.state().offer(id).ifPresent(offer -> withdraw(now, offer)),
        then);
  }

  /** DECLINE (rule 58). */
  public static void decline(
      Transition tx, String frameworkId, List<OfferID> ids, Filters filters) {
    int declined = 0;
    for (OfferID id : ids) {
      Offer offer = tx.state().offers().get(id.getValue());
      if (offer == null || !offer.frameworkId().equals(frameworkId)) {
        tx.count("master/invalid_decline_offers_ids");
        continue;
      }
      withdraw(tx, offer);
      filter(tx, frameworkId, offer.agentId(), offer.role(), offer.resources(), filters);
      declined++;
    }
    refused(tx, frameworkId, declined, 0);
  }

  /** Notes that offers were of no use to a framework, and says so when that goes on and on. */
  static void refused(Transition tx, String frameworkId, int declined, int timedOut) {
    Framework framework = tx.framework(frameworkId);
    if (framework == null || declined + timedOut == 0) {
      return;
    }
    Refusals now = framework.refusals().more(declined, timedOut, tx.now());
    tx.put(framework.with(now));
    if (now.chronic() && !framework.refusals().chronic()) {
      tx.count("master/mezzo/chronic_decliners_found");
      LOG.warn(
          "Framework {} ({}) has used none of {} offers since {}, {} of which it did not answer"
              + " within --offer_timeout: others wait for what it holds or sees in vain. It should"
              + " call SUPPRESS while it needs nothing, or decline with a longer refuse_seconds",
          frameworkId,
          framework.info().getName(),
          now.offers(),
          now.since().orElseThrow(),
          now.timedOut());
    }
  }

  /** Notes that a framework has used an offer, or wants none for now. */
  static void notRefusing(Transition tx, String frameworkId) {
    Framework framework = tx.framework(frameworkId);
    if (framework.refusals().since().isEmpty()) {
      return;
    }
    if (framework.refusals().chronic()) {
      LOG.info(
          "Framework {} ({}) declines chronically no more",
          frameworkId,
          framework.info().getName());
    }
    tx.put(framework.with(Refusals.NONE));
  }

  /** Keeps offers of what a framework has refused away from it, as long as it wants. */
  static void filter(
      Transition tx,
      String frameworkId,
      String agentId,
      String role,
      Resources resources,
      Filters filters) {
    if (resources.isEmpty()) {
      return;
    }
    refusal(filters.getRefuseSeconds(), tx.settings().allocationInterval())
        .ifPresent(
            duration ->
                addFilter(
                    tx,
                    new OfferFilter(
                        frameworkId,
                        role,
                        agentId,
                        resources.unallocated(),
                        tx.now().plus(duration))));
  }

  /** How long a refusal counts (hierarchical-allocator section 6); empty when it does not. */
  static Optional<Duration> refusal(double seconds, Duration allocationInterval) {
    Duration duration;
    if (Double.isNaN(seconds) || seconds < 0) {
      duration = DEFAULT_REFUSAL;
    } else if (seconds > LONGEST_REFUSAL.toSeconds()) {
      duration = LONGEST_REFUSAL;
    } else {
      duration = Duration.ofNanos((long) (seconds * 1e9));
    }
    if (duration.isZero()) {
      return Optional.empty();
    }
    return Optional.of(duration.compareTo(allocationInterval) < 0 ? allocationInterval : duration);
  }

  private static void addFilter(Transition tx, OfferFilter filter) {
    tx.become(tx.state().with(tx.state().filters().with(filter, tx.now())));
    tx.tell("filterAdded", it -> it.filterAdded(filter));
  }

  /** Forgets filters that are over; allocators forget theirs by themselves. */
  public static void expireFilters(Transition tx, String frameworkId) {
    tx.become(tx.state().with(tx.state().filters().swept(frameworkId, tx.now())));
  }

  /**
   * Removes a framework's filters before their time, and tells the allocator.
   *
   * @param roles only for these; empty means for all
   */
  static void removeFilters(Transition tx, String frameworkId, Set<String> roles) {
    OfferFilters filters = tx.state().filters();
    tx.become(
        tx.state()
            .with(
                roles.isEmpty()
                    ? filters.without(frameworkId)
                    : filters.without(frameworkId, roles)));
    tx.tell("filtersRemoved", it -> it.filtersRemoved(frameworkId, roles, Optional.empty()));
  }

  /** Removes all filters for an agent, and tells the allocator. */
  static void removeFilters(Transition tx, String agentId) {
    for (String frameworkId : tx.state().frameworks().keySet()) {
      if (tx.state().filters().any(frameworkId, agentId)) {
        tx.become(tx.state().with(tx.state().filters().withoutAgent(frameworkId, agentId)));
        tx.tell(
            "filtersRemoved", it -> it.filtersRemoved(frameworkId, Set.of(), Optional.of(agentId)));
      }
    }
  }

  /** SUPPRESS (rule 69); empty roles mean all. */
  public static void suppress(Transition tx, String frameworkId, List<String> roles) {
    Framework framework = tx.framework(frameworkId);
    if (!framework.subscription().roles().containsAll(roles)) {
      return;
    }
    Set<String> suppressed = new HashSet<>(framework.subscription().suppressed());
    suppressed.addAll(roles.isEmpty() ? framework.subscription().roles() : roles);
    suppressed(tx, framework, suppressed);
    if (suppressed.containsAll(framework.subscription().roles())) {
      notRefusing(tx, frameworkId);
    }
  }

  /** REVIVE (rule 69); empty roles mean all. */
  public static void revive(Transition tx, String frameworkId, List<String> roles) {
    Framework framework = tx.framework(frameworkId);
    if (!framework.subscription().roles().containsAll(roles)) {
      return;
    }
    Set<String> revived = roles.isEmpty() ? framework.subscription().roles() : new HashSet<>(roles);
    Set<String> suppressed = new HashSet<>(framework.subscription().suppressed());
    suppressed.removeAll(revived);
    removeFilters(tx, frameworkId, Set.copyOf(roles));
    Reclaiming.removeFilters(tx, frameworkId);
    suppressed(tx, tx.framework(frameworkId), suppressed);
    tx.allocate();
  }

  private static void suppressed(Transition tx, Framework framework, Set<String> suppressed) {
    if (suppressed.equals(framework.subscription().suppressed())) {
      return;
    }
    var now = framework.subscription();
    Framework next =
        framework.with(
            new Framework.Subscription(
                now.roles(), Set.copyOf(suppressed), now.capabilities(), now.constraints()));
    tx.put(next);
    tx.tell("frameworkUpdated", it -> it.frameworkUpdated(Holdings.frameworkState(next)));
  }
}
