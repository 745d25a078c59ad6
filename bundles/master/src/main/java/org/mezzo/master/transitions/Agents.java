package org.mezzo.master.transitions;

import com.google.protobuf.ByteString;
import com.google.protobuf.InvalidProtocolBufferException;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.mezzo.api.allocator.AgentState;
import org.mezzo.api.allocator.OfferFilter;
import org.mezzo.coordination.Registry;
import org.mezzo.link.messages.ExecutorExited;
import org.mezzo.link.messages.ExecutorRecord;
import org.mezzo.link.messages.KillTask;
import org.mezzo.link.messages.MasterEvent;
import org.mezzo.link.messages.ReconcileTasks;
import org.mezzo.link.messages.Register;
import org.mezzo.link.messages.Registered;
import org.mezzo.link.messages.Reregister;
import org.mezzo.link.messages.Reregistered;
import org.mezzo.link.messages.Shutdown;
import org.mezzo.link.messages.ShutdownFramework;
import org.mezzo.link.messages.TaskRecord;
import org.mezzo.link.messages.TasksReconciled;
import org.mezzo.link.messages.UpdateAgent;
import org.mezzo.link.messages.UpdateFramework;
import org.mezzo.master.state.Agent;
import org.mezzo.master.state.Executor;
import org.mezzo.master.state.Framework;
import org.mezzo.master.state.Happening;
import org.mezzo.master.state.MasterState;
import org.mezzo.master.state.RecoveredAgent;
import org.mezzo.master.state.Task;
import org.mezzo.master.state.TaskStates;
import org.mezzo.master.state.UnreachableAgent;
import org.mezzo.protocol.v1.Address;
import org.mezzo.protocol.v1.AgentID;
import org.mezzo.protocol.v1.AgentInfo;
import org.mezzo.protocol.v1.ExecutorID;
import org.mezzo.protocol.v1.FrameworkID;
import org.mezzo.protocol.v1.FrameworkInfo;
import org.mezzo.protocol.v1.TaskID;
import org.mezzo.protocol.v1.TaskState;
import org.mezzo.protocol.v1.TaskStatus;
import org.mezzo.protocol.v1.TimeInfo;
import org.mezzo.protocol.v1.scheduler.Event;
import org.mezzo.resources.ResourceFormatException;
import org.mezzo.resources.Resources;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Registration, health and removal of agents (rules 132 to 157). */
public final class Agents {
  private static final Logger LOG = LoggerFactory.getLogger(Agents.class);

  /** Sections of the registry. */
  public static final String ADMITTED = "agents/";

  public static final String UNREACHABLE = "unreachable/";
  public static final String GONE = "gone/";

  private Agents() {}

  /**
   * What an agent said when it registered, with what was converted off the loop.
   *
   * @param link the number of its link
   */
  public record Registration(
      long link,
      AgentInfo info,
      String version,
      Set<AgentInfo.Capability.Type> capabilities,
      Address address,
      String resourceVersion,
      Resources total) {

    /** From a first registration. */
    public static Registration of(long link, Register message) throws ResourceFormatException {
      return new Registration(
          link,
          message.getAgent(),
          message.getVersion(),
          types(message.getCapabilitiesList()),
          message.getAddress(),
          message.getResourceVersionUuid(),
          Resources.of(message.getAgent().getResourcesList()));
    }

    /** From a later one. */
    public static Registration of(long link, Reregister message) throws ResourceFormatException {
      return new Registration(
          link,
          message.getAgent(),
          message.getVersion(),
          types(message.getCapabilitiesList()),
          message.getAddress(),
          message.getResourceVersionUuid(),
          Resources.of(message.getAgent().getResourcesList()));
    }

    private static Set<AgentInfo.Capability.Type> types(List<AgentInfo.Capability> capabilities) {
      Set<AgentInfo.Capability.Type> types = new HashSet<>();
      capabilities.forEach(capability -> types.add(capability.getType()));
      return types;
    }

    String pid() {
      return "slave(1)@" + address.getIp() + ":" + address.getPort();
    }
  }

  /** Nanoseconds since the epoch. */
  static long nanos(Instant instant) {
    return instant.getEpochSecond() * 1_000_000_000L + instant.getNano();
  }

  private static Instant instant(long nanos) {
    return Instant.ofEpochSecond(0, nanos);
  }

  private static byte[] unreachableBytes(AgentInfo info, Instant since) {
    ByteString agent = info.toByteString();
    return ByteBuffer.allocate(8 + agent.size())
        .putLong(nanos(since))
        .put(agent.asReadOnlyByteBuffer())
        .array();
  }

