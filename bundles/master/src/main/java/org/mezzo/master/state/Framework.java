package org.mezzo.master.state;

import java.time.Instant;
import java.util.Optional;
import java.util.Set;
import java.util.SortedSet;
import org.mezzo.master.constraints.CompiledConstraints;
import org.mezzo.protocol.v1.FrameworkInfo;
import org.pcollections.HashTreePMap;
import org.pcollections.OrderedPMap;
import org.pcollections.PMap;
import org.pcollections.PVector;
import org.pcollections.TreePVector;

/**
 * A framework. What it holds and is offered stands in the ledger ({@link MasterState#ledger}).
 *
 * @param info with id, and principal when there is one
 * @param subscription what its client said at the last subscription or update
 * @param phase how it stands to the master
 * @param streamId the current {@code Mesos-Stream-Id}; empty when not connected
 * @param registered when it first subscribed, or was first heard of
 * @param reregistered when it last subscribed; as {@code registered} when only once
 * @param removal how it came to be removed, or is being; empty while it is not
 * @param disconnected when its stream was lost; empty while connected
 * @param tasks active tasks by id: those not yet acknowledged as terminal
 * @param completedTasks oldest first, bounded
 * @param unreachableTasks by id, oldest first, bounded (rule 144)
 * @param refusals offers in a row of which it used nothing
 * @param executors custom and default executors by agent id and executor id
 * @param counts how many of the active tasks are in which state; kept, not derived
 */
