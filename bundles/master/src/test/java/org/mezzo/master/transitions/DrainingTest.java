package org.mezzo.master.transitions;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.ByteString;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.mezzo.coordination.Registry;
import org.mezzo.link.messages.MasterEvent;
import org.mezzo.link.messages.OperationUpdate;
import org.mezzo.link.messages.Register;
import org.mezzo.link.messages.Reregister;
import org.mezzo.link.messages.TaskRecord;
import org.mezzo.master.state.MasterState.PendingTask;
import org.mezzo.master.state.MasterState.TaskKey;
import org.mezzo.master.state.Operation;
import org.mezzo.master.state.Standing;
import org.mezzo.master.state.Task;
import org.mezzo.protocol.v1.AgentInfo;
import org.mezzo.protocol.v1.DrainConfig;
import org.mezzo.protocol.v1.DrainState;
import org.mezzo.protocol.v1.DurationInfo;
import org.mezzo.protocol.v1.Offer;
import org.mezzo.protocol.v1.OperationState;
import org.mezzo.protocol.v1.OperationStatus;
import org.mezzo.protocol.v1.TaskState;
import org.mezzo.protocol.v1.scheduler.Event;

/** {@link Draining} (rules 247 to 252, 255). */
class DrainingTest {
  private static final DrainConfig CONFIG =
      DrainConfig.newBuilder()
          .setMaxGracePeriod(DurationInfo.newBuilder().setNanoseconds(2))
          .setMarkGone(false)
          .build();
  private static final DrainConfig THEN_GONE = DrainConfig.newBuilder().setMarkGone(true).build();

  private final Given given = new Given();
  private final Answers answers = new Answers();
  private final String agent = drainable(1);
  private final String framework = given.subscribed(Given.info("r").setCheckpoint(true));
  private final Task task = given.running(framework, agent, "t", "cpus:1");

  private static <B> B draining(B message) {
    AgentInfo.Capability can =
        AgentInfo.Capability.newBuilder().setType(AgentInfo.Capability.Type.AGENT_DRAINING).build();
    if (message instanceof Register.Builder register) {
      register.addCapabilities(can);
    } else if (message instanceof Reregister.Builder reregister) {
      reregister.addCapabilities(can);
    }
    return message;
  }

  private String drainable(int host) {
    given.register(draining(Given.registering(host, given.host(host, "cpus:4")))).stored();
    return given.state().agentsByPid().get("slave(1)@10.0.0." + host + ":5051");
  }

  private Given drain(String id, DrainConfig config) {
    return given.run(tx -> Draining.begin(tx, id, config, true, answers.outcome));
  }

  private DrainState state() {
    return given.state().standing(agent).draining().orElseThrow().info().getState();
  }

  /** What the agent says when it comes back with its task. */
  private Reregister.Builder back() {
    return draining(given.reregistering(agent))
        .addFrameworks(given.framework(framework).info())
        .addTasks(TaskRecord.newBuilder().setTask(given.task(framework, "t").message()));
  }

  private List<MasterEvent> drains() {
    return given.toldAgent(agent).stream().filter(MasterEvent::hasDrain).toList();
  }

  private Given ended() {
    return given
        .updated(given.task(framework, "t"), TaskState.TASK_KILLED)
        .acknowledge(given.framework(framework).tasks().get("t"), TaskState.TASK_KILLED);
  }

  @Test
  void theAgentIsToldOnceTheRegistryKnowsAndIsDrainedWhenNothingIsLeft() {
    given.offer(framework, agent, "cpus:1");
    drain(agent, CONFIG);
    assertThat(given.effects()).as("registry first").hasSize(1);
    given.stored();
    assertThat(answers.of(given)).containsExactly("200");
    assertThat(drains()).singleElement().matches(it -> it.getDrain().getConfig().equals(CONFIG));
    assertThat(given.typesTo(framework)).containsExactly(Event.Type.RESCIND);
    assertThat(given.toldAllocator()).contains("agentUpdated");
    Standing standing = given.agent(agent).standing();
    assertThat(standing.deactivated()).as("rule 256: shown so").isTrue();
    assertThat(standing.draining().orElseThrow().began()).isEqualTo(given.now());
    assertThat(state()).isEqualTo(DrainState.DRAINING);

    given.updated(task, TaskState.TASK_KILLED);
    assertThat(given.effects(Effect.Next.class)).as("not acknowledged").isEmpty();
    given.acknowledge(given.task(framework, "t"), TaskState.TASK_KILLED).next();
    assertThat(state()).as("registry first").isEqualTo(DrainState.DRAINING);
    given.stored();
    assertThat(state()).isEqualTo(DrainState.DRAINED);
    assertThat(given.agent(agent).active()).isFalse();

    given.run(tx -> Standings.reactivate(tx, agent, answers.outcome)).stored();
    assertThat(answers.of(given)).containsExactly("200");
    assertThat(given.agent(agent).standing()).isEqualTo(Standing.OPEN);
  }

