package org.mezzo.allocator.drf;

import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.function.Predicate;
import org.mezzo.api.allocator.Proposal;
import org.mezzo.resources.Quantities;
import org.mezzo.resources.Resource;
import org.mezzo.resources.ResourceKind.Type;
import org.mezzo.resources.Resources;

/** One allocation run (section 5): first what roles are guaranteed, then fair shares. */
final class Cycle {
  private final ClusterIndex index;
  private final long now;
  private final List<Agent> agents;
  private final QuotaUse quotas;
  private final Consumer<List<Agent>> shuffle;
  private final List<Proposal> proposals = new ArrayList<>();
  private final Map<Agent, Resources> offeredShared = new HashMap<>();
  private final Predicate<Role> guarantees = this::guaranteeTo;
  private final Predicate<Role> shares = this::shareWith;
  private final Predicate<Member> shareWithMember = this::shareWith;

  private Agent agent;
  private Role role;

  /** What is free on the agent for the role, and how much that is if somebody asked. */
  private Resources candidate;

  private Quantities candidateAmounts;
  private int candidateMin;
  private Quantities missing;

  /** When the first refusal ends that stood in the way on this agent. */
  private long wakeUp;

  private Resources refusedBefore;
  private Resources offerBefore;
  private boolean containedBefore;

  /**
   * @param agents those that may be offered
   * @param shuffle brings them into the order in which they are visited
   */
  Cycle(
      ClusterIndex index,
      List<Agent> agents,
      QuotaUse quotas,
      Instant now,
      Consumer<List<Agent>> shuffle) {
    this.index = index;
    this.agents = agents;
    this.quotas = quotas;
    this.now = Refusal.millis(now);
    this.shuffle = shuffle;
  }

  List<Proposal> run() {
    if (quotas.anyGuarantee()) {
      visit(guarantees);
      visit(shares);
      return merged();
    }
    visit(shares);
    return proposals;
  }

  private void visit(Predicate<Role> stage) {
    shuffle.accept(agents);
    for (Agent next : agents) {
      if (next.available.isEmpty() || (quotas.isEmpty() && next.isIdle(index.version(), now))) {
        continue;
      }
      agent = next;
      wakeUp = Long.MAX_VALUE;
      int before = proposals.size();
      index.roleSorter.walk(stage);
      if (quotas.isEmpty() && proposals.size() == before) {
        agent.rememberIdle(index.version(), wakeUp);
      }
    }
  }

  /** What both stages gave to the same framework on the same agent becomes one proposal. */
  private List<Proposal> merged() {
    record Target(String frameworkId, String role, String agentId) {}
    Map<Target, Proposal> all = new LinkedHashMap<>();
    for (Proposal proposal : proposals) {
      all.merge(
          new Target(proposal.frameworkId(), proposal.role(), proposal.agentId()),
          proposal,
          (a, b) ->
              new Proposal(
                  a.frameworkId(), a.role(), a.agentId(), a.resources().plus(b.resources())));
    }
    return new ArrayList<>(all.values());
  }

  private boolean guaranteeTo(Role next) {
    if (agent.available.isEmpty()) {
      return false;
    }
    missing = quotas.missing(next.name);
    if (missing.isEmpty() || (next.nested && !agent.hierarchicalRole)) {
      return true;
    }
    role = next;
    refreshCandidate();
    role.frameworks.walk(this::guaranteeTo);
    return true;
  }

  private boolean guaranteeTo(Member member) {
    if (missing.isEmpty() || candidate.isEmpty()) {
      return false;
    }
    if (!suits(member)) {
      return true;
    }
    Resources fit = strip(candidate, member.framework);
    Resources free = QuotaUse.free(fit);
    Resources granted = free.shrink(missing);
    if (granted.isEmpty()) {
      return true;
    }
    Quantities grantedAmounts = granted.quantities();
    Resources extra = quotas.extra(role.name, free.minus(granted), grantedAmounts);
    Resources companions =
        fit.filter(
            entry ->
                entry.kind().isRevocable()
                    || entry.type() != Type.SCALAR
                    || entry.reservationRole().equals(Optional.of(role.name)));
    Resources limited = granted.plus(extra);
    if (propose(member, limited.plus(companions))) {
      Quantities all = limited.quantities();
      missing = missing.minus(all);
      quotas.guaranteed(role.name, grantedAmounts, all);
    }
    return true;
  }

