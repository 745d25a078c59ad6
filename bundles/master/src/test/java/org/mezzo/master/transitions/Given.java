package org.mezzo.master.transitions;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.ByteString;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.UnaryOperator;
import org.mezzo.api.allocator.OfferFilter;
import org.mezzo.api.allocator.Proposal;
import org.mezzo.link.messages.MasterEvent;
import org.mezzo.link.messages.Register;
import org.mezzo.link.messages.Reregister;
import org.mezzo.link.messages.StatusUpdate;
import org.mezzo.master.ledger.Account;
import org.mezzo.master.ledger.Ledger;
import org.mezzo.master.ledger.Offer;
import org.mezzo.master.state.Agent;
import org.mezzo.master.state.Framework;
import org.mezzo.master.state.Happening;
import org.mezzo.master.state.MasterState;
import org.mezzo.master.state.Task;
import org.mezzo.protocol.v1.Address;
import org.mezzo.protocol.v1.AgentID;
import org.mezzo.protocol.v1.AgentInfo;
import org.mezzo.protocol.v1.CommandInfo;
import org.mezzo.protocol.v1.ExecutorID;
import org.mezzo.protocol.v1.ExecutorInfo;
import org.mezzo.protocol.v1.Filters;
import org.mezzo.protocol.v1.FrameworkID;
import org.mezzo.protocol.v1.FrameworkInfo;
import org.mezzo.protocol.v1.MasterInfo;
import org.mezzo.protocol.v1.TaskID;
import org.mezzo.protocol.v1.TaskInfo;
import org.mezzo.protocol.v1.TaskState;
import org.mezzo.protocol.v1.TaskStatus;
import org.mezzo.protocol.v1.scheduler.Call;
import org.mezzo.protocol.v1.scheduler.Event;
import org.mezzo.protocol.v1.scheduler.OfferConstraints;
import org.mezzo.resources.ResourceFormatException;
import org.mezzo.resources.Resources;

/**
 * A state of a master that was brought about by steps, with a clock that stands where the test
 * wants it, and what the last step made of it. Each step is run twice, to see that it touches
 * nothing but its transition, and each state must balance ({@link Ledgers}).
 */
final class Given {
  static final Instant START = Instant.parse("2026-01-01T00:00:00Z");

  private Instant now = START;

  /** Without timers that most tests are not about. */
  private Settings settings = Settings.DEFAULT.withoutOfferTimeout();

  private MasterState state;
  private List<Effect> effects = List.of();
  private List<Happening> happenings = List.of();
  private long links;

  Given() {
    this(MasterState.Limits.DEFAULT);
  }

  Given(MasterState.Limits limits) {
    state =
        MasterState.begin(
            MasterInfo.newBuilder().setId("m").setIp(1).setPort(5050).build(),
            START,
            limits,
            MasterState.Counters.ZERO);
  }

  // What holds now.

  MasterState state() {
    return state;
  }

  Instant now() {
    return now;
  }

  Framework framework(String id) {
    return state.frameworks().get(id);
  }

  Agent agent(String id) {
    return state.agents().get(id);
  }

  Account account(String agentId) {
    return state.account(agentId);
  }

  Ledger ledger() {
    return state.ledger();
  }

  /** What a framework refused. */
  List<OfferFilter> filters(String frameworkId) {
    return state.filters().of(frameworkId).toList();
  }

  Task task(String frameworkId, String taskId) {
    return state.frameworks().get(frameworkId).tasks().get(taskId);
  }

  // What the last step has made.

  <T extends Effect> List<T> effects(Class<T> type) {
    return effects.stream().filter(type::isInstance).map(type::cast).toList();
  }

  /** Everything but counts. */
  List<Effect> effects() {
    return effects.stream().filter(effect -> !(effect instanceof Effect.Count)).toList();
  }

  <T extends Effect> T only(Class<T> type) {
    List<T> all = effects(type);
    assertThat(all).hasSize(1);
    return all.get(0);
  }

  List<Happening> happenings() {
    return happenings;
  }

  /** Events on a stream. */
  List<Event> sentOn(String streamId) {
    return effects(Effect.Send.class).stream()
        .filter(send -> send.streamId().equals(streamId))
        .map(Effect.Send::event)
        .toList();
  }

