package org.mezzo.master.state;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.google.protobuf.ByteString;
import java.nio.ByteBuffer;
import java.time.Instant;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import org.mezzo.api.allocator.Quota;
import org.mezzo.master.ledger.Account;
import org.mezzo.master.ledger.Ledger;
import org.mezzo.master.ledger.Offer;
import org.mezzo.master.ledger.OfferFilters;
import org.mezzo.protocol.v1.MasterInfo;
import org.mezzo.protocol.v1.TaskInfo;
import org.pcollections.HashTreePMap;
import org.pcollections.HashTreePSet;
import org.pcollections.OrderedPSet;
import org.pcollections.PMap;
import org.pcollections.PSet;
import org.pcollections.PVector;
import org.pcollections.TreePVector;

/**
 * The root of everything a leading master knows.
 *
 * @param self this master, as sent to frameworks
 * @param elected when this term began
 * @param frameworks every framework that is not completed, by id
 * @param completedFrameworks removed frameworks, oldest first, at most {@link
 *     Limits#completedFrameworks} (rule 339)
 * @param agents registered agents, connected or not, by id
 * @param recoveredAgents agents of the registry that have not come back in this term (rule 150)
 * @param unreachableAgents agents marked unreachable and when (rule 144)
 * @param goneAgents agents marked gone by an operator and when (rule 152)
 * @param removedAgents ids of removed agents, oldest first, bounded (rule 151)
 * @param agentsByPid ids of registered agents by pid (rule 138)
 * @param ledger who holds what on which agent
 * @param filters what frameworks refused of it
 * @param operations what agents were given to do with resources
 * @param pendingTasks tasks of accepted offers whose launch waits for hooks or authorization
 * @param undecided ids and pids of agents about which a registry write is under way
 * @param policy weights and quotas, as far as the registry is known to hold them
 * @param nextPolicy what the policy will be once every write of it that is under way is done; the
 *     same as the policy when there is none
 * @param maintenance which machines are to be maintained, and when
 * @param inverseOffers what frameworks are asked to give back for that
 * @param limits how much history is kept
 * @param counters the next numbers for ids
 * @param census how many frameworks, agents and tasks there are; kept, not derived
 */
