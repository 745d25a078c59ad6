package org.mezzo.allocator.drf;

import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.function.Consumer;
import org.mezzo.api.DaemonContext;
import org.mezzo.api.Metrics;
import org.mezzo.api.MezzoModule;
import org.mezzo.api.allocator.AgentState;
import org.mezzo.api.allocator.AllocationState;
import org.mezzo.api.allocator.Allocator;
import org.mezzo.api.allocator.AllocatorOptions;
import org.mezzo.api.allocator.FrameworkState;
import org.mezzo.api.allocator.InverseAnswer;
import org.mezzo.api.allocator.InverseOffer;
import org.mezzo.api.allocator.OfferExplanation;
import org.mezzo.api.allocator.OfferFilter;
import org.mezzo.api.allocator.OfferQuestion;
import org.mezzo.api.allocator.Proposal;
import org.mezzo.api.allocator.Quota;
import org.mezzo.api.allocator.Recovery;
import org.mezzo.resources.Resources;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.ServiceScope;

/**
 * Offers agents by hierarchical dominant resource fairness: the role, and in it the framework, with
 * the least weighted dominant share is offered all that is free on the next agent, within quotas
 * and filters.
 */
@Component(service = Allocator.class, scope = ServiceScope.PROTOTYPE)
@MezzoModule(
    kind = Allocator.KIND,
    name = "hierarchical",
    version = "0.1.0",
    author = "Mezzo",
    description = "hierarchical dominant resource fairness with weights, quotas and filters")
public final class HierarchicalAllocator implements Allocator {
  /** How long an expired filter may stay in memory when nobody looks at it. */
  private static final Duration SWEEP = Duration.ofSeconds(60);

  private final Random random;
  private final Consumer<List<Agent>> shuffle;
  private Clock clock = Clock.systemUTC();
  private Optional<Metrics> metrics = Optional.empty();
  private ClusterIndex index;
  private Optional<Set<String>> whitelist = Optional.empty();
  private final RecoveryPause pause = new RecoveryPause();
  private Instant nextSweep = Instant.MIN;

  /** An allocator that visits agents in random order. */
  @Activate
  public HierarchicalAllocator() {
    this.random = new Random();
    this.shuffle = agents -> Collections.shuffle(agents, random);
    this.index = new ClusterIndex(AllocatorOptions.builder().build(), random);
  }

  /**
   * @param random where the random sorter gets its chances from
   * @param shuffle brings the agents of a cycle into the order in which they are visited
   */
  HierarchicalAllocator(Random random, Consumer<List<Agent>> shuffle) {
    this.random = random;
    this.shuffle = shuffle;
    this.index = new ClusterIndex(AllocatorOptions.builder().build(), random);
  }

  @Override
  public void open(DaemonContext context) {
    clock = context.clock();
    metrics = Optional.of(context.metrics());
  }

  @Override
  public void start(AllocatorOptions options, AllocationState state) {
    index = new ClusterIndex(options, random);
    state.agents().forEach(index::addAgent);
    state.frameworks().forEach(index::addFramework);
    state.filters().forEach(this::filterAdded);
    weightsUpdated(state.weights());
    quotasUpdated(state.quotas());
    whitelistUpdated(state.whitelist());
    pause.configure(options);
    pause.begin(state.recovery(), !state.quotas().isEmpty());
    for (InverseOffer offer : state.inverseOffers()) {
      maintenance(offer).ifPresent(it -> it.ask(offer.frameworkId()));
    }
    state.inverseAnswers().forEach(this::inverseOfferAnswered);
  }

  @Override
  public void recovered(Recovery recovery) {
    pause.begin(Optional.of(recovery), !index.quotas.isEmpty());
  }

  @Override
  public void agentAdded(AgentState agent) {
    index.addAgent(agent);
  }

  @Override
  public void agentUpdated(AgentState agent) {
    index.updateAgent(agent);
  }

  @Override
  public void agentRemoved(String agentId) {
    index.removeAgent(agentId);
  }

  @Override
  public void frameworkAdded(FrameworkState framework) {
    index.updateFramework(framework);
  }

  @Override
  public void frameworkUpdated(FrameworkState framework) {
    index.updateFramework(framework);
  }

  @Override
  public void frameworkRemoved(String frameworkId) {
    index.removeFramework(frameworkId);
  }

  @Override
  public void allocated(String frameworkId, String agentId, Resources resources) {
    index.allocate(frameworkId, agentId, resources);
  }

  @Override
  public void released(String frameworkId, String agentId, Resources resources) {
    index.release(frameworkId, agentId, resources);
  }

  @Override
  public void converted(String frameworkId, String agentId, Resources from, Resources to) {
    index.convert(frameworkId, agentId, from, to);
  }

