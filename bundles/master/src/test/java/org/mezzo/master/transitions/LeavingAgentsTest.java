package org.mezzo.master.transitions;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.mezzo.coordination.Registry;
import org.mezzo.master.state.Framework;
import org.mezzo.master.state.Happening;
import org.mezzo.master.state.MasterState;
import org.mezzo.master.state.RecoveredAgent;
import org.mezzo.master.state.Standing;
import org.mezzo.master.state.Task;
import org.mezzo.protocol.v1.AgentInfo;
import org.mezzo.protocol.v1.TaskState;
import org.mezzo.protocol.v1.TaskStatus;
import org.mezzo.protocol.v1.scheduler.Event;

/** {@link Disconnections}, {@link Unreachability} and {@link Removals}. */
class LeavingAgentsTest {
  private final Given given = new Given(new MasterState.Limits(2, 3, 2, 2));
  private final String agent = given.agentOn(1, "cpus:4");
  private final String aware = given.partitionAware("r");
  private final String plain = given.subscribed("r");
  private final String keeping = given.subscribed(Given.info("r").setCheckpoint(true));

  private Given disconnected() {
    return given.run(tx -> Disconnections.disconnected(tx, agent));
  }

  /** Rule 142. */
  @Test
  void aLostLinkRescindsOffersAndLosesWhatIsNotCheckpointed() {
    given.running(plain, agent, "p", "cpus:1");
    given.running(keeping, agent, "k", "cpus:1");
    given.offer(aware, agent, "cpus:1");
    disconnected();
    assertThat(given.agent(agent).connected()).isFalse();
    assertThat(given.agent(agent).active()).isFalse();
    assertThat(given.typesTo(aware)).containsExactly(Event.Type.RESCIND);
    TaskStatus lost = given.update(plain);
    assertThat(lost.getState()).isEqualTo(TaskState.TASK_LOST);
    assertThat(lost.getReason()).isEqualTo(TaskStatus.Reason.REASON_AGENT_DISCONNECTED);
    assertThat(given.framework(plain).tasks()).isEmpty();
    assertThat(given.sentTo(keeping)).isEmpty();
    assertThat(given.framework(keeping).tasks()).containsOnlyKeys("k");
    assertThat(given.toldAllocator()).contains("released", "agentUpdated");
    assertThat(given.effects(Effect.EndLink.class)).as("pings go on").isEmpty();
    assertThat(given.only(Effect.After.class).delay()).isEqualTo(Duration.ofMinutes(10));
    disconnected();
    assertThat(given.effects()).isEmpty();
  }

  /** Rule 143: in its turn, and only if it is away still. */
  @Test
  void whoDoesNotComeBackInTimeIsMarkedInItsTurn() {
    disconnected().expired();
    assertThat(given.effects(Effect.Store.class)).isEmpty();
    Effect.MarkUnreachable mark = given.only(Effect.MarkUnreachable.class);
    assertThat(mark.agentId()).isEqualTo(agent);
    given.run(mark.mark());
    assertThat(given.effects(Effect.Store.class)).hasSize(1);
    given.refused("no");
    given.reregister(given.reregistering(agent)).run(mark.mark());
    assertThat(given.effects()).isEmpty();
  }

  /** Rule 144. */
  @Test
  void anUnreachableAgentsTasksAreSoUntilItIsBack() {
    given.running(aware, agent, "a", "cpus:1");
    given.running(plain, agent, "p", "cpus:1");
    given.offer(keeping, agent, "cpus:1");
    given.run(tx -> Unreachability.mark(tx, agent, "test"));
    assertThat(given.effects()).as("registry first").hasSize(1);
    assertThat(given.only(Effect.Store.class).changes())
        .extracting(Registry.Change::key)
        .containsExactly("agents/" + agent, "unreachable/" + agent);
    given.run(tx -> Unreachability.mark(tx, agent, "again"));
    assertThat(given.effects()).as("under way").isEmpty();
  }

