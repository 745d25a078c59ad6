package org.mezzo.master.state;

import java.time.Instant;
import java.util.Optional;
import java.util.Set;
import org.mezzo.protocol.v1.Address;
import org.mezzo.protocol.v1.AgentInfo;
import org.mezzo.protocol.v1.Unavailability;
import org.pcollections.HashTreePMap;
import org.pcollections.HashTreePSet;
import org.pcollections.PMap;
import org.pcollections.PSet;

/**
 * A registered agent: what is known of it and what runs there. What it has and who holds it stands
 * in the ledger ({@link MasterState#account}).
 *
 * @param info with id
 * @param version as the agent says, such as 1.12.0
 * @param capabilities what it can do
 * @param address of its HTTP endpoints
 * @param connected whether it has a link
 * @param standing what operators want of it, whether it is connected or not
 * @param awaits what it has to have before anything of it is offered, for people; empty when it has
 *     all
 * @param unavailability when it is not to be counted on, if maintenance of its machine is planned
 * @param tasks ids of active tasks by framework id
 * @param executors executors by framework id and executor id
 */
public record Agent(
    String id,
    AgentInfo info,
    String version,
    Set<AgentInfo.Capability.Type> capabilities,
    Address address,
    boolean connected,
    Standing standing,
    Optional<String> awaits,
    Instant registered,
    Optional<Instant> reregistered,
    Optional<Unavailability> unavailability,
    PMap<String, PSet<String>> tasks,
    PMap<String, PMap<String, Executor>> executors) {

  /** A connected agent on which nothing runs. */
  public static Agent of(
      String id,
      AgentInfo info,
      String version,
      Set<AgentInfo.Capability.Type> capabilities,
      Address address,
      Standing standing,
      Instant registered) {
    return new Agent(
        id,
        info,
        version,
        Set.copyOf(capabilities),
        address,
        true,
        standing,
        Optional.empty(),
        registered,
        Optional.empty(),
        Optional.empty(),
        HashTreePMap.empty(),
        HashTreePMap.empty());
  }

  /**
   * Whether its resources may be offered: it has a link and what it has to have, and no operator
   * has anything against it.
   */
  public boolean active() {
    return connected && standing.open() && awaits.isEmpty();
  }

  /** The pid form of its address, for example {@code slave(1)@127.0.0.1:5051}. */
  public String pid() {
    return "slave(1)@" + address.getIp() + ":" + address.getPort();
  }

  /** The ids of one framework's active tasks on it. */
  public PSet<String> tasksOf(String frameworkId) {
    PSet<String> ids = tasks.get(frameworkId);
    return ids == null ? HashTreePSet.empty() : ids;
  }

  /** One framework's executors on it, by id. */
  public PMap<String, Executor> executorsOf(String frameworkId) {
    PMap<String, Executor> there = executors.get(frameworkId);
    return there == null ? HashTreePMap.empty() : there;
  }

  /** With or without a link. */
  public Agent connected(boolean now) {
    Draft draft = new Draft(this);
    draft.connected = now;
    return draft.done();
  }

  /** With other wishes of operators. */
  public Agent with(Standing next) {
    Draft draft = new Draft(this);
    draft.standing = next;
    return draft.done();
  }

  /** With something, or nothing, that it has to have before it is offered. */
  public Agent awaiting(Optional<String> what) {
    Draft draft = new Draft(this);
    draft.awaits = what;
    return draft.done();
  }

  /** With another time when it is not to be counted on, or none. */
  public Agent with(Optional<Unavailability> planned) {
    Draft draft = new Draft(this);
    draft.unavailability = planned;
    return draft.done();
  }

  /** The machine that it runs on (rule 239). */
  public Machine machine() {
    return new Machine(info.getHostname(), address.getIp());
  }

  /** As told by a re-registration; what runs there and what operators want of it is kept. */
  public Agent reregister(
      AgentInfo nextInfo,
      String nextVersion,
      Set<AgentInfo.Capability.Type> nextCapabilities,
      Address nextAddress,
      Instant at) {
    Draft draft = new Draft(this);
    draft.info = nextInfo;
    draft.version = nextVersion;
    draft.capabilities = Set.copyOf(nextCapabilities);
    draft.address = nextAddress;
    draft.connected = true;
    draft.reregistered = Optional.of(at);
    return draft.done();
  }

  /** With this task among the active ones. */
  public Agent with(Task task) {
    return withTasks(tasks.plus(task.frameworkId(), tasksOf(task.frameworkId()).plus(task.id())));
  }

  /** Without this task. */
  public Agent without(Task task) {
    PSet<String> left = tasksOf(task.frameworkId()).minus(task.id());
    return withTasks(
        left.isEmpty() ? tasks.minus(task.frameworkId()) : tasks.plus(task.frameworkId(), left));
  }

  private Agent withTasks(PMap<String, PSet<String>> next) {
    Draft draft = new Draft(this);
    draft.tasks = next;
    return draft.done();
  }

  /** With this executor added or replaced. */
  public Agent with(Executor executor) {
    return withExecutors(
        executors.plus(
            executor.frameworkId(),
            executorsOf(executor.frameworkId()).plus(executor.id(), executor)));
  }

  /** Without this executor. */
  public Agent without(Executor executor) {
    PMap<String, Executor> left = executorsOf(executor.frameworkId()).minus(executor.id());
    return withExecutors(
        left.isEmpty()
            ? executors.minus(executor.frameworkId())
            : executors.plus(executor.frameworkId(), left));
  }

  private Agent withExecutors(PMap<String, PMap<String, Executor>> next) {
    Draft draft = new Draft(this);
    draft.executors = next;
    return draft.done();
  }

  /** A copy to change, so that each change names only what it is about. */
  private static final class Draft {
    private String id;
    private AgentInfo info;
    private String version;
    private Set<AgentInfo.Capability.Type> capabilities;
    private Address address;
    private boolean connected;
    private Standing standing;
    private Optional<String> awaits;
    private Instant registered;
    private Optional<Instant> reregistered;
    private Optional<Unavailability> unavailability;
    private PMap<String, PSet<String>> tasks;
    private PMap<String, PMap<String, Executor>> executors;

    Draft(Agent from) {
      id = from.id;
      info = from.info;
      version = from.version;
      capabilities = from.capabilities;
      address = from.address;
      connected = from.connected;
      standing = from.standing;
      awaits = from.awaits;
      registered = from.registered;
      reregistered = from.reregistered;
      unavailability = from.unavailability;
      tasks = from.tasks;
      executors = from.executors;
    }

    Agent done() {
      return new Agent(
          id,
          info,
          version,
          capabilities,
          address,
          connected,
          standing,
          awaits,
          registered,
          reregistered,
          unavailability,
          tasks,
          executors);
    }
  }
}
