package org.mezzo.allocator.drf;

import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
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
  private final Predicate<Member> guaranteeToMember = this::guaranteeTo;
  private final Predicate<Member> shareWithMember = this::shareWith;

  private Agent agent;
  private Role role;

  /** What is free on the agent for the role, and how much that is if somebody asked. */
  private Resources candidate;

  private Quantities candidateAmounts;
  private int candidateMin;
  private Quantities missing;

  /** The roles that lacked something of their guarantee. */
  private Sorter.Subset<Role> lacking;

  /** Those of them that limits leave something, and some that they do no longer. */
  private Sorter.Subset<Role> needy;

  /** The roles whose limits leave something, and some whose limits do no longer. */
  private Sorter.Subset<Role> open;

  /** How many were passed over for nothing since the subset was cleared of such. */
  private int passedOver;

  /** Who changed since a moment, by moment. */
  private final Map<Long, Changes.Scope> scopes = new HashMap<>();

  /** The scope that was asked for last, as most agents have one moment in common. */
  private Changes.Scope sameScope;

  private long sameMoment;

  /**
   * @param agents those that may be offered
   * @param shuffle brings them into the order in which they are visited
   */
  Cycle(ClusterIndex index, List<Agent> agents, Instant now, Consumer<List<Agent>> shuffle) {
    this.index = index;
    this.agents = agents;
    this.quotas = index.quotas;
    this.now = Refusal.millis(now);
    this.shuffle = shuffle;
  }

  List<Proposal> run() {
    long moment = index.changes.now();
    List<Agent> visited = new ArrayList<>();
    for (Agent next : agents) {
      if (next.available.isEmpty()) {
        index.rest(next);
        continue;
      }
      next.scope = scope(next);
      if (!next.scope.isEmpty()) {
        next.wakeUp = Long.MAX_VALUE;
        next.offered = false;
        next.cut = false;
        if (isRefusedByAll(next)) {
          remember(next, moment);
        } else {
          visited.add(next);
        }
      }
    }
    if (quotas.anyGuarantee()) {
      visit(visited, this::guaranteeToRoles);
    }
    visit(visited, this::shareWithRoles);
    visited.forEach(next -> remember(next, moment));
    return quotas.anyGuarantee() ? merged() : proposals;
  }

  /**
   * Whether everybody who may be offered something on an agent has refused all that is there. Most
   * agents are done with by that where few have changed and most is filtered.
   */
  private boolean isRefusedByAll(Agent next) {
    Member[] few = next.scope.few();
    if (few == null) {
      return false;
    }
    for (Member member : few) {
      Refusal refusal = refusal(member, next, next.available);
      if (refusal == null) {
        return false;
      }
      next.wakeUp = Math.min(next.wakeUp, refusal.expires);
    }
    return true;
  }

  /** Who may be offered something on an agent, as far as is known. */
  private Changes.Scope scope(Agent next) {
    Agent.Idle idle = next.idle;
    if (idle == null
        || !index.sparing
        || idle.era() != index.era()
        || (idle.cut() && idle.keptBack() != quotas.version())
        || !lessIsNoMore(next)) {
      return Changes.Scope.EVERYBODY;
    }
    if (idle.until() <= now) {
      return index.changes.since(idle.moment(), next.takeExpired(now));
    }
    if (idle.cut()) {
      index.noteCut();
    }
    if (sameScope == null || sameMoment != idle.moment()) {
      sameMoment = idle.moment();
      sameScope = scopes.computeIfAbsent(sameMoment, since -> index.changes.since(since, Set.of()));
    }
    return sameScope;
  }

  /**
   * Whether who can be offered nothing can be offered nothing either when less is free. Where what
   * is whole has to fit a limit, less may be another part.
   */
  private boolean lessIsNoMore(Agent next) {
    return !next.indivisible || quotas.isEmpty();
  }

  private void visit(List<Agent> visited, Runnable stage) {
    shuffle.accept(visited);
    for (Agent next : visited) {
      if (next.available.isEmpty()) {
        continue;
      }
      agent = next;
      int before = proposals.size();
      stage.run();
      agent.offered |= proposals.size() > before;
      agent.cut |= quotas.takeCut();
    }
  }

  /** That nothing could be offered is worth knowing in the next run. */
  private void remember(Agent visited, long moment) {
    if (visited.available.isEmpty()) {
      visited.idle = null;
      index.rest(visited);
    } else if (visited.offered || !lessIsNoMore(visited)) {
      index.wake(visited);
    } else {
      long until = visited.wakeUp;
      boolean cut = visited.cut;
      if (visited.scope != Changes.Scope.EVERYBODY) {
        long others = visited.idle.until();
        until = Math.min(until, others <= now ? visited.nextExpiry() : others);
        cut |= visited.idle.cut();
      }
      index.rest(visited, new Agent.Idle(moment, until, cut, quotas.version(), index.era()));
    }
  }

  private void guaranteeToRoles() {
    if (agent.scope != Changes.Scope.EVERYBODY) {
      agent.scope.roles(index.roleSorter).walk(guarantees);
      return;
    }
    if (!index.sparing) {
      index.roleSorter.walk(guarantees);
      return;
    }
    if (onlyQuotasGive()) {
      List<Quantities> least = index.options.minAllocatable();
      if (needy == null) {
        needy = subset(role -> isNeedy(role, least));
      } else if (passedOver > needy.size()) {
        needy.removeIf(role -> !isNeedy(role, least));
        passedOver = 0;
      }
      needy.walk(guarantees);
      return;
    }
    if (lacking == null) {
      lacking = subset(role -> !role.quota.missing().isEmpty());
    }
    lacking.walk(guarantees);
  }

  /** Whether a role lacks something that it can be given where only quotas give. */
  private static boolean isNeedy(Role role, List<Quantities> least) {
    return !role.quota.missing().isEmpty() && !QuotaUse.isExhausted(role, least);
  }

  /** Roles that have a quota. */
  private Sorter.Subset<Role> subset(Predicate<Role> wanted) {
    List<Sorter.Client> clients = new ArrayList<>();
    for (QuotaUse.Use use : quotas.all()) {
      Role role = index.roles.get(use.role);
      if (role != null && wanted.test(role)) {
        clients.add(role.client);
      }
    }
    return index.roleSorter.subset(clients);
  }

  private void shareWithRoles() {
    if (agent.scope != Changes.Scope.EVERYBODY) {
      agent.scope.roles(index.roleSorter).walk(shares);
      return;
    }
    if (!onlyQuotasGive()) {
      index.roleSorter.walk(shares);
      return;
    }
    List<Quantities> least = index.options.minAllocatable();
    if (quotas.isKeptBack(least, index.scalars::knows)) {
      agent.cut = true;
      return;
    }
    if (open == null) {
      passedOver = 0;
      open =
          index.roleSorter.subset(
              index.roles.values().stream()
                  .filter(role -> !QuotaUse.isExhausted(role, least))
                  .map(role -> role.client)
                  .toList());
    } else if (passedOver > open.size()) {
      open.removeIf(role -> QuotaUse.isExhausted(role, least));
      passedOver = 0;
    }
    open.walk(shares);
  }

  /** Whether a role's limits leave nothing that would be worth an offer on this agent. */
  private boolean isHopeless(Role next) {
    return next.quota != null
        && onlyQuotasGive()
        && QuotaUse.isExhausted(next, index.options.minAllocatable());
  }

  /** Whether all that makes an offer large enough is what quotas are about. */
  private boolean onlyQuotasGive() {
    return index.sparing && !quotas.isEmpty() && agent.plain && index.leastIsCommon();
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
    if (next.quota == null || next.quota.missing().isEmpty() || isHopeless(next)) {
      passedOver++;
      return true;
    }
    if (lacksHierarchy(next)) {
      return true;
    }
    missing = next.quota.missing();
    role = next;
    refreshCandidate();
    walkMembers(guaranteeToMember);
    return true;
  }

  private void walkMembers(Predicate<Member> visitor) {
    Sorter.Subset<Member> some =
        agent.scope == Changes.Scope.EVERYBODY ? null : agent.scope.members(role);
    if (some == null) {
      role.frameworks.walk(visitor);
    } else {
      some.walk(visitor);
    }
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
      missing = role.quota.missing();
    }
    return true;
  }

  /**
   * What a role is given that lacks something of its guarantee.
   *
   * @param counted what it lacks, and what limits and guarantees of others leave of the rest
   * @param companions what comes along
   */
  record Guaranteed(Resources counted, Resources companions) {
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
    Resources extra = quotas.extra(role, free.minus(granted), granted.quantities());
    return new Guaranteed(granted.plus(extra), companions(fit));
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
    if (isHopeless(next)) {
      passedOver++;
      return true;
    }
    role = next;
    refreshCandidate();
    if (!candidate.isEmpty()) {
      walkMembers(shareWithMember);
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
    propose(member, offer);
    return true;
  }

  /** What the role is given as a fair share. */
  Resources share(Resources fit) {
    if (quotas.isEmpty()) {
      return fit;
    }
    Resources free = QuotaUse.free(fit);
    return fit.minus(free).plus(quotas.extra(role, free, Quantities.EMPTY));
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
    if (candidate == agent.available) {
      return agent.hasEnough(index.options.minAllocatable());
    }
    if (candidateMin == 0) {
      candidateMin = isEnough(candidateAmounts(), index.options.minAllocatable()) ? 1 : -1;
    }
    return candidateMin > 0;
  }

  private Quantities candidateAmounts() {
    if (candidateAmounts == null) {
      candidateAmounts = candidate == agent.available ? agent.amounts() : candidate.quantities();
    }
    return candidateAmounts;
  }

  static boolean isEnough(Quantities amounts, List<Quantities> least) {
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
    agent.wakeUp = Math.min(agent.wakeUp, refusal.expires);
    return true;
  }

  /** What the member refused that contains the offer; null if nothing. */
  Refusal refusal(Member member, Resources offer) {
    return refusal(member, agent, offer);
  }

  private Refusal refusal(Member member, Agent on, Resources offer) {
    if (!member.refuses()) {
      return null;
    }
    for (Refusal refusal = member.refusal(on); refusal != null; refusal = refusal.next) {
      if (refusal.expires > now && on.contains(refusal.resources, offer)) {
        return refusal;
      }
    }
    return null;
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
    Resources allocated = role.allocation.of(offer);
    index.offer(member, agent, offer, allocated);
    proposals.add(new Proposal(member.framework.id, role.name, agent.id, allocated));
    refreshCandidate();
    return true;
  }
}