  /** Fills a state with what the registry knows (rules 150, 165). */
  public static MasterState recover(MasterState begin, Map<String, byte[]> registry)
      throws InvalidProtocolBufferException {
    var recovered = begin.recoveredAgents();
    var unreachable = begin.unreachableAgents();
    var gone = begin.goneAgents();
    for (Map.Entry<String, byte[]> entry : registry.entrySet()) {
      String key = entry.getKey();
      if (key.startsWith(ADMITTED)) {
        String id = key.substring(ADMITTED.length());
        recovered =
            recovered.plus(id, new RecoveredAgent(id, AgentInfo.parseFrom(entry.getValue())));
      } else if (key.startsWith(UNREACHABLE)) {
        String id = key.substring(UNREACHABLE.length());
        ByteBuffer bytes = ByteBuffer.wrap(entry.getValue());
        Instant since = instant(bytes.getLong());
        unreachable =
            unreachable.plus(id, new UnreachableAgent(id, AgentInfo.parseFrom(bytes), since));
      } else if (key.startsWith(GONE)) {
        gone =
            gone.plus(
                key.substring(GONE.length()),
                instant(TimeInfo.parseFrom(entry.getValue()).getNanoseconds()));
      }
    }
    return begin
        .withRecoveredAgents(recovered)
        .withUnreachableAgents(unreachable)
        .withGoneAgents(gone);
  }

  private static boolean acceptable(Transition tx, Registration registration) {
    String who = registration.info().getHostname() + " (" + registration.pid() + ")";
    if (registration.version().startsWith("0.") || registration.version().isEmpty()) {
      LOG.warn(
          "Agent {} has version '{}' and is ignored: at least 1.0.0 is needed",
          who,
          registration.version());
      return false;
    }
    if (registration.info().hasDomain() && !tx.state().self().hasDomain()) {
      LOG.warn("Agent {} has a domain and is ignored: give the master one by --domain", who);
      return false;
    }
    if (!registration.info().hasDomain() && tx.settings().requireAgentDomain()) {
      LOG.warn("Agent {} has no domain and is ignored: give it one by --domain", who);
      return false;
    }
    return true;
  }

  /** A first registration (rules 135, 138, 139). */
  public static void register(Transition tx, Registration registration) {
    String pid = registration.pid();
    tx.count("master/messages_register_slave");
    if (tx.state().undecided().contains(pid) || !acceptable(tx, registration)) {
      return;
    }
    String knownId = tx.state().agentsByPid().get(pid);
    List<Registry.Change> changes = new ArrayList<>();
    if (knownId != null) {
      Agent known = tx.agent(knownId);
      boolean sameProcess = known.resourceVersion().equals(registration.resourceVersion());
      if (known.connected() && sameProcess) {
        tx.effect(new Effect.BindLink(knownId, registration.link()));
        tx.effect(new Effect.ToAgent(knownId, registered(tx, knownId)));
        return;
      }
      changes.add(new Registry.Change(ADMITTED + knownId, null));
    }
    Map.Entry<String, MasterState> next = tx.state().newAgentId();
    String id = next.getKey();
    AgentInfo info =
        registration.info().toBuilder().setId(AgentID.newBuilder().setValue(id)).build();
    changes.add(new Registry.Change(ADMITTED + id, info.toByteArray()));
    tx.become(next.getValue().undecided(pid, true));
    tx.store(
        changes,
        later -> {
          later.become(later.state().undecided(pid, false));
          Agent old = knownId == null ? null : later.agent(knownId);
          if (old != null) {
            remove(later, old, "a new agent registered at the same address");
          }
          admit(later, id, info, registration);
        });
  }

  private static void admit(
      Transition tx, String id, AgentInfo info, Registration registration) {
    Agent agent = agent(id, info, registration, tx.now());
    tx.put(agent);
    tx.count("master/slave_registrations");
    LOG.info(
        "Agent {} at {} ({}) registered with {}",
        id,
        registration.pid(),
        info.getHostname(),
        registration.total());
    bind(tx, agent, registration.link(), registered(tx, id));
    AgentState added = Holdings.agentState(agent);
    tx.tell("agentAdded", it -> it.agentAdded(added));
    tx.allocate(id);
    tx.happened(new Happening.AgentAdded(agent));
  }

