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
    if (missing.isEmpty() || lacksHierarchy(next)) {
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
    Guaranteed guaranteed = guaranteed(strip(candidate, member.framework), missing);
    if (guaranteed != null && propose(member, guaranteed.offer())) {
      Quantities all = guaranteed.counted.quantities();
      missing = missing.minus(all);
      quotas.guaranteed(role.name, guaranteed.granted.quantities(), all);
    }
    return true;
  }

  /**
   * What a role is given that lacks something of its guarantee.
   *
   * @param granted of what it lacks
   * @param counted the same and what limits and guarantees of others leave of the rest
   * @param companions what comes along
   */
  record Guaranteed(Resources granted, Resources counted, Resources companions) {
    Resources offer() {
      return counted.plus(companions);
    }
  }

  /** What the role is given to make up for what it lacks; null if nothing of that fits. */
  Guaranteed guaranteed(Resources fit, Quantities lacking) {
    Resources free = QuotaUse.free(fit);
    Resources granted = free.shrink(lacking);
    if (granted.isEmpty()) {
      return null;
    }
    Resources extra = quotas.extra(role.name, free.minus(granted), granted.quantities());
    return new Guaranteed(granted, granted.plus(extra), companions(fit));
  }

  /** What comes along with a guarantee, whatever there is of it. */
  private Resources companions(Resources fit) {
    return fit.filter(
        entry ->
            entry.kind().isRevocable()
                || entry.type() != Type.SCALAR
                || entry.reservationRole().equals(Optional.of(role.name)));
  }

  private boolean shareWith(Role next) {
    if (agent.available.isEmpty()) {
      return false;
    }
    if (lacksHierarchy(next)) {
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
    Resources offer = share(strip(candidate, member.framework));
    if (propose(member, offer) && !quotas.isEmpty()) {
      quotas.shared(role.name, QuotaUse.free(offer).quantities());
    }
    return true;
  }

  /** What the role is given as a fair share. */
  Resources share(Resources fit) {
    if (quotas.isEmpty()) {
      return fit;
    }
    Resources free = QuotaUse.free(fit);
    return fit.minus(free).plus(quotas.extra(role.name, free, Quantities.EMPTY));
  }

  /**
   * Looks at what an agent has for a role without offering it, to be asked about it.
   *
   * @return what is free there for the role
   */
  Resources look(Agent next, Role under) {
    agent = next;
    role = under;
    refreshCandidate();
    return candidate;
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
    return !lacksRoles(member)
        && !lacksGpus(member)
        && !isElsewhere(member)
        && candidateIsEnough(member)
        && !isExcluded(member);
  }

  /** Whether the framework has many roles and the agent knows of one only. */
  boolean lacksRoles(Member member) {
    return member.framework.multiRole && !agent.multiRole;
  }

  /** Whether the role has one above it and the agent does not know of such. */
  boolean lacksHierarchy(Role next) {
    return next.nested && !agent.hierarchicalRole;
  }

  /** Whether the agent has GPUs, which are for those who ask for them. */
  boolean lacksGpus(Member member) {
    return !member.framework.gpus && agent.hasGpus && index.options.filterGpuResources();
  }

  /** Whether the agent is in another region than the master, and the framework knows of one. */
  boolean isElsewhere(Member member) {
    if (member.framework.regionAware) {
      return false;
    }
    Optional<String> home = index.options.region();
    return home.isPresent() && agent.region.isPresent() && !agent.region.equals(home);
  }

  /** Whether the framework's constraints exclude the agent. */
  boolean isExcluded(Member member) {
    return member.constraints != null
        && member.constraints.isAgentExcluded(member.role.name, agent.info);
  }

  /** Whether what is free for the role is as much as the member wants, if it gets all of it. */
  boolean candidateIsEnough(Member member) {
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

  /** Without what the framework cannot handle. */
  static Resources strip(Resources resources, Framework framework) {
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
    Refusal refusal = refusal(member, offer);
    if (refusal == null) {
      return false;
    }
    wakeUp = Math.min(wakeUp, refusal.expires);
    return true;
  }

  /** What the member refused that contains the offer; null if nothing. */
  Refusal refusal(Member member, Resources offer) {
    if (!member.refuses()) {
      return null;
    }
    for (Refusal refusal = agent.refusal(member); refusal != null; refusal = refusal.next) {
      if (refusal.expires > now && contains(refusal.resources, offer)) {
        return refusal;
      }
    }
    return null;
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

  /** Whether an offer is less than the member, or else the cluster, wants. */
  boolean isTooLittle(Member member, Resources offer) {
    return offer.isEmpty() || (offer != candidate && !isEnough(offer.quantities(), least(member)));
  }

  /** What an offer to the member must contain one of; empty for anything. */
  List<Quantities> least(Member member) {
    return member.minAllocatable == null ? index.options.minAllocatable() : member.minAllocatable;
  }

  /** Offers it unless it is too little or was refused not long ago. */
  private boolean propose(Member member, Resources offer) {
    if (isTooLittle(member, offer) || isRefused(member, offer)) {
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