  /** Events to a framework that is connected still. */
  List<Event> sentTo(String frameworkId) {
    return sentOn(framework(frameworkId).streamId());
  }

  List<Event.Type> typesTo(String frameworkId) {
    return sentTo(frameworkId).stream().map(Event::getType).toList();
  }

  /** Status updates to a framework. */
  List<TaskStatus> updates(String frameworkId) {
    return sentTo(frameworkId).stream()
        .filter(Event::hasUpdate)
        .map(event -> event.getUpdate().getStatus())
        .toList();
  }

  TaskStatus update(String frameworkId) {
    assertThat(updates(frameworkId)).hasSize(1);
    return updates(frameworkId).get(0);
  }

  List<MasterEvent> toldAgent(String agentId) {
    return effects(Effect.ToAgent.class).stream()
        .filter(it -> it.agentId().equals(agentId))
        .map(it -> it.event().build())
        .toList();
  }

  List<String> toldAllocator() {
    return effects(Effect.Tell.class).stream().map(Effect.Tell::operation).toList();
  }

  List<String> counted() {
    return effects(Effect.Count.class).stream().map(Effect.Count::metric).toList();
  }

  // Steps.

  Given settings(UnaryOperator<Settings> change) {
    settings = change.apply(settings);
    return this;
  }

  Given later(Duration by) {
    now = now.plus(by);
    return this;
  }

  Given run(Step step) {
    Transition tx = new Transition(state, now, settings);
    step.apply(tx);
    assertThat(Rehearsal.repeats(step, tx)).isTrue();
    boolean waiting = tx.effects().stream().anyMatch(Effect.Consult.class::isInstance);
    Ledgers.assertBalanced(tx.state(), waiting);
    Ledgers.assertTold(state, tx);
    state = tx.state();
    effects = tx.effects();
    happenings = tx.happenings();
    return this;
  }

  /** Goes on with every write to the registry of the last step. */
  Given stored() {
    return all(effects(Effect.Store.class).stream().map(Effect.Store::then).toList());
  }

  /** Goes on with what the last step wants done if the registry refuses its write. */
  Given refused(String reason) {
    Effect.Refused refused = only(Effect.Store.class).refused();
    return run(tx -> refused.apply(tx, reason));
  }

  /** Lets the timer of the last step run off. */
  Given expired() {
    Effect.After timer = only(Effect.After.class);
    return later(timer.delay()).run(timer.step());
  }

  /** Goes on with what the last step left for the next turn. */
  Given next() {
    return run(only(Effect.Next.class).step());
  }

  /** Answers the question of the last step. */
  Given answered(Consultation.Answer answer) {
    Consultation asked = only(Effect.Consult.class).consultation();
    return run(tx -> asked.then().apply(tx, answer));
  }

  private Given all(List<Step> steps) {
    assertThat(steps).isNotEmpty();
    List<Effect> every = new ArrayList<>();
    List<Happening> everything = new ArrayList<>();
    for (Step step : steps) {
      run(step);
      every.addAll(effects);
      everything.addAll(happenings);
    }
    effects = every;
    happenings = everything;
    return this;
  }

  // Agents.

  /** What an agent says of itself; its host is called h and a number. */
  AgentInfo.Builder host(int number, String resources) {
    return AgentInfo.newBuilder()
        .setHostname("h" + number)
        .addAllResources(resources(resources).toMessages(Resources.Format.POST_REFINEMENT));
  }

  static Address address(int number) {
    return Address.newBuilder().setIp("10.0.0." + number).setPort(5051).build();
  }

  static Register.Builder registering(int number, AgentInfo.Builder info) {
    return Register.newBuilder()
        .setVersion("1.12.0")
        .setResourceVersionUuid("version-" + number)
        .setAddress(address(number))
        .setAgent(info)
        .addCapabilities(
            AgentInfo.Capability.newBuilder()
                .setType(AgentInfo.Capability.Type.TASK_RESOURCE_LIMITS));
  }

  Given register(Register.Builder message) {
    Registration registration = read(() -> Registration.of(++links, message.build()));
    return run(tx -> Admissions.register(tx, registration));
  }

