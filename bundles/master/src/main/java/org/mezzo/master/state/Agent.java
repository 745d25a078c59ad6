package org.mezzo.master.state;

import java.time.Instant;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.mezzo.protocol.v1.Address;
import org.mezzo.protocol.v1.AgentInfo;
import org.mezzo.resources.Resources;
import org.pcollections.HashTreePMap;
import org.pcollections.HashTreePSet;
import org.pcollections.PMap;
import org.pcollections.PSet;

/**
 * A registered agent with the ledger of its resources.
 *
 * @param info with id
 * @param version as the agent says, such as 1.12.0
 * @param capabilities what it can do
 * @param address of its HTTP endpoints
 * @param resourceVersion goes with every launch (rule 157)
 * @param connected whether it has a link
 * @param active whether its resources may be offered
 * @param total everything it has, without allocation roles
 * @param free what is neither offered nor allocated, without allocation roles
 * @param allocated what tasks and executors hold, by framework id, with allocation roles
 * @param offered what outstanding offers hold, by framework id, with allocation roles
 * @param tasks ids of active tasks by framework id
 * @param executors executors by framework id and executor id
 * @param offers ids of outstanding offers
 */
public record Agent(
    String id,
    AgentInfo info,
    String version,
    Set<AgentInfo.Capability.Type> capabilities,
    Address address,
    String resourceVersion,
    boolean connected,
    boolean active,
    Instant registered,
    Optional<Instant> reregistered,
    Resources total,
    Resources free,
    PMap<String, Resources> allocated,
    PMap<String, Resources> offered,
    PMap<String, PSet<String>> tasks,
    PMap<String, PMap<String, Executor>> executors,
    PSet<String> offers) {

  /** A connected, active agent on which nothing is used. */
  public static Agent of(
      String id,
      AgentInfo info,
      String version,
      Set<AgentInfo.Capability.Type> capabilities,
      Address address,
      String resourceVersion,
      Instant registered,
      Resources total) {
    return new Agent(
        id,
        info,
        version,
        Set.copyOf(capabilities),
        address,
        resourceVersion,
        true,
        true,
        registered,
        Optional.empty(),
        total,
        total,
        HashTreePMap.empty(),
        HashTreePMap.empty(),
        HashTreePMap.empty(),
        HashTreePMap.empty(),
        HashTreePSet.empty());
  }

  /** The pid form of its address, for example {@code slave(1)@127.0.0.1:5051}. */
  public String pid() {
    return "slave(1)@" + address.getIp() + ":" + address.getPort();
  }

  /** Everything allocated on it, with allocation roles. */
  public Resources totalAllocated() {
    return sum(allocated);
  }

  /** Everything offered of it, with allocation roles. */
  public Resources totalOffered() {
    return sum(offered);
  }

  private static Resources sum(Map<String, Resources> byFramework) {
    Resources sum = Resources.EMPTY;
    for (Resources resources : byFramework.values()) {
      sum = sum.plus(resources);
    }
    return sum;
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

  /** With or without a link; without one it is not active either (rule 142). */
  public Agent connected(boolean now) {
    Draft draft = new Draft(this);
    draft.connected = now;
    draft.active = now;
    return draft.done();
  }

  /** As told by a re-registration; what is used on it is kept. */
  public Agent reregister(
      AgentInfo nextInfo,
      String nextVersion,
      Set<AgentInfo.Capability.Type> nextCapabilities,
      Address nextAddress,
      String nextResourceVersion,
      Resources nextTotal,
      Instant at) {
    Draft draft = new Draft(this);
    draft.info = nextInfo;
    draft.version = nextVersion;
    draft.capabilities = Set.copyOf(nextCapabilities);
    draft.address = nextAddress;
    draft.resourceVersion = nextResourceVersion;
    draft.connected = true;
    draft.active = true;
    draft.reregistered = Optional.of(at);
    draft.total = nextTotal;
    return draft.done().reckon();
  }

  /** With another total. */
  public Agent withTotal(Resources next, String nextResourceVersion) {
    Draft draft = new Draft(this);
    draft.resourceVersion = nextResourceVersion;
    draft.total = next;
    return draft.done().reckon();
  }

  private Agent reckon() {
    Resources used = totalAllocated().plus(totalOffered()).unallocated();
    Resources left = total.nonShared().minus(used.nonShared()).plus(total.shared());
    return withFree(left);
  }

  private Agent withFree(Resources next) {
    Draft draft = new Draft(this);
    draft.free = next;
    return draft.done();
  }

  /** With something more allocated to a framework out of what is free. */
  public Agent allocate(String frameworkId, Resources resources) {
    return withAllocated(Ledger.add(allocated, frameworkId, resources))
        .withFree(free.minus(resources.unallocated().nonShared()));
  }

  /** With something of a framework's allocation free again. */
  public Agent release(String frameworkId, Resources resources) {
    return withAllocated(Ledger.subtract(allocated, frameworkId, resources))
        .withFree(free.plus(resources.unallocated().nonShared()));
  }

  private Agent withAllocated(PMap<String, Resources> next) {
    Draft draft = new Draft(this);
    draft.allocated = next;
    return draft.done();
  }

  /** With this offer made out of what is free. */
  public Agent offer(Offer offer) {
    return withOffers(
            offers.plus(offer.id()), Ledger.add(offered, offer.frameworkId(), offer.resources()))
        .withFree(free.minus(offer.resources().unallocated().nonShared()));
  }

  /** Without this offer, whose resources are free again. */
  public Agent withdraw(Offer offer) {
    return withOffers(
            offers.minus(offer.id()),
            Ledger.subtract(offered, offer.frameworkId(), offer.resources()))
        .withFree(free.plus(offer.resources().unallocated().nonShared()));
  }

  private Agent withOffers(PSet<String> nextOffers, PMap<String, Resources> nextOffered) {
    Draft draft = new Draft(this);
    draft.offered = nextOffered;
    draft.offers = nextOffers;
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
    private String resourceVersion;
    private boolean connected;
    private boolean active;
    private Instant registered;
    private Optional<Instant> reregistered;
    private Resources total;
    private Resources free;
    private PMap<String, Resources> allocated;
    private PMap<String, Resources> offered;
    private PMap<String, PSet<String>> tasks;
    private PMap<String, PMap<String, Executor>> executors;
    private PSet<String> offers;

    Draft(Agent from) {
      id = from.id;
      info = from.info;
      version = from.version;
      capabilities = from.capabilities;
      address = from.address;
      resourceVersion = from.resourceVersion;
      connected = from.connected;
      active = from.active;
      registered = from.registered;
      reregistered = from.reregistered;
      total = from.total;
      free = from.free;
      allocated = from.allocated;
      offered = from.offered;
      tasks = from.tasks;
      executors = from.executors;
      offers = from.offers;
    }

    Agent done() {
      return new Agent(
          id,
          info,
          version,
          capabilities,
          address,
          resourceVersion,
          connected,
          active,
          registered,
          reregistered,
          total,
          free,
          allocated,
          offered,
          tasks,
          executors,
          offers);
    }
  }
}