  private boolean shareWith(Role next) {
    if (agent.available.isEmpty()) {
      return false;
    }
    if (next.nested && !agent.hierarchicalRole) {
      return true;
    }
    role = next;
    refreshCandidate();
    if (!candidate.isEmpty()) {
      role.frameworks.walk(shareWithMember);
    }
    return true;
  }

  private boolean shareWith(Member member) {
    if (candidate.isEmpty()) {
      return false;
    }
    if (!suits(member)) {
      return true;
    }
    Resources fit = strip(candidate, member.framework);
    if (quotas.isEmpty()) {
      propose(member, fit);
      return true;
    }
    Resources free = QuotaUse.free(fit);
    Resources extra = quotas.extra(role.name, free, Quantities.EMPTY);
    if (propose(member, fit.minus(free).plus(extra))) {
      quotas.shared(role.name, extra.quantities());
    }
    return true;
  }

  private void refreshCandidate() {
    Resources free = agent.available.allocatableTo(role.name);
    Resources shared = offeredShared.get(agent);
    candidate = shared == null ? free : free.filter(entry -> !containsKindOf(shared, entry));
    candidateAmounts = null;
    candidateMin = 0;
  }

  private static boolean containsKindOf(Resources shared, Resource wanted) {
    for (int i = 0; i < shared.size(); i++) {
      if (shared.get(i).kind() == wanted.kind()) {
        return true;
      }
    }
    return false;
  }

  /** Everything that does not depend on what exactly is offered, and the least offer. */
  private boolean suits(Member member) {
    Framework framework = member.framework;
    return (!framework.multiRole || agent.multiRole)
        && (framework.gpus || !agent.hasGpus || !index.options.filterGpuResources())
        && (framework.regionAware || !isRemote())
        && candidateIsEnough(member)
        && (member.constraints == null
            || !member.constraints.isAgentExcluded(member.role.name, agent.info));
  }

  private boolean isRemote() {
    Optional<String> home = index.options.region();
    return home.isPresent() && agent.region.isPresent() && !agent.region.equals(home);
  }

  private boolean candidateIsEnough(Member member) {
    if (member.minAllocatable != null) {
      return isEnough(candidateAmounts(), member.minAllocatable);
    }
    if (candidateMin == 0) {
      candidateMin = isEnough(candidateAmounts(), index.options.minAllocatable()) ? 1 : -1;
    }
    return candidateMin > 0;
  }

  private Quantities candidateAmounts() {
    if (candidateAmounts == null) {
      candidateAmounts = candidate.quantities();
    }
    return candidateAmounts;
  }

  private static boolean isEnough(Quantities amounts, List<Quantities> least) {
    for (int i = 0; i < least.size(); i++) {
      if (amounts.contains(least.get(i))) {
        return true;
      }
    }
    return least.isEmpty();
  }

  private static Resources strip(Resources resources, Framework framework) {
    Resources left = resources;
    if (!framework.shared) {
      left = left.nonShared();
    }
    if (!framework.revocable) {
      left = left.nonRevocable();
    }
    return framework.refined ? left : left.nonRefined();
  }

  private boolean isRefused(Member member, Resources offer) {
    if (!member.refuses()) {
      return false;
    }
    for (Refusal refusal = agent.refusal(member); refusal != null; refusal = refusal.next) {
      if (refusal.expires > now && contains(refusal.resources, offer)) {
        wakeUp = Math.min(wakeUp, refusal.expires);
        return true;
      }
    }
    return false;
  }

  /** One framework after the other refuses the same. */
  private boolean contains(Resources refused, Resources offer) {
    if (refused != refusedBefore || offer != offerBefore) {
      refusedBefore = refused;
      offerBefore = offer;
      containedBefore = refused.contains(offer);
    }
    return containedBefore;
  }

  /** Offers it unless it is too little or was refused not long ago. */
  private boolean propose(Member member, Resources offer) {
    if (offer.isEmpty()
        || (offer != candidate
            && !isEnough(
                offer.quantities(),
                member.minAllocatable == null
                    ? index.options.minAllocatable()
                    : member.minAllocatable))
        || isRefused(member, offer)) {
      return false;
    }
    Resources shared = offer.shared();
    if (!shared.isEmpty()) {
      offeredShared.merge(agent, shared, Resources::plus);
    }
    Resources allocated = offer.allocatedTo(role.name);
    index.offer(member, agent, allocated);
    proposals.add(new Proposal(member.framework.id, role.name, agent.id, allocated));
    refreshCandidate();
    return true;
  }
}