  private static Agent agent(
      String id, AgentInfo info, Registration registration, Instant now) {
    return Agent.of(
        id,
        info,
        registration.version(),
        registration.capabilities(),
        registration.address(),
        registration.resourceVersion(),
        now,
        registration.total());
  }

  private static void bind(
      Transition tx, Agent agent, long link, MasterEvent.Builder greeting) {
    tx.effect(new Effect.BindLink(agent.id(), link));
    tx.effect(new Effect.ToAgent(agent.id(), greeting));
    tx.effect(new Effect.Ping(agent.id()));
  }

  private static double pingTimeout(Transition tx) {
    return tx.settings()
            .agentPingTimeout()
            .multipliedBy(tx.settings().maxAgentPingTimeouts())
            .toMillis()
        / 1e3;
  }

  private static MasterEvent.Builder registered(Transition tx, String id) {
    return MasterEvent.newBuilder()
        .setRegistered(
            Registered.newBuilder()
                .setAgentId(AgentID.newBuilder().setValue(id))
                .setTotalPingTimeoutSeconds(pingTimeout(tx)));
  }

  private static void shutdown(Transition tx, long link, String id, String message) {
    tx.effect(new Effect.BindLink(id, link));
    tx.effect(
        new Effect.ToAgent(
            id,
            MasterEvent.newBuilder().setShutdown(Shutdown.newBuilder().setMessage(message))));
  }

  /** A registration of an agent that has an id (rules 136, 145 to 149). */
  public static void reregister(
      Transition tx, Registration registration, Reregister message) {
    String id = registration.info().getId().getValue();
    tx.count("master/messages_reregister_slave");
    MasterState state = tx.state();
    if (state.undecided().contains(id) || !acceptable(tx, registration)) {
      return;
    }
    if (state.goneAgents().containsKey(id)) {
      shutdown(tx, registration.link(), id, "Agent has been marked gone");
      return;
    }
    Agent known = state.agents().get(id);
    if (known != null
        && (!known.address().getIp().equals(registration.address().getIp())
            || !known.info().getHostname().equals(registration.info().getHostname()))) {
      shutdown(
          tx,
          registration.link(),
          id,
          "Agent attempted to reregister with different IP / hostname");
      return;
    }
    RecoveredAgent recovered = state.recoveredAgents().get(id);
    AgentInfo before =
        known != null ? known.info() : recovered != null ? recovered.info() : null;
    if (registration.info().equals(before)) {
      readmit(tx, registration, message);
      return;
    }
    List<Registry.Change> changes = new ArrayList<>();
    changes.add(new Registry.Change(ADMITTED + id, registration.info().toByteArray()));
    if (state.unreachableAgents().containsKey(id)) {
      changes.add(new Registry.Change(UNREACHABLE + id, null));
    }
    tx.become(state.undecided(id, true));
    tx.store(
        changes,
        later -> {
          later.become(later.state().undecided(id, false));
          readmit(later, registration, message);
        });
  }

  private static void readmit(Transition tx, Registration registration, Reregister message) {
    AgentInfo info = registration.info();
    String id = info.getId().getValue();
    Agent known = tx.agent(id);
    boolean wasUnreachable = tx.state().unreachableAgents().containsKey(id);
    tx.become(
        tx.state()
            .withRecoveredAgents(tx.state().recoveredAgents().minus(id))
            .withUnreachableAgents(tx.state().unreachableAgents().minus(id)));
    tx.count("master/slave_reregistrations");
    Agent agent;
    if (known == null) {
      agent = agent(id, info, registration, tx.now());
    } else {
      rescindOffers(tx, known);
      agent =
          tx.agent(id)
              .reregister(
                  info,
                  registration.version(),
                  registration.capabilities(),
                  registration.address(),
                  registration.resourceVersion(),
                  registration.total(),
                  tx.now());
      if (!known.info().getAttributesList().equals(info.getAttributesList())) {
        dropFilters(tx, id);
      }
    }
    tx.put(agent);
    MasterEvent.Builder greeting =
        MasterEvent.newBuilder()
            .setReregistered(
                Reregistered.newBuilder()
                    .setAgentId(info.getId())
                    .setTotalPingTimeoutSeconds(pingTimeout(tx)));
    bind(tx, agent, registration.link(), greeting);
    LOG.info("Agent {} at {} reregistered", id, registration.pid());
    Set<String> frameworks = restore(tx, agent, message, known != null, wasUnreachable);
    if (known == null) {
      AgentState now = Holdings.agentState(tx.agent(id));
      tx.tell("agentAdded", it -> it.agentAdded(now));
      tx.happened(new Happening.AgentAdded(tx.agent(id)));
    } else {
      tellUpdated(tx, id);
    }
    for (String frameworkId : frameworks) {
      Framework framework = tx.framework(frameworkId);
      tx.send(
          agent,
          MasterEvent.newBuilder()
              .setUpdateFramework(
                  UpdateFramework.newBuilder().setFramework(framework.info())));
    }
    tx.allocate(id);
  }