  @Test
  void whoHasNothingIsDrainedAtOnce() {
    String idle = drainable(2);
    drain(idle, CONFIG).stored().next().stored();
    assertThat(given.state().standing(idle).draining().orElseThrow().info().getState())
        .isEqualTo(DrainState.DRAINED);
  }

  /** Rule 251. */
  @Test
  void whoIsToBeGoneAfterwardsIsMarkedSo() {
    drain(agent, THEN_GONE).stored();
    ended().next();
    assertThat(given.only(Effect.Store.class).changes())
        .extracting(Registry.Change::key)
        .containsExactly("agents/" + agent, "gone/" + agent);
    given.stored();
    assertThat(given.state().goneAgents()).containsOnlyKeys(agent);
    assertThat(given.toldAgent(agent)).singleElement().matches(MasterEvent::hasShutdown);
  }

  /** Rule 248: a link that flaps loses neither the drain nor its message. */
  @Test
  void whoComesBackIsToldAgain() {
    drain(agent, CONFIG).stored();
    Reregister.Builder back = back();
    given.run(tx -> Disconnections.disconnected(tx, agent)).reregister(back);
    assertThat(drains()).hasSize(1);
    assertThat(given.agent(agent).active()).isFalse();
    ended().next().stored();
    assertThat(state()).isEqualTo(DrainState.DRAINED);
    given.reregister(draining(given.reregistering(agent)));
    assertThat(drains()).as("there is nothing left to do").isEmpty();
    assertThat(given.agent(agent).active()).isFalse();
  }

  /** Rule 255. */
  @Test
  void beingUnreachableDoesNotEndIt() {
    drain(agent, CONFIG).stored();
    Reregister.Builder back = back();
    given.unreachable(agent);
    assertThat(given.effects(Effect.Next.class)).isEmpty();
    assertThat(state()).as("its tasks are not known to be over").isEqualTo(DrainState.DRAINING);
    given.reregister(back).stored();
    assertThat(drains()).hasSize(1);
    assertThat(given.task(framework, "t")).isNotNull();
    assertThat(state()).isEqualTo(DrainState.DRAINING);
  }

  @Test
  void whoIsUnreachableWhenItBeginsIsToldOnReturnAndEmptyByThen() {
    Reregister.Builder back = draining(given.reregistering(agent));
    given.unreachable(agent);
    drain(agent, CONFIG).stored();
    assertThat(answers.of(given)).containsExactly("200");
    given.reregister(back).stored();
    assertThat(drains()).hasSize(1);
    given.next().stored();
    assertThat(state()).isEqualTo(DrainState.DRAINED);
  }

  /** Rule 255: the next leader goes on with it. */
  @Test
  void aChangeOfLeaderDoesNotEndIt() throws Exception {
    Map<String, byte[]> registry = new HashMap<>();
    drain(agent, CONFIG);
    given
        .only(Effect.Store.class)
        .changes()
        .forEach(change -> registry.put(change.key(), change.value()));
    given.stored();
    final Standing before = given.state().standing(agent);
    final Reregister said = back().build();

    Given next = new Given();
    var recovered = AgentRegistry.recover(next.state(), registry);
    next.run(tx -> tx.become(recovered));
    assertThat(next.state().standing(agent)).isEqualTo(before);
    next.reregister(said.toBuilder());
    assertThat(next.toldAgent(agent)).anyMatch(MasterEvent::hasDrain);
    assertThat(next.agent(agent).active()).isFalse();
    assertThat(next.effects(Effect.Next.class)).as("it has a task").isEmpty();
    Task there = next.task(framework, "t");
    next.updated(there, TaskState.TASK_KILLED)
        .acknowledge(next.task(framework, "t"), TaskState.TASK_KILLED)
        .next()
        .stored();
    assertThat(next.state().standing(agent).draining().orElseThrow().info().getState())
        .isEqualTo(DrainState.DRAINED);
  }