public record MasterState(
    MasterInfo self,
    Instant elected,
    PMap<String, Framework> frameworks,
    PVector<Framework> completedFrameworks,
    PMap<String, Agent> agents,
    PMap<String, RecoveredAgent> recoveredAgents,
    PMap<String, UnreachableAgent> unreachableAgents,
    PMap<String, Instant> goneAgents,
    OrderedPSet<String> removedAgents,
    PMap<String, String> agentsByPid,
    Ledger ledger,
    OfferFilters filters,
    Operations operations,
    PMap<TaskKey, PendingTask> pendingTasks,
    PSet<String> undecided,
    Policy policy,
    Policy nextPolicy,
    Maintenance maintenance,
    InverseOffers inverseOffers,
    Limits limits,
    Counters counters,
    Census census) {

  /** How much history is kept (rule 339). */
  public record Limits(
      int completedFrameworks,
      int completedTasksPerFramework,
      int unreachableTasksPerFramework,
      int removedAgents) {
    /** The defaults of the flags. */
    public static final Limits DEFAULT = new Limits(50, 1000, 1000, 100_000);
  }

  /** The next numbers of framework, agent and offer ids (rules 30, 53, 132), and of operations. */
  public record Counters(long framework, long agent, long offer, long operation) {
    /** What a master that has given no id begins with. */
    public static final Counters ZERO = new Counters(0, 0, 0, 0);

    Counters nextFramework() {
      return new Counters(framework + 1, agent, offer, operation);
    }

    Counters nextAgent() {
      return new Counters(framework, agent + 1, offer, operation);
    }

    Counters nextOffer() {
      return new Counters(framework, agent, offer + 1, operation);
    }

    Counters nextOperation() {
      return new Counters(framework, agent, offer, operation + 1);
    }
  }

  /** Names a task of the cluster. */
  public record TaskKey(String frameworkId, String taskId) {}

  /**
   * A task whose launch was accepted and is not decided.
   *
   * @param killed whether its framework wants it killed already
   */
  public record PendingTask(TaskInfo info, String agentId, boolean killed) {}

  /** The state at the begin of a term, before the registry was read. */
  public static MasterState begin(
      MasterInfo self, Instant elected, Limits limits, Counters counters) {
    return new MasterState(
        self,
        elected,
        HashTreePMap.empty(),
        TreePVector.empty(),
        HashTreePMap.empty(),
        HashTreePMap.empty(),
        HashTreePMap.empty(),
        HashTreePMap.empty(),
        OrderedPSet.empty(),
        HashTreePMap.empty(),
        Ledger.EMPTY,
        OfferFilters.EMPTY,
        Operations.EMPTY,
        HashTreePMap.empty(),
        HashTreePSet.empty(),
        Policy.NONE,
        Policy.NONE,
        Maintenance.NONE,
        InverseOffers.NONE,
        limits,
        counters,
        Census.NONE);
  }

  /** The framework of that id, unless it is completed or unknown. */
  public Optional<Framework> framework(String id) {
    return Optional.ofNullable(frameworks.get(id));
  }

  /** The registered agent of that id. */
  public Optional<Agent> agent(String id) {
    return Optional.ofNullable(agents.get(id));
  }

  /** What operators want of an agent, be it registered, recovered or unreachable. */
  public Standing standing(String agentId) {
    Agent agent = agents.get(agentId);
    if (agent != null) {
      return agent.standing();
    }
    RecoveredAgent recovered = recoveredAgents.get(agentId);
    if (recovered != null) {
      return recovered.standing();
    }
    UnreachableAgent unreachable = unreachableAgents.get(agentId);
    return unreachable == null ? Standing.OPEN : unreachable.standing();
  }

  /** What a registered agent has and who holds it; nothing of others. */
  public Account account(String agentId) {
    return ledger.account(agentId);
  }

  /** All outstanding offers by id. */
  public PMap<String, Offer> offers() {
    return ledger.offers();
  }

  /** The outstanding offer of that id. */
  public Optional<Offer> offer(String id) {
    return ledger.offer(id);
  }

  /** Whether a framework of that id was removed and is still remembered (rule 42). */
  public boolean isCompleted(String frameworkId) {
    return completed(frameworkId).isPresent();
  }

  /** The removed framework of that id, if it is still remembered. */
  public Optional<Framework> completed(String frameworkId) {
    for (Framework framework : completedFrameworks) {
      if (framework.id().equals(frameworkId)) {
        return Optional.of(framework);
      }
    }
    return Optional.empty();
  }

  /** The id the next new framework gets, and the state that has given it. */
  public Map.Entry<String, MasterState> newFrameworkId() {
    return Map.entry(
        String.format("%s-%04d", self.getId(), counters.framework()),
        with(counters.nextFramework()));
  }

  /** The id the next new agent gets, and the state that has given it. */
  public Map.Entry<String, MasterState> newAgentId() {
    return Map.entry(self.getId() + "-S" + counters.agent(), with(counters.nextAgent()));
  }

  /** The id the next offer gets, and the state that has given it. */
  public Map.Entry<String, MasterState> newOfferId() {
    return Map.entry(self.getId() + "-O" + counters.offer(), with(counters.nextOffer()));
  }

  /** The uuid the next operation gets, and the state that has given it. */
  public Map.Entry<ByteString, MasterState> newOperationUuid() {
    UUID uuid =
        UUID.nameUUIDFromBytes(
            (self.getId() + "-operation-" + counters.operation()).getBytes(UTF_8));
    ByteBuffer bytes =
        ByteBuffer.allocate(16)
            .putLong(uuid.getMostSignificantBits())
            .putLong(uuid.getLeastSignificantBits())
            .flip();
    return Map.entry(ByteString.copyFrom(bytes), with(counters.nextOperation()));
  }

  private MasterState with(Counters next) {
    Draft draft = new Draft(this);
    draft.counters = next;
    return draft.done();
  }

  /** With this framework added or replaced. */
  public MasterState with(Framework framework) {
    Draft draft = new Draft(this);
    draft.frameworks = frameworks.plus(framework.id(), framework);
    draft.census = census.without(frameworks.get(framework.id())).with(framework);
    return draft.done();
  }

  /** With this framework moved to the completed ones, the oldest of which drop out. */
  public MasterState complete(Framework framework) {
    PVector<Framework> completed = completedFrameworks;
    if (limits.completedFrameworks() > 0) {
      completed = completed.plus(framework);
    }
    while (completed.size() > limits.completedFrameworks()) {
      completed = completed.minus(0);
    }
    Draft draft = new Draft(this);
    draft.frameworks = frameworks.minus(framework.id());
    draft.census = census.without(frameworks.get(framework.id()));
    draft.completedFrameworks = completed;
    return draft.done();
  }

  /** With a removed framework in the place of the one of its id. */
  public MasterState replaceCompleted(Framework framework) {
    PVector<Framework> completed = completedFrameworks;
    for (int i = 0; i < completed.size(); i++) {
      if (completed.get(i).id().equals(framework.id())) {
        completed = completed.with(i, framework);
      }
    }
    return withCompleted(completed);
  }

  /** Without the removed framework of that id. */
  public MasterState withoutCompleted(String frameworkId) {
    PVector<Framework> completed = completedFrameworks;
    for (Framework framework : completedFrameworks) {
      if (framework.id().equals(frameworkId)) {
        completed = completed.minus(framework);
      }
    }
    return withCompleted(completed);
  }

  private MasterState withCompleted(PVector<Framework> next) {
    Draft draft = new Draft(this);
    draft.completedFrameworks = next;
    return draft.done();
  }

  /** With this agent added or replaced. */
  public MasterState with(Agent agent) {
    Agent before = agents.get(agent.id());
    PMap<String, String> pids = agentsByPid;
    if (before == null || !before.address().equals(agent.address())) {
      pids = before == null ? pids : pids.minus(before.pid());
      pids = pids.plus(agent.pid(), agent.id());
    }
    Draft draft = new Draft(this);
    draft.agents = agents.plus(agent.id(), agent);
    draft.agentsByPid = pids;
    draft.census = census.without(before).with(agent);
    return draft.done();
  }

  /** With these recovered agents. */
  public MasterState withRecoveredAgents(PMap<String, RecoveredAgent> next) {
    Draft draft = new Draft(this);
    draft.recoveredAgents = next;
    return draft.done();
  }

  /** With these unreachable agents. */
  public MasterState withUnreachableAgents(PMap<String, UnreachableAgent> next) {
    Draft draft = new Draft(this);
    draft.unreachableAgents = next;
    return draft.done();
  }

  /** With these gone agents. */
  public MasterState withGoneAgents(PMap<String, Instant> next) {
    Draft draft = new Draft(this);
    draft.goneAgents = next;
    return draft.done();
  }

  /** Without this registered agent. */
  public MasterState without(Agent agent) {
    Draft draft = new Draft(this);
    draft.agents = agents.minus(agent.id());
    draft.agentsByPid = agentsByPid.minus(agent.pid());
    draft.census = census.without(agents.get(agent.id()));
    return draft.done();
  }

  /** With this id remembered as that of a removed agent. */
  public MasterState withRemovedAgent(String id) {
    OrderedPSet<String> removed = removedAgents.plus(id);
    while (removed.size() > limits.removedAgents()) {
      removed = removed.minus(removed.iterator().next());
    }
    Draft draft = new Draft(this);
    draft.removedAgents = removed;
    return draft.done();
  }

  /** With this ledger. */
  public MasterState with(Ledger next) {
    Draft draft = new Draft(this);
    draft.ledger = next;
    return draft.done();
  }

  /** With these operations. */
  public MasterState with(Operations next) {
    if (next == operations) {
      return this;
    }
    Draft draft = new Draft(this);
    draft.operations = next;
    return draft.done();
  }

  /** With these filters. */
  public MasterState with(OfferFilters next) {
    if (next == filters) {
      return this;
    }
    Draft draft = new Draft(this);
    draft.filters = next;
    return draft.done();
  }

  /** With these tasks waiting to be launched. */
  public MasterState withPendingTasks(PMap<TaskKey, PendingTask> next) {
    Draft draft = new Draft(this);
    draft.pendingTasks = next;
    return draft.done();
  }

  /** With a registry write about this agent under way, or not any more. */
  public MasterState undecided(String idOrPid, boolean now) {
    PSet<String> next = now ? undecided.plus(idOrPid) : undecided.minus(idOrPid);
    Draft draft = new Draft(this);
    draft.undecided = next;
    return draft.done();
  }

  /** The weights that were set, by role; of others it is 1. */
  public PMap<String, Double> weights() {
    return policy.weights();
  }

  /** The quotas, by role. */
  public PMap<String, Quota> quotas() {
    return policy.quotas();
  }

  /**
   * With these weights and quotas.
   *
   * @param now as far as the registry is known to hold them
   * @param next once every write that is under way is done
   */
  public MasterState withPolicy(Policy now, Policy next) {
    Draft draft = new Draft(this);
    draft.policy = now;
    draft.nextPolicy = next;
    return draft.done();
  }

  /** With other plans for machines. */
  public MasterState with(Maintenance next) {
    Draft draft = new Draft(this);
    draft.maintenance = next;
    return draft.done();
  }

  /** With other inverse offers. */
  public MasterState with(InverseOffers next) {
    if (next.equals(inverseOffers)) {
      return this;
    }
    Draft draft = new Draft(this);
    draft.inverseOffers = next;
    return draft.done();
  }

  /** A copy to change, so that each change names only what it is about. */
  private static final class Draft {
    private MasterInfo self;
    private Instant elected;
    private PMap<String, Framework> frameworks;
    private PVector<Framework> completedFrameworks;
    private PMap<String, Agent> agents;
    private PMap<String, RecoveredAgent> recoveredAgents;
    private PMap<String, UnreachableAgent> unreachableAgents;
    private PMap<String, Instant> goneAgents;
    private OrderedPSet<String> removedAgents;
    private PMap<String, String> agentsByPid;
    private Ledger ledger;
    private OfferFilters filters;
    private Operations operations;
    private PMap<TaskKey, PendingTask> pendingTasks;
    private PSet<String> undecided;
    private Policy policy;
    private Policy nextPolicy;
    private Maintenance maintenance;
    private InverseOffers inverseOffers;
    private Limits limits;
    private Counters counters;
    private Census census;

    Draft(MasterState from) {
      self = from.self;
      elected = from.elected;
      frameworks = from.frameworks;
      completedFrameworks = from.completedFrameworks;
      agents = from.agents;
      recoveredAgents = from.recoveredAgents;
      unreachableAgents = from.unreachableAgents;
      goneAgents = from.goneAgents;
      removedAgents = from.removedAgents;
      agentsByPid = from.agentsByPid;
      ledger = from.ledger;
      filters = from.filters;
      operations = from.operations;
      pendingTasks = from.pendingTasks;
      undecided = from.undecided;
      policy = from.policy;
      nextPolicy = from.nextPolicy;
      maintenance = from.maintenance;
      inverseOffers = from.inverseOffers;
      limits = from.limits;
      counters = from.counters;
      census = from.census;
    }

    MasterState done() {
      return new MasterState(
          self,
          elected,
          frameworks,
          completedFrameworks,
          agents,
          recoveredAgents,
          unreachableAgents,
          goneAgents,
          removedAgents,
          agentsByPid,
          ledger,
          filters,
          operations,
          pendingTasks,
          undecided,
          policy,
          nextPolicy,
          maintenance,
          inverseOffers,
          limits,
          counters,
          census);
    }
  }
}