  private static void tellUpdated(Transition tx, String id) {
    AgentState now = Holdings.agentState(tx.agent(id));
    tx.tell("agentUpdated", it -> it.agentUpdated(now));
  }

  /**
   * Takes over what the agent runs, and settles the differences with what was known.
   *
   * @return the frameworks that are on the agent and live
   */
  private static Set<String> restore(
      Transition tx, Agent agent, Reregister message, boolean known, boolean wasUnreachable) {
    Map<String, FrameworkInfo> infos = new HashMap<>();
    message.getFrameworksList().forEach(info -> infos.put(info.getId().getValue(), info));
    Set<String> live = new LinkedHashSet<>();
    Set<String> shutDown = new LinkedHashSet<>();
    Set<String> mentioned = new LinkedHashSet<>(infos.keySet());
    message
        .getTasksList()
        .forEach(task -> mentioned.add(task.getTask().getFrameworkId().getValue()));
    message
        .getExecutorsList()
        .forEach(executor -> mentioned.add(executor.getFrameworkId().getValue()));
    for (String id : mentioned) {
      if (tx.framework(id) != null) {
        live.add(id);
      } else if (!tx.state().isCompleted(id) && infos.containsKey(id)) {
        adopt(tx, id, infos.get(id));
        live.add(id);
      } else {
        shutDown.add(id);
      }
    }
    for (String id : shutDown) {
      tx.send(
          agent,
          MasterEvent.newBuilder()
              .setShutdownFramework(
                  ShutdownFramework.newBuilder()
                      .setFrameworkId(FrameworkID.newBuilder().setValue(id))));
    }
    Set<MasterState.TaskKey> reported = new HashSet<>();
    for (TaskRecord record : message.getTasksList()) {
      String frameworkId = record.getTask().getFrameworkId().getValue();
      if (live.contains(frameworkId)) {
        reported.add(
            new MasterState.TaskKey(frameworkId, record.getTask().getTaskId().getValue()));
        restoreTask(tx, agent, frameworkId, record, known, wasUnreachable);
      }
    }
    Set<String> executors = new HashSet<>();
    for (ExecutorRecord record : message.getExecutorsList()) {
      String frameworkId = record.getFrameworkId().getValue();
      if (live.contains(frameworkId)) {
        executors.add(frameworkId + '/' + record.getExecutor().getExecutorId().getValue());
        restoreExecutor(tx, agent, frameworkId, record, known);
      }
    }
    if (known) {
      askForMissing(tx, agent, reported);
      for (var byId : List.copyOf(tx.agent(agent.id()).executors().values())) {
        for (Executor executor : List.copyOf(byId.values())) {
          if (!executors.contains(executor.frameworkId() + '/' + executor.id())) {
            Holdings.remove(tx, executor);
          }
        }
      }
    }
    return live;
  }

  private static void adopt(Transition tx, String id, FrameworkInfo info) {
    Subscribing said =
        Subscribing.of(
            info,
            List.of(),
            org.mezzo.protocol.v1.scheduler.OfferConstraints.getDefaultInstance());
    Framework framework =
        Framework.of(
            id, info, said.subscription(), Framework.Phase.RECOVERED, "", tx.now());
    tx.put(framework);
    tx.tell("frameworkAdded", it -> it.frameworkAdded(Holdings.frameworkState(framework)));
    tx.happened(new Happening.FrameworkAdded(framework));
  }