  /** Rule 252. */
  @Test
  void aSecondDrainReplacesTheFirst() {
    drain(agent, CONFIG).stored();
    given.later(Duration.ofSeconds(5));
    drain(agent, THEN_GONE).stored();
    assertThat(answers.of(given)).containsExactly("200");
    assertThat(drains()).singleElement().matches(it -> it.getDrain().getConfig().getMarkGone());
    assertThat(given.agent(agent).standing().draining().orElseThrow().began())
        .isEqualTo(given.now());
    given.run(tx -> Standings.reactivate(tx, agent, answers.outcome));
    assertThat(answers.of(given)).containsExactly("400 Agent is still in the DRAINING state");
  }

  /** A launch whose hooks were not asked yet counts as a task. */
  @Test
  void aLaunchThatIsNotDecidedIsWaitedFor() {
    TaskKey key = new TaskKey(framework, "late");
    PendingTask pending =
        new PendingTask(given.command("late", agent, "cpus:1").build(), agent, false);
    given.run(
        tx -> tx.become(tx.state().withPendingTasks(tx.state().pendingTasks().plus(key, pending))));
    drain(agent, CONFIG).stored();
    ended().next();
    assertThat(given.effects(Effect.Store.class)).isEmpty();
    given.expired();
    assertThat(given.effects(Effect.Store.class)).isEmpty();
    Step again = given.only(Effect.After.class).step();
    given.run(tx -> tx.become(tx.state().withPendingTasks(tx.state().pendingTasks().minus(key))));
    given.run(again).stored();
    assertThat(state()).isEqualTo(DrainState.DRAINED);
  }

  /** Rule 251: an operation whose outcome is not known counts as a task does. */
  @Test
  void anOperationIsWaitedFor() {
    String idle = drainable(2);
    ByteString uuid = ByteString.copyFromUtf8("0123456789abcdef");
    Operation operation =
        new Operation(
            uuid,
            "",
            idle,
            Offer.Operation.newBuilder().setType(Offer.Operation.Type.RESERVE).build(),
            OperationStatus.newBuilder().setState(OperationState.OPERATION_PENDING).build());
    given.run(tx -> tx.become(tx.state().with(tx.state().operations().with(operation))));
    drain(idle, CONFIG).stored();
    assertThat(given.effects(Effect.Next.class)).isEmpty();
    OperationUpdate done =
        OperationUpdate.newBuilder()
            .setOperationUuid(uuid)
            .setStatus(OperationStatus.newBuilder().setState(OperationState.OPERATION_FINISHED))
            .build();
    given.run(tx -> AgentOperations.update(tx, idle, done)).next().stored();
    assertThat(given.state().standing(idle).draining().orElseThrow().info().getState())
        .isEqualTo(DrainState.DRAINED);
  }

  /** The last task may end while a write about the agent is under way. */
  @Test
  void whatHappensDuringAWriteIsLookedAtAfterIt() {
    drain(agent, CONFIG).stored();
    given.run(tx -> Unreachability.mark(tx, agent, "test"));
    Effect.Refused failed = given.only(Effect.Store.class).refused();
    ended().next();
    assertThat(given.effects(Effect.Store.class)).isEmpty();
    given.run(tx -> failed.apply(tx, "no")).next().stored();
    assertThat(state()).isEqualTo(DrainState.DRAINED);
  }

  /** Rule 247, in its order. */
  @Test
  void whatCannotBeIsRefused() {
    String old = given.agentOn(3, "cpus:1");
    given.run(tx -> Draining.begin(tx, old, CONFIG, false, answers.outcome));
    assertThat(answers.of(given).get(0)).startsWith("400 ").contains("AGENT_DRAINING");
    given.run(tx -> Draining.begin(tx, "nobody", CONFIG, false, answers.outcome));
    assertThat(answers.of(given)).containsExactly("403 403 Forbidden.");
    drain("nobody", CONFIG);
    assertThat(answers.of(given)).containsExactly("400 Unknown agent");
    given.run(tx -> Gone.mark(tx, agent, answers.outcome));
    drain(agent, CONFIG);
    assertThat(answers.of(given).get(0)).startsWith("409 ");
  }
}