  @Test
  void whenTheRegistryHasItEverybodyIsTold() {
    given.running(aware, agent, "a", "cpus:1");
    given.running(plain, agent, "p", "cpus:1");
    given.offer(keeping, agent, "cpus:1");
    given.unreachable(agent);
    TaskStatus status = given.update(aware);
    assertThat(status.getState()).isEqualTo(TaskState.TASK_UNREACHABLE);
    assertThat(status.getReason()).isEqualTo(TaskStatus.Reason.REASON_AGENT_REMOVED);
    assertThat(status.getMessage()).isEqualTo("Agent h1 is unreachable: test");
    assertThat(status.getUnreachableTime().getNanoseconds())
        .isEqualTo(AgentRegistry.nanos(given.now()));
    assertThat(given.update(plain).getState()).isEqualTo(TaskState.TASK_LOST);
    assertThat(given.typesTo(keeping)).containsExactly(Event.Type.RESCIND, Event.Type.FAILURE);
    for (String framework : List.of(aware, plain)) {
      assertThat(given.typesTo(framework)).endsWith(Event.Type.FAILURE);
      assertThat(given.framework(framework).tasks()).isEmpty();
      assertThat(given.framework(framework).unreachableTasks()).hasSize(1);
      assertThat(given.ledger().allocatedTo(framework)).isEmpty();
    }
    assertThat(given.state().agents()).isEmpty();
    assertThat(given.state().unreachableAgents().get(agent).since()).isEqualTo(given.now());
    assertThat(given.effects(Effect.EndLink.class)).containsExactly(new Effect.EndLink(agent));
    assertThat(given.effects(Effect.AgentLost.class)).hasSize(1);
    assertThat(given.toldAllocator()).endsWith("agentRemoved");
    assertThat(given.happenings())
        .as("rule 159")
        .noneMatch(it -> it instanceof Happening.AgentRemoved);
    assertThat(given.counted())
        .contains("master/slave_removals", "master/slave_removals/reason_unhealthy");
  }

  @Test
  void unreachableTasksAreRememberedUpToTheLimitAndEndedOnesCompleted() {
    for (String id : List.of("a", "b", "c")) {
      given.running(aware, agent, id, "cpus:1");
    }
    Task ended = given.running(aware, agent, "d", "cpus:1");
    given.updated(ended, TaskState.TASK_FINISHED).unreachable(agent);
    Framework framework = given.framework(aware);
    assertThat(framework.unreachableTasks()).hasSize(2);
    assertThat(framework.completedTasks()).extracting(Task::id).containsExactly("d");
    assertThat(given.updates(aware)).hasSize(3);
  }

  /** Rule 150. */
  @Test
  void anAgentThatDidNotComeBackAfterAChangeOfLeaderIsMarkedToo() {
    given.run(
        tx ->
            tx.become(
                tx.state()
                    .withRecoveredAgents(
                        tx.state()
                            .recoveredAgents()
                            .plus(
                                "r",
                                new RecoveredAgent(
                                    "r",
                                    AgentInfo.newBuilder().setHostname("h").build(),
                                    Standing.OPEN)))));
    given.unreachable("r");
    assertThat(given.state().recoveredAgents()).isEmpty();
    assertThat(given.state().unreachableAgents()).containsOnlyKeys("r");
    assertThat(given.counted()).containsExactly("master/recovery_slave_removals");
    assertThat(given.typesTo(aware)).containsExactly(Event.Type.FAILURE);
  }

  /** Rule 151. */
  @Test
  void anAgentThatSaysGoodByeLosesItsTasksForAll() {
    given.running(aware, agent, "a", "cpus:1");
    given.running(keeping, agent, "k", "cpus:1");
    given.run(tx -> Removals.unregister(tx, agent));
    assertThat(given.effects()).hasSize(1);
    assertThat(given.only(Effect.Store.class).changes())
        .extracting(Registry.Change::key)
        .containsExactly("agents/" + agent);
    given.stored();
    for (String framework : List.of(aware, keeping)) {
      assertThat(given.update(framework).getState()).isEqualTo(TaskState.TASK_LOST);
      assertThat(given.update(framework).getReason())
          .isEqualTo(TaskStatus.Reason.REASON_AGENT_REMOVED);
      assertThat(given.typesTo(framework)).endsWith(Event.Type.FAILURE);
      assertThat(given.framework(framework).completedTasks()).hasSize(1);
    }
    assertThat(given.state().removedAgents()).containsExactly(agent);
    assertThat(given.happenings()).hasAtLeastOneElementOfType(Happening.AgentRemoved.class);
    assertThat(given.counted()).contains("master/slave_removals/reason_unregistered");
    given.run(tx -> Removals.unregister(tx, agent));
    assertThat(given.effects()).isEmpty();
  }

  @Test
  void removedAgentsAreRememberedUpToTheLimit() {
    for (int i = 2; i < 5; i++) {
      String id = given.agentOn(i, "cpus:1");
      given.run(tx -> Removals.unregister(tx, id)).stored();
    }
    assertThat(given.state().removedAgents()).containsExactly("m-S2", "m-S3");
  }

  @Test
  void anAgentThatTheRegistryCannotRemoveStays() {
    given.run(tx -> Removals.unregister(tx, agent)).refused("no");
    assertThat(given.effects()).isEmpty();
    assertThat(given.state().undecided()).isEmpty();
    assertThat(given.agent(agent).connected()).isTrue();
  }
}