  private static void restoreTask(
      Transition tx,
      Agent agent,
      String frameworkId,
      TaskRecord record,
      boolean known,
      boolean wasUnreachable) {
    Framework framework = tx.framework(frameworkId);
    org.mezzo.protocol.v1.Task message = record.getTask();
    String id = message.getTaskId().getValue();
    Task before = framework.tasks().get(id);
    if (before != null) {
      if (before.killRequested() && !TaskStates.terminal(message.getState())) {
        kill(tx, agent, before);
      }
      return;
    }
    boolean lost =
        framework.completedTasks().stream()
            .anyMatch(it -> it.id().equals(id) && it.agentId().equals(agent.id()));
    if (lost && known) {
      if (!TaskStates.terminal(message.getState())) {
        tx.send(
            agent,
            MasterEvent.newBuilder()
                .setKillTask(
                    KillTask.newBuilder()
                        .setFrameworkId(message.getFrameworkId())
                        .setTaskId(message.getTaskId())));
      }
      return;
    }
    Resources resources;
    try {
      resources = Resources.of(message.getResourcesList());
    } catch (ResourceFormatException e) {
      LOG.warn("Agent {} reported task {} with bad resources; it is left out", agent.id(), id, e);
      return;
    }
    if (record.hasStatusUpdateState() && !message.hasStatusUpdateState()) {
      message =
          message.toBuilder().setStatusUpdateState(record.getStatusUpdateState()).build();
    }
    boolean terminal = TaskStates.terminal(message.getState());
    Task task =
        new Task(
            id,
            frameworkId,
            agent.id(),
            message.getExecutorId().getValue(),
            message,
            resources,
            terminal,
            false);
    tx.put(framework.withUnreachableTasks(framework.unreachableTasks().minus(id)));
    Holdings.add(tx, task);
    if (!terminal) {
      take(tx, frameworkId, agent.id(), resources, known);
    }
    if (wasUnreachable) {
      TaskStatus status =
          Statuses.make(
                  tx.now(),
                  id,
                  agent.id(),
                  message.getState(),
                  TaskStatus.Reason.REASON_AGENT_REREGISTERED,
                  "Agent reregistered")
              .build();
      Statuses.send(tx, framework, status);
      tx.happened(new Happening.TaskUpdated(task, status));
    } else {
      tx.happened(new Happening.TaskAdded(task));
    }
  }

  private static void kill(Transition tx, Agent agent, Task task) {
    tx.send(
        agent,
        MasterEvent.newBuilder()
            .setKillTask(
                KillTask.newBuilder()
                    .setFrameworkId(FrameworkID.newBuilder().setValue(task.frameworkId()))
                    .setTaskId(TaskID.newBuilder().setValue(task.id()))));
  }

  /** Holds what the agent says is held; an allocator that knows the agent has to be told. */
  private static void take(
      Transition tx, String frameworkId, String agentId, Resources resources, boolean tell) {
    Holdings.hold(tx, frameworkId, agentId, resources);
    if (tell) {
      tx.tell("allocated", it -> it.allocated(frameworkId, agentId, resources));
    }
  }

  private static void restoreExecutor(
      Transition tx, Agent agent, String frameworkId, ExecutorRecord record, boolean known) {
    String id = record.getExecutor().getExecutorId().getValue();
    if (tx.agent(agent.id()).executorsOf(frameworkId).containsKey(id)) {
      return;
    }
    try {
      Resources resources = Resources.of(record.getExecutor().getResourcesList());
      Holdings.add(
          tx, new Executor(id, frameworkId, agent.id(), record.getExecutor(), resources));
      take(tx, frameworkId, agent.id(), resources, known);
    } catch (ResourceFormatException e) {
      LOG.warn(
          "Agent {} reported executor {} with bad resources; it is left out", agent.id(), id, e);
    }
  }

  /** Asks the agent for tasks it did not report (rule 131). */
  private static void askForMissing(
      Transition tx, Agent agent, Set<MasterState.TaskKey> reported) {
    tx.agent(agent.id())
        .tasks()
        .forEach(
            (frameworkId, ids) -> {
              ReconcileTasks.Builder missing =
                  ReconcileTasks.newBuilder()
                      .setFrameworkId(FrameworkID.newBuilder().setValue(frameworkId));
              for (String id : ids) {
                if (!reported.contains(new MasterState.TaskKey(frameworkId, id))) {
                  missing.addTaskIds(TaskID.newBuilder().setValue(id));
                }
              }
              if (missing.getTaskIdsCount() > 0) {
                tx.send(agent, MasterEvent.newBuilder().setReconcileTasks(missing));
              }
            });
  }

  /** The agent does not know these tasks (rule 131). */
  public static void tasksUnknown(Transition tx, String agentId, TasksReconciled answer) {
    Framework framework = tx.framework(answer.getFrameworkId().getValue());
    if (framework == null) {
      return;
    }
    for (TaskID id : answer.getUnknownList()) {
      Task task = tx.framework(framework.id()).tasks().get(id.getValue());
      if (task != null && task.agentId().equals(agentId)) {
        TaskState state =
            TaskStates.shown(TaskState.TASK_DROPPED, framework.partitionAware());
        end(
            tx,
            task,
            state,
            TaskStatus.Reason.REASON_RECONCILIATION,
            "Task is unknown to the agent");
      }
    }
  }