public record Framework(
    String id,
    FrameworkInfo info,
    Subscription subscription,
    Phase phase,
    String streamId,
    Instant registered,
    Instant reregistered,
    Optional<Removal> removal,
    Optional<Instant> disconnected,
    Refusals refusals,
    PMap<String, Task> tasks,
    PVector<Task> completedTasks,
    OrderedPMap<String, Task> unreachableTasks,
    PMap<String, PMap<String, Executor>> executors,
    TaskCounts counts) {

  /** How a framework stands to the master. */
  public enum Phase {
    /** Known from agents only; has not subscribed since this master leads (rule 148). */
    RECOVERED,
    /** Its stream is lost; it has until its failover timeout to come back (rule 39). */
    DISCONNECTED,
    /** It has a stream and may be offered resources. */
    ACTIVE,
    /** It is being removed, in several turns of the loop, and does not come back. */
    LEAVING
  }

  /** The part of a subscription that is not in the {@link FrameworkInfo}. */
  public record Subscription(
      SortedSet<String> roles,
      Set<String> suppressed,
      Set<FrameworkInfo.Capability.Type> capabilities,
      CompiledConstraints constraints) {}

  /** A framework that holds nothing yet. */
  public static Framework of(
      String id,
      FrameworkInfo info,
      Subscription subscription,
      Phase phase,
      String streamId,
      Instant registered) {
    return new Framework(
        id,
        info,
        subscription,
        phase,
        streamId,
        registered,
        registered,
        Optional.empty(),
        Optional.empty(),
        Refusals.NONE,
        HashTreePMap.empty(),
        TreePVector.empty(),
        OrderedPMap.empty(),
        HashTreePMap.empty(),
        TaskCounts.NONE);
  }

  /** When it was removed; empty while it is not. */
  public Optional<Instant> unregistered() {
    return removal.flatMap(Removal::at);
  }

  /** Whether it has a stream. */
  public boolean connected() {
    return phase == Phase.ACTIVE;
  }

  /** Whether it may be offered resources. */
  public boolean active() {
    return phase == Phase.ACTIVE;
  }

  /** Whether it declared the capability. */
  public boolean can(FrameworkInfo.Capability.Type capability) {
    return subscription.capabilities().contains(capability);
  }

  /** Whether it knows the partition states (rule 95). */
  public boolean partitionAware() {
    return can(FrameworkInfo.Capability.Type.PARTITION_AWARE);
  }

  /** The principal of its info; empty when it has none. */
  public Optional<String> principal() {
    return info.hasPrincipal() ? Optional.of(info.getPrincipal()) : Optional.empty();
  }

  /** With other info and subscription. */
  public Framework with(FrameworkInfo nextInfo, Subscription nextSubscription) {
    Draft draft = new Draft(this);
    draft.info = nextInfo;
    draft.subscription = nextSubscription;
    return draft.done();
  }

  /** With another subscription. */
  public Framework with(Subscription next) {
    return with(info, next);
  }

  /** As connected by that stream since then. */
  public Framework connect(String nextStreamId, Instant at, boolean first) {
    Draft draft = new Draft(this);
    draft.phase = Phase.ACTIVE;
    draft.streamId = nextStreamId;
    draft.registered = first ? at : registered;
    draft.reregistered = at;
    draft.disconnected = Optional.empty();
    draft.refusals = Refusals.NONE;
    return draft.done();
  }

  /** As having lost its stream (rule 39). */
  public Framework disconnect(Instant at) {
    Draft draft = new Draft(this);
    draft.phase = Phase.DISCONNECTED;
    draft.streamId = "";
    draft.disconnected = Optional.of(at);
    draft.refusals = Refusals.NONE;
    return draft.done();
  }

  /** As being removed. */
  public Framework leave(Removal how) {
    Draft draft = new Draft(this);
    draft.phase = Phase.LEAVING;
    draft.streamId = "";
    draft.removal = Optional.of(how);
    draft.refusals = Refusals.NONE;
    return draft.done();
  }

  /** As removed at that time, which {@link #leave} has begun. */
  public Framework unregister(Instant at) {
    Draft draft = new Draft(this);
    draft.phase = Phase.DISCONNECTED;
    draft.streamId = "";
    draft.removal = removal.map(how -> how.done(at));
    return draft.done();
  }

  /** A removed one as allowed to subscribe again. */
  public Framework readmit() {
    Draft draft = new Draft(this);
    draft.removal = removal.map(Removal::readmit);
    return draft.done();
  }

  /** A removed one as a new one of its id that has the same past. */
  public Framework returned(
      FrameworkInfo nextInfo, Subscription nextSubscription, String nextStreamId, Instant at) {
    Draft draft = new Draft(of(id, nextInfo, nextSubscription, Phase.ACTIVE, nextStreamId, at));
    draft.completedTasks = completedTasks;
    draft.unreachableTasks = unreachableTasks;
    return draft.done();
  }

  /** With other refusals. */
  public Framework with(Refusals next) {
    Draft draft = new Draft(this);
    draft.refusals = next;
    return draft.done();
  }

  /** With this active task added or replaced. */
  public Framework with(Task task) {
    Draft draft = new Draft(this);
    draft.tasks = tasks.plus(task.id(), task);
    draft.counts = counts.without(tasks.get(task.id())).with(task);
    return draft.done();
  }

  /** With this task moved from the active to the completed ones; the oldest drop out. */
  public Framework complete(Task task, int limit) {
    PVector<Task> completed = limit > 0 ? completedTasks.plus(task) : completedTasks;
    while (completed.size() > limit) {
      completed = completed.minus(0);
    }
    Draft draft = new Draft(this);
    draft.tasks = tasks.minus(task.id());
    draft.counts = counts.without(tasks.get(task.id()));
    draft.completedTasks = completed;
    return draft.done();
  }

  /** With this task moved from the active to the unreachable ones; the oldest drop out. */
  public Framework unreachable(Task task, int limit) {
    OrderedPMap<String, Task> next =
        limit > 0 ? unreachableTasks.plus(task.id(), task) : unreachableTasks;
    while (next.size() > limit) {
      next = next.minus(next.keySet().iterator().next());
    }
    Draft draft = new Draft(this);
    draft.tasks = tasks.minus(task.id());
    draft.counts = counts.without(tasks.get(task.id()));
    draft.unreachableTasks = next;
    return draft.done();
  }

  /** With these unreachable tasks. */
  public Framework withUnreachableTasks(OrderedPMap<String, Task> next) {
    Draft draft = new Draft(this);
    draft.unreachableTasks = next;
    return draft.done();
  }

  /** With this executor added or replaced. */
  public Framework with(Executor executor) {
    PMap<String, Executor> there = executors.get(executor.agentId());
    there = there == null ? HashTreePMap.empty() : there;
    return withExecutors(executors.plus(executor.agentId(), there.plus(executor.id(), executor)));
  }

  /** Without this executor. */
  public Framework without(Executor executor) {
    PMap<String, Executor> there = executors.get(executor.agentId());
    if (there == null) {
      return this;
    }
    there = there.minus(executor.id());
    return withExecutors(
        there.isEmpty()
            ? executors.minus(executor.agentId())
            : executors.plus(executor.agentId(), there));
  }

  private Framework withExecutors(PMap<String, PMap<String, Executor>> next) {
    Draft draft = new Draft(this);
    draft.executors = next;
    return draft.done();
  }

  /** The executors on one agent, by id. */
  public PMap<String, Executor> executorsOn(String agentId) {
    PMap<String, Executor> there = executors.get(agentId);
    return there == null ? HashTreePMap.empty() : there;
  }

  /** A copy to change, so that each change names only what it is about. */
  private static final class Draft {
    private String id;
    private FrameworkInfo info;
    private Subscription subscription;
    private Phase phase;
    private String streamId;
    private Instant registered;
    private Instant reregistered;
    private Optional<Removal> removal;
    private Optional<Instant> disconnected;
    private Refusals refusals;
    private PMap<String, Task> tasks;
    private PVector<Task> completedTasks;
    private OrderedPMap<String, Task> unreachableTasks;
    private PMap<String, PMap<String, Executor>> executors;
    private TaskCounts counts;

    Draft(Framework from) {
      id = from.id;
      info = from.info;
      subscription = from.subscription;
      phase = from.phase;
      streamId = from.streamId;
      registered = from.registered;
      reregistered = from.reregistered;
      removal = from.removal;
      disconnected = from.disconnected;
      refusals = from.refusals;
      tasks = from.tasks;
      completedTasks = from.completedTasks;
      unreachableTasks = from.unreachableTasks;
      executors = from.executors;
      counts = from.counts;
    }

    Framework done() {
      return new Framework(
          id,
          info,
          subscription,
          phase,
          streamId,
          registered,
          reregistered,
          removal,
          disconnected,
          refusals,
          tasks,
          completedTasks,
          unreachableTasks,
          executors,
          counts);
    }
  }
}