  /** A registered agent of host number; its id. */
  String agentOn(int number, String resources) {
    register(registering(number, host(number, resources))).stored();
    return state.agentsByPid().get("slave(1)@10.0.0." + number + ":5051");
  }

  /** What a known agent says when it comes back. */
  Reregister.Builder reregistering(String agentId) {
    Agent agent = agent(agentId);
    return Reregister.newBuilder()
        .setVersion(agent.version())
        .setResourceVersionUuid(account(agentId).version())
        .setAddress(agent.address())
        .setAgent(agent.info());
  }

  Given reregister(Reregister.Builder message) {
    Reregister said = message.build();
    Registration registration = read(() -> Registration.of(++links, said));
    return run(tx -> Readmissions.reregister(tx, registration, said));
  }

  Given unreachable(String agentId) {
    return run(tx -> Unreachability.mark(tx, agentId, "test")).stored();
  }

  // Frameworks.

  static FrameworkInfo.Builder info(String... roles) {
    return FrameworkInfo.newBuilder()
        .setUser("u")
        .setName("f")
        .addAllRoles(List.of(roles))
        .addCapabilities(can(FrameworkInfo.Capability.Type.MULTI_ROLE));
  }

  static FrameworkInfo.Capability can(FrameworkInfo.Capability.Type type) {
    return FrameworkInfo.Capability.newBuilder().setType(type).build();
  }

  Given subscribe(FrameworkInfo.Builder info, String streamId) {
    Subscribing request =
        Subscribing.of(info.build(), List.of(), OfferConstraints.getDefaultInstance());
    return run(tx -> Frameworks.subscribe(tx, request, streamId, Optional.empty()));
  }

  /** A subscribed framework; its id. */
  String subscribed(FrameworkInfo.Builder info) {
    String stream = "stream-" + state.counters().framework();
    subscribe(info, stream);
    return state.frameworks().values().stream()
        .filter(it -> it.streamId().equals(stream))
        .map(Framework::id)
        .findFirst()
        .orElseThrow();
  }

  String subscribed(String... roles) {
    return subscribed(info(roles));
  }

  /** A framework that knows the partition states. */
  String partitionAware(String... roles) {
    return subscribed(
        info(roles).addCapabilities(can(FrameworkInfo.Capability.Type.PARTITION_AWARE)));
  }

  Given disconnect(String frameworkId) {
    String stream = framework(frameworkId).streamId();
    return run(tx -> Frameworks.disconnected(tx, frameworkId, stream));
  }

  // Offers and tasks.

  /** An offer under the framework's first role. */
  Offer offer(String frameworkId, String agentId, String resources) {
    String role = framework(frameworkId).subscription().roles().first();
    return offer(frameworkId, role, agentId, resources);
  }

  Offer offer(String frameworkId, String role, String agentId, String resources) {
    return offer(frameworkId, role, agentId, resources(resources));
  }

  Offer offer(String frameworkId, String role, String agentId, Resources resources) {
    Proposal proposal = new Proposal(frameworkId, role, agentId, resources.allocatedTo(role));
    assertThat(Offers.objection(state, proposal)).isEmpty();
    String id = state.newOfferId().getKey();
    run(tx -> Offers.make(tx, proposal));
    return state.offers().get(id);
  }

  static Filters refuse(double seconds) {
    return Filters.newBuilder().setRefuseSeconds(seconds).build();
  }

  TaskInfo.Builder command(String taskId, String agentId, String resources) {
    return TaskInfo.newBuilder()
        .setName(taskId)
        .setTaskId(id(taskId))
        .setAgentId(AgentID.newBuilder().setValue(agentId))
        .setCommand(CommandInfo.newBuilder().setValue("true"))
        .addAllResources(resources(resources).toMessages(Resources.Format.POST_REFINEMENT));
  }

  static org.mezzo.protocol.v1.Offer.Operation launching(TaskInfo.Builder... tasks) {
    var operation =
        org.mezzo.protocol.v1.Offer.Operation.newBuilder()
            .setType(org.mezzo.protocol.v1.Offer.Operation.Type.LAUNCH);
    for (TaskInfo.Builder task : tasks) {
      operation.getLaunchBuilder().addTaskInfos(task);
    }
    return operation.build();
  }