  /** Ends a task from the master's side, tells its framework and completes it. */
  private static void end(
      Transition tx, Task task, TaskState state, TaskStatus.Reason reason, String message) {
    if (!task.terminal()) {
      TaskStatus status =
          Statuses.make(tx.now(), task.id(), task.agentId(), state, reason, message).build();
      Statuses.send(tx, tx.framework(task.frameworkId()), status);
      Holdings.complete(tx, Statuses.record(tx, task, status, state));
    } else {
      Holdings.complete(tx, task);
    }
  }

  private static void dropFilters(Transition tx, String agentId) {
    for (Framework framework : tx.state().frameworks().values()) {
      boolean any =
          framework.filters().keySet().stream().anyMatch(key -> key.agentId().equals(agentId));
      if (any) {
        Offers.removeFilters(tx, framework.id(), Set.of(), Optional.of(agentId));
      }
    }
  }

  private static void rescindOffers(Transition tx, Agent agent) {
    for (String id : agent.offers()) {
      Offers.rescind(tx, tx.state().offers().get(id));
    }
  }

  /** An agent's link is gone (rules 142 and 143). */
  public static void disconnected(Transition tx, String agentId) {
    Agent agent = tx.agent(agentId);
    if (agent == null || !agent.connected()) {
      return;
    }
    LOG.info("Agent {} ({}) is disconnected", agentId, agent.info().getHostname());
    rescindOffers(tx, agent);
    tx.put(tx.agent(agentId).connected(false));
    for (String frameworkId : List.copyOf(agent.tasks().keySet())) {
      forgetUncheckpointed(tx, agentId, frameworkId);
    }
    for (String frameworkId : List.copyOf(tx.agent(agentId).executors().keySet())) {
      forgetUncheckpointed(tx, agentId, frameworkId);
    }
    tellUpdated(tx, agentId);
    Instant since = agent.reregistered().orElse(agent.registered());
    Duration timeout = tx.settings().agentReregisterTimeout();
    tx.after(timeout, later -> reregistrationExpired(later, agentId, since));
  }

  private static void forgetUncheckpointed(Transition tx, String agentId, String frameworkId) {
    Framework framework = tx.framework(frameworkId);
    if (framework.info().getCheckpoint()) {
      return;
    }
    for (String taskId : List.copyOf(tx.agent(agentId).tasksOf(frameworkId))) {
      end(
          tx,
          tx.framework(frameworkId).tasks().get(taskId),
          TaskState.TASK_LOST,
          TaskStatus.Reason.REASON_AGENT_DISCONNECTED,
          "Agent disconnected");
    }
    for (Executor executor : List.copyOf(tx.agent(agentId).executorsOf(frameworkId).values())) {
      Holdings.remove(tx, executor);
    }
  }

  private static void reregistrationExpired(Transition tx, String agentId, Instant since) {
    Agent agent = tx.agent(agentId);
    if (agent != null
        && !agent.connected()
        && agent.reregistered().orElse(agent.registered()).equals(since)) {
      markUnreachable(tx, agentId, "agent did not reregister within the reregister timeout");
    }
  }

  /** An agent does not answer (rules 140 and 144): registry first, then everything else. */
  public static void markUnreachable(Transition tx, String agentId, String cause) {
    Agent agent = tx.agent(agentId);
    RecoveredAgent recovered = tx.state().recoveredAgents().get(agentId);
    if ((agent == null && recovered == null) || tx.state().undecided().contains(agentId)) {
      return;
    }
    AgentInfo info = agent != null ? agent.info() : recovered.info();
    Instant since = tx.now();
    LOG.warn("Marking agent {} ({}) unreachable: {}", agentId, info.getHostname(), cause);
    tx.count("master/slave_unreachable_scheduled");
    tx.become(tx.state().undecided(agentId, true));
    tx.store(
        List.of(
            new Registry.Change(ADMITTED + agentId, null),
            new Registry.Change(UNREACHABLE + agentId, unreachableBytes(info, since))),
        later -> {
          later.become(later.state().undecided(agentId, false));
          unreachable(later, agentId, info, since, cause);
        });
  }