  @Override
  public void filterAdded(OfferFilter filter) {
    Member member = index.find(filter.frameworkId(), filter.role());
    Agent agent = index.agents.get(filter.agentId());
    if (member != null && agent != null) {
      member.refuse(agent, filter.resources(), filter.expires());
    }
  }

  @Override
  public void filtersRemoved(String frameworkId, Set<String> roles, Optional<String> agentId) {
    Framework framework = index.frameworks.get(frameworkId);
    if (framework == null) {
      return;
    }
    Optional<Agent> agent = agentId.map(index.agents::get);
    if (agentId.isPresent() && agent.isEmpty()) {
      return;
    }
    framework.members.forEach(
        (role, member) -> {
          if (roles.isEmpty() || roles.contains(role)) {
            forgetRefusals(member, agent);
          }
        });
  }

  private void forgetRefusals(Member member, Optional<Agent> agent) {
    if (agent.isPresent()) {
      if (member.forgetRefusals(agent.get())) {
        index.wake(agent.get());
      }
    } else if (member.refuses()) {
      member.forgetRefusals();
      index.changed(member);
    }
  }

  @Override
  public void weightsUpdated(Map<String, Double> weights) {
    index.roleSorter.setWeights(weights);
  }

  @Override
  public void quotasUpdated(Map<String, Quota> quotas) {
    index.setQuotas(quotas);
  }

  @Override
  public void whitelistUpdated(Optional<Set<String>> hostnames) {
    whitelist = hostnames.map(Set::copyOf);
    index.changed();
  }

  @Override
  public List<Proposal> allocate(Optional<Set<String>> candidates) {
    Instant now = clock.instant();
    sweep(now);
    if (pause.holds(index.agents.size(), now)) {
      return List.of();
    }
    List<Agent> agents =
        candidates.isPresent()
            ? index.agentsOf(candidates.get())
            : index.agentsToVisit(Refusal.millis(now));
    agents.removeIf(agent -> !mayBeOffered(agent));
    List<Proposal> proposals = new Cycle(index, agents, now, shuffle).run();
    metrics.ifPresent(
        numbers -> {
          numbers.counter("cycles").increment();
          numbers.counter("proposals").add(proposals.size());
        });
    return proposals;
  }

  @Override
  public List<InverseOffer> inverseOffers(Optional<Set<String>> candidates) {
    Instant now = clock.instant();
    if (pause.holds(index.agents.size(), now)) {
      return List.of();
    }
    List<InverseOffer> offers = new ArrayList<>();
    for (Agent agent : ofRun(candidates)) {
      if (agent.maintenance != null) {
        for (String framework :
            agent.maintenance.toAsk(agent.used.keySet(), this::isActive, Refusal.millis(now))) {
          agent.maintenance.ask(framework);
          offers.add(new InverseOffer(framework, agent.id));
        }
      }
    }
    return offers;
  }

  private boolean isActive(String frameworkId) {
    Framework framework = index.frameworks.get(frameworkId);
    return framework != null && framework.state.active();
  }

  @Override
  public void inverseOfferAnswered(InverseAnswer answer) {
    maintenance(answer.offer()).ifPresent(it -> it.answered(answer));
  }

  /** The announcement that an inverse offer is about, if it still stands. */
  private Optional<Maintenance> maintenance(InverseOffer offer) {
    return Optional.ofNullable(index.agents.get(offer.agentId()))
        .map(agent -> agent.maintenance)
        .filter(announced -> index.frameworks.containsKey(offer.frameworkId()));
  }

  @Override
  public Optional<OfferExplanation> explain(OfferQuestion question) {
    return Optional.of(
        new Explainer(index, pause, this::isListed, clock.instant()).explain(question));
  }

  private List<Agent> ofRun(Optional<Set<String>> candidates) {
    List<Agent> agents =
        candidates.isPresent()
            ? index.agentsOf(candidates.get())
            : new ArrayList<>(index.agents.values());
    agents.removeIf(agent -> !mayBeOffered(agent));
    return agents;
  }

  private boolean mayBeOffered(Agent agent) {
    return agent.active && isListed(agent);
  }

  private boolean isListed(Agent agent) {
    return whitelist.isEmpty() || whitelist.get().contains(agent.info.getHostname());
  }

  private void sweep(Instant now) {
    if (now.isBefore(nextSweep)) {
      return;
    }
    nextSweep = now.plus(SWEEP);
    for (Framework framework : index.frameworks.values()) {
      framework
          .members
          .values()
          .forEach(member -> member.forgetExpired(Refusal.millis(now), index::wake));
    }
  }

  /** For tests that look behind the proposals. */
  ClusterIndex index() {
    return index;
  }
}