  /** A default executor that has what it needs. */
  static ExecutorInfo.Builder executor(String frameworkId, String executorId) {
    return ExecutorInfo.newBuilder()
        .setType(ExecutorInfo.Type.DEFAULT)
        .setExecutorId(ExecutorID.newBuilder().setValue(executorId))
        .setFrameworkId(FrameworkID.newBuilder().setValue(frameworkId))
        .addAllResources(
            resources("cpus:0.1;mem:32;disk:10").toMessages(Resources.Format.POST_REFINEMENT));
  }

  static org.mezzo.protocol.v1.Offer.Operation grouping(
      ExecutorInfo.Builder executor, TaskInfo.Builder... tasks) {
    var operation =
        org.mezzo.protocol.v1.Offer.Operation.newBuilder()
            .setType(org.mezzo.protocol.v1.Offer.Operation.Type.LAUNCH_GROUP);
    operation.getLaunchGroupBuilder().setExecutor(executor).getTaskGroupBuilder();
    for (TaskInfo.Builder task : tasks) {
      operation.getLaunchGroupBuilder().getTaskGroupBuilder().addTasks(task);
    }
    return operation.build();
  }

  Given accept(
      String frameworkId, List<Offer> offers, org.mezzo.protocol.v1.Offer.Operation... operations) {
    Call.Accept.Builder call = Call.Accept.newBuilder().addAllOperations(List.of(operations));
    offers.forEach(offer -> call.addOfferIds(offer.message().getId()));
    return accept(frameworkId, call.build());
  }

  Given accept(String frameworkId, Call.Accept call) {
    Accepted accepted = Accepted.of(frameworkId, call, Set.of());
    return run(tx -> Launches.accept(tx, frameworkId, accepted));
  }

  /** A task that was launched and of which nothing was heard. */
  Task launched(String frameworkId, String agentId, String taskId, String resources) {
    Offer offer = offer(frameworkId, agentId, resources);
    accept(frameworkId, List.of(offer), launching(command(taskId, agentId, resources)));
    return task(frameworkId, taskId);
  }

  /** A task whose first update came and was acknowledged. */
  Task running(String frameworkId, String agentId, String taskId, String resources) {
    updated(launched(frameworkId, agentId, taskId, resources), TaskState.TASK_RUNNING);
    return task(frameworkId, taskId);
  }

  static ByteString uuid(TaskState state) {
    return ByteString.copyFromUtf8((state.name() + "................").substring(0, 16));
  }

  /** An update as agents send it. */
  static StatusUpdate.Builder saying(Task task, TaskState state) {
    return StatusUpdate.newBuilder()
        .setFrameworkId(FrameworkID.newBuilder().setValue(task.frameworkId()))
        .setLatestState(state)
        .setStatus(
            TaskStatus.newBuilder()
                .setTaskId(id(task.id()))
                .setState(state)
                .setSource(TaskStatus.Source.SOURCE_EXECUTOR)
                .setUuid(uuid(state)));
  }

  Given updated(Task task, TaskState state) {
    return run(tx -> Statuses.update(tx, task.agentId(), saying(task, state).build()));
  }

  Given acknowledge(Task task, TaskState state) {
    Call.Acknowledge call =
        Call.Acknowledge.newBuilder()
            .setAgentId(AgentID.newBuilder().setValue(task.agentId()))
            .setTaskId(id(task.id()))
            .setUuid(uuid(state))
            .build();
    return run(tx -> Statuses.acknowledge(tx, task.frameworkId(), call));
  }

  static TaskID id(String taskId) {
    return TaskID.newBuilder().setValue(taskId).build();
  }

  static Resources resources(String text) {
    return read(() -> Resources.parse(text, "*"));
  }

  private interface Reading<T> {
    T read() throws ResourceFormatException;
  }

  private static <T> T read(Reading<T> reading) {
    try {
      return reading.read();
    } catch (ResourceFormatException e) {
      throw new IllegalArgumentException(e);
    }
  }
}