  private static void unreachable(
      Transition tx, String agentId, AgentInfo info, Instant since, String cause) {
    Agent agent = tx.agent(agentId);
    tx.become(
        tx.state()
            .withRecoveredAgents(tx.state().recoveredAgents().minus(agentId))
            .withUnreachableAgents(
                tx.state()
                    .unreachableAgents()
                    .plus(agentId, new UnreachableAgent(agentId, info, since))));
    if (agent != null) {
      for (Map.Entry<String, org.pcollections.PSet<String>> entry : agent.tasks().entrySet()) {
        for (String taskId : entry.getValue()) {
          unreachable(tx, tx.framework(entry.getKey()).tasks().get(taskId), since, cause, info);
        }
      }
      leave(tx, tx.agent(agentId));
      tx.count("master/slave_unreachable_completed");
      tx.count("master/slave_removals");
      tx.count("master/slave_removals/reason_unhealthy");
    }
    failure(tx, agentId);
    tx.effect(new Effect.AgentLost(info));
  }

  private static void unreachable(
      Transition tx, Task task, Instant since, String cause, AgentInfo info) {
    Framework framework = tx.framework(task.frameworkId());
    if (task.terminal()) {
      Holdings.complete(tx, task);
      return;
    }
    TaskState state =
        TaskStates.shown(TaskState.TASK_UNREACHABLE, framework.partitionAware());
    TaskStatus status =
        Statuses.make(
                tx.now(),
                task.id(),
                task.agentId(),
                state,
                TaskStatus.Reason.REASON_AGENT_REMOVED,
                "Agent " + info.getHostname() + " is unreachable: " + cause)
            .setUnreachableTime(TimeInfo.newBuilder().setNanoseconds(nanos(since)))
            .build();
    Statuses.send(tx, framework, status);
    Task next = Holdings.release(tx, Statuses.record(tx, task, status, state));
    framework = tx.framework(task.frameworkId());
    tx.put(
        framework.unreachable(next, tx.state().limits().unreachableTasksPerFramework()));
    tx.put(tx.agent(task.agentId()).without(next));
    tx.count("master/tasks_unreachable_total");
  }

  /** Takes an agent out of the registered ones with all that is left on it. */
  private static void leave(Transition tx, Agent agent) {
    rescindOffers(tx, agent);
    for (var executors : List.copyOf(tx.agent(agent.id()).executors().values())) {
      for (Executor executor : List.copyOf(executors.values())) {
        Holdings.remove(tx, executor);
      }
    }
    for (String frameworkId : List.copyOf(tx.agent(agent.id()).allocated().keySet())) {
      Framework framework = tx.framework(frameworkId);
      if (framework != null) {
        tx.put(framework.withAllocated(framework.allocated().minus(agent.id())));
      }
    }
    for (Framework framework : tx.state().frameworks().values()) {
      var left = framework.filters();
      for (Map.Entry<Framework.FilterKey, org.pcollections.PVector<OfferFilter>> entry :
          framework.filters().entrySet()) {
        if (entry.getKey().agentId().equals(agent.id())) {
          left = left.minus(entry.getKey());
        }
      }
      if (left != framework.filters()) {
        tx.put(framework.withFilters(left));
      }
    }
    tx.become(tx.state().without(tx.agent(agent.id())));
    tx.effect(new Effect.EndLink(agent.id()));
    String id = agent.id();
    tx.tell("agentRemoved", it -> it.agentRemoved(id));
  }

  private static void failure(Transition tx, String agentId) {
    Event event =
        Event.newBuilder()
            .setType(Event.Type.FAILURE)
            .setFailure(
                Event.Failure.newBuilder()
                    .setAgentId(AgentID.newBuilder().setValue(agentId)))
            .build();
    for (Framework framework : tx.state().frameworks().values()) {
      tx.send(framework, event);
    }
  }

  /** The agent says good-bye (rule 151). */
  public static void unregister(Transition tx, String agentId) {
    tx.count("master/messages_unregister_slave");
    if (tx.agent(agentId) == null || tx.state().undecided().contains(agentId)) {
      return;
    }
    tx.become(tx.state().undecided(agentId, true));
    tx.store(
        List.of(new Registry.Change(ADMITTED + agentId, null)),
        later -> {
          later.become(later.state().undecided(agentId, false));
          Agent agent = later.agent(agentId);
          if (agent != null) {
            remove(later, agent, "the agent unregistered");
            later.count("master/slave_removals/reason_unregistered");
          }
        });
  }

