package org.mezzo.api.allocator;

import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.mezzo.api.Module;
import org.mezzo.resources.Resources;
import org.osgi.annotation.versioning.ConsumerType;

/**
 * Decides which framework is offered which agent's resources.
 *
 * <p>The master owns the ledger (who has what, filters, suppression, weights, quotas); an allocator
 * keeps an index of it and proposes. {@link #start} hands over the whole ledger; after it every
 * change of the ledger arrives as exactly one call, in order, so that index and ledger agree
 * whenever {@link #allocate} is called. Proposals are checked against the ledger by the master; one
 * that does not fit is dropped with a metric and given back through {@link #released}.
 *
 * <p>Threading: see {@link org.mezzo.api.Module}. Deadline of each call: 10 seconds, of {@link
 * #start} 60 seconds. When an instance is replaced its successor gets {@link #start} before any
 * other call; soft state (service counts and the like) starts anew. An instance that threw is
 * replaced by a fresh one after a second, for its index may not be what the ledger is; when the
 * same method throws five times in a row, also in fresh ones, the module is quarantined. While a
 * daemon has no allocator everything but new offers works.
 *
 * <p>Agent and framework ids are the text of the protocol ids. Resources carry their allocation
 * role where they are allocated or offered and none where they are totals.
 */
@ConsumerType
public interface Allocator extends Module {

  /** The value of {@code mezzo.module.kind} of allocators. */
  String KIND = "allocator";

  /** The whole ledger, once, after {@link #open} and before every other call. */
  void start(AllocatorOptions options, AllocationState state);

  /** An agent was added, with what is already used on it. */
  void agentAdded(AgentState agent);

  /** Info, total, activation or unavailability of an agent changed; {@code used} has not. */
  void agentUpdated(AgentState agent);

  /** An agent is gone, and with it everything held on it; filters for it are gone too. */
  void agentRemoved(String agentId);

  /** A framework was added; what it already holds came or comes with the agents. */
  void frameworkAdded(FrameworkState framework);

  /** Roles, suppression, activity, capabilities or info of a framework changed. */
  void frameworkUpdated(FrameworkState framework);

  /** A framework is gone; whatever it held was released before. */
  void frameworkRemoved(String frameworkId);

  /** A framework got resources without a proposal of this instance (operator, re-registration). */
  void allocated(String frameworkId, String agentId, Resources resources);

  /**
   * Offered or allocated resources are free again.
   *
   * @param resources with their allocation role, a single one
   */
  void released(String frameworkId, String agentId, Resources resources);

  /**
   * Part of what a framework holds was converted (reservation, volume): {@code from} is no longer
   * held and {@code to} is. The agent's new total arrives by {@link #agentUpdated}.
   */
  default void converted(String frameworkId, String agentId, Resources from, Resources to) {
    released(frameworkId, agentId, from);
    allocated(frameworkId, agentId, to);
  }

  /** A framework refused resources for some time. */
  void filterAdded(OfferFilter filter);

  /**
   * Filters of a framework are gone before their time (revive, deactivation, role dropped, agent
   * changed).
   *
   * @param roles only these roles; empty means every role
   * @param agentId only this agent; empty means every agent
   */
  void filtersRemoved(String frameworkId, Set<String> roles, Optional<String> agentId);

  /** The weights that were set, all of them, by role; of others it is 1. */
  void weightsUpdated(Map<String, Double> weights);

  /** The quotas, all of them, by role. */
  void quotasUpdated(Map<String, Quota> quotas);

  /** The hostnames that may be offered; empty means all. */
  default void whitelistUpdated(Optional<Set<String>> hostnames) {}

  /**
   * Runs one allocation cycle.
   *
   * @param candidates ids of the agents to look at; empty means all of them
   * @return what to offer; the instance regards it as offered from the return on
   */
  List<Proposal> allocate(Optional<Set<String>> candidates);

  /**
   * The master has read the registry after it was elected. It comes when the agents of before come
   * back, of which some may have been added already; instances that start later find it in {@link
   * AllocationState#recovery}.
   */
  default void recovered(Recovery recovery) {}

  /**
   * Says whom to ask to give back what he holds on agents with {@link AgentState#unavailability}.
   * Called after a cycle, with the same candidates. The master drops what does not fit its ledger
   * and tells {@link #inverseOfferAnswered} that it was withdrawn.
   *
   * @param candidates ids of the agents to look at; empty means all of them
   * @return what to send; the instance regards it as unanswered from the return on
   */
  default List<InverseOffer> inverseOffers(Optional<Set<String>> candidates) {
    return List.of();
  }

  /** An inverse offer was answered, or taken back before it was. */
  default void inverseOfferAnswered(InverseAnswer answer) {}

  /**
   * Says why a framework is not offered anything under a role. Asked by people, so it may take
   * longer than other calls; but the next cycle waits for it.
   *
   * @return empty when this allocator does not explain itself
   */
  default Optional<OfferExplanation> explain(OfferQuestion question) {
    return Optional.empty();
  }
}