  /** Removes an agent the registry has forgotten (rule 151). */
  private static void remove(Transition tx, Agent agent, String cause) {
    String hostname = agent.info().getHostname();
    LOG.info("Agent {} ({}) is removed: {}", agent.id(), hostname, cause);
    for (Map.Entry<String, org.pcollections.PSet<String>> entry : agent.tasks().entrySet()) {
      for (String taskId : entry.getValue()) {
        end(
            tx,
            tx.framework(entry.getKey()).tasks().get(taskId),
            TaskState.TASK_LOST,
            TaskStatus.Reason.REASON_AGENT_REMOVED,
            "Agent " + hostname + " removed: " + cause);
      }
    }
    leave(tx, tx.agent(agent.id()));
    tx.become(tx.state().withRemovedAgent(agent.id()));
    failure(tx, agent.id());
    tx.count("master/slave_removals");
    tx.happened(new Happening.AgentRemoved(agent));
    tx.effect(new Effect.AgentLost(agent.info()));
  }

  /** An executor ended (rule 49). */
  public static void executorExited(Transition tx, String agentId, ExecutorExited exited) {
    tx.count("master/messages_exited_executor");
    Framework framework = tx.framework(exited.getFrameworkId().getValue());
    Agent agent = tx.agent(agentId);
    if (framework == null || agent == null) {
      return;
    }
    ExecutorID id = exited.getExecutorId();
    Executor executor = agent.executorsOf(framework.id()).get(id.getValue());
    if (executor != null) {
      Holdings.remove(tx, executor);
    }
    if (!exited.getGenerated()) {
      tx.send(
          framework,
          Event.newBuilder()
              .setType(Event.Type.FAILURE)
              .setFailure(
                  Event.Failure.newBuilder()
                      .setAgentId(agent.info().getId())
                      .setExecutorId(id)
                      .setStatus(exited.hasStatus() ? exited.getStatus() : -1))
              .build());
    }
  }

  /** The agent's oversubscribed total changed (rules 316 and 317). */
  public static void update(
      Transition tx, String agentId, UpdateAgent message, Resources oversubscribed) {
    Agent agent = tx.agent(agentId);
    if (agent == null) {
      return;
    }
    for (String id : agent.offers()) {
      var offer = tx.state().offers().get(id);
      if (offer.resources().hasRevocable()) {
        Offers.rescind(tx, offer);
      }
    }
    Agent now = tx.agent(agentId);
    String version =
        message.hasResourceVersionUuid()
            ? message.getResourceVersionUuid()
            : now.resourceVersion();
    Agent next =
        now.withTotal(now.total().nonRevocable().plus(oversubscribed.revocable()), version);
    tx.put(next);
    tellUpdated(tx, agentId);
    tx.allocate(agentId);
  }

  /** Forgets unreachable and gone agents that are old, or too many (rule 154). */
  public static void forgetOld(Transition tx, Duration maxAge, int maxCount) {
    Map<String, Instant> unreachable = new HashMap<>();
    tx.state().unreachableAgents().forEach((id, agent) -> unreachable.put(id, agent.since()));
    List<String> oldUnreachable = old(tx, unreachable, maxAge, maxCount);
    List<String> oldGone = old(tx, tx.state().goneAgents(), maxAge, maxCount);
    List<Registry.Change> changes = new ArrayList<>();
    oldUnreachable.forEach(id -> changes.add(new Registry.Change(UNREACHABLE + id, null)));
    oldGone.forEach(id -> changes.add(new Registry.Change(GONE + id, null)));
    if (changes.isEmpty()) {
      return;
    }
    LOG.info(
        "Forgetting {} unreachable and {} gone agents that are old or too many",
        oldUnreachable.size(),
        oldGone.size());
    tx.store(
        changes,
        later ->
            later.become(
                later
                    .state()
                    .withUnreachableAgents(
                        later.state().unreachableAgents().minusAll(oldUnreachable))
                    .withGoneAgents(later.state().goneAgents().minusAll(oldGone))));
  }

  private static List<String> old(
      Transition tx, Map<String, Instant> since, Duration maxAge, int maxCount) {
    List<Map.Entry<String, Instant>> byAge = new ArrayList<>(since.entrySet());
    byAge.sort(Map.Entry.comparingByValue());
    Instant oldest = tx.now().minus(maxAge);
    int tooMany = byAge.size() - maxCount;
    List<String> old = new ArrayList<>();
    for (int i = 0; i < byAge.size(); i++) {
      if (i < tooMany || byAge.get(i).getValue().isBefore(oldest)) {
        old.add(byAge.get(i).getKey());
      }
    }
    old.removeIf(tx.state().undecided()::contains);
    return old;
  }
}
