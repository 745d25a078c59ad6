package org.mezzo.master.transitions;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.mezzo.coordination.Registry;
import org.mezzo.link.messages.MasterEvent;
import org.mezzo.link.messages.Reregister;
import org.mezzo.master.state.Happening;
import org.mezzo.master.state.Standing;
import org.mezzo.protocol.v1.AgentID;
import org.mezzo.protocol.v1.TaskState;
import org.mezzo.protocol.v1.TaskStatus;
import org.mezzo.protocol.v1.scheduler.Call;
import org.mezzo.protocol.v1.scheduler.Event;

/** {@link Gone} (rules 152, 153). */
class GoneTest {
  private final Given given = new Given();
  private final Answers answers = new Answers();
  private final String agent = given.agentOn(1, "cpus:4");
  private final String aware = given.partitionAware("r");
  private final String plain = given.subscribed("r");

  private Given mark(String id) {
    return given.run(tx -> Gone.mark(tx, id, answers.outcome));
  }

  @Test
  void tasksOfAnAgentThatIsGoneAreOverAndTheAgentIsToldToEnd() throws Exception {
    given.running(aware, agent, "a", "cpus:1");
    given.running(plain, agent, "p", "cpus:1");
    given.offer(plain, agent, "cpus:1");
    mark(agent);
    assertThat(given.effects()).as("registry first").hasSize(1);
    Map<String, byte[]> registry = new HashMap<>();
    for (Registry.Change change : given.only(Effect.Store.class).changes()) {
      if (change.value() == null) {
        assertThat(change.key()).isEqualTo("agents/" + agent);
      } else {
        registry.put(change.key(), change.value());
      }
    }
    assertThat(AgentRegistry.recover(new Given().state(), registry).goneAgents())
        .containsEntry(agent, given.now());
    mark(agent);
    assertThat(answers.of(given).get(0)).startsWith("503 ").contains("try again");
  }

  @Test
  void everybodyIsToldOnceTheRegistryHasIt() {
    given.running(aware, agent, "a", "cpus:1");
    given.running(plain, agent, "p", "cpus:1");
    given.offer(plain, agent, "cpus:1");
    mark(agent).stored();
    assertThat(answers.of(given)).containsExactly("200");
    TaskStatus gone = given.update(aware);
    assertThat(gone.getState()).isEqualTo(TaskState.TASK_GONE_BY_OPERATOR);
    assertThat(gone.getReason()).isEqualTo(TaskStatus.Reason.REASON_AGENT_REMOVED_BY_OPERATOR);
    TaskStatus lost = given.update(plain);
    assertThat(lost.getState()).isEqualTo(TaskState.TASK_LOST);
    assertThat(lost.getReason()).isEqualTo(TaskStatus.Reason.REASON_AGENT_REMOVED);
    assertThat(given.typesTo(plain))
        .containsExactlyInAnyOrder(Event.Type.UPDATE, Event.Type.RESCIND, Event.Type.FAILURE);
    assertThat(given.toldAgent(agent))
        .singleElement()
        .matches(it -> it.getShutdown().getMessage().equals("Agent has been marked gone"));
    assertThat(given.effects(Effect.EndLink.class)).hasSize(1);
    assertThat(given.toldAllocator()).endsWith("agentRemoved");
    assertThat(given.state().agents()).isEmpty();
    assertThat(given.state().goneAgents()).containsOnlyKeys(agent);
    assertThat(given.state().undecided()).isEmpty();
    assertThat(given.framework(aware).completedTasks()).hasSize(1);
    assertThat(given.happenings())
        .as("rule 159")
        .noneMatch(it -> it instanceof Happening.AgentRemoved);
    assertThat(given.counted()).contains("master/slave_removals");
    mark(agent);
    assertThat(answers.of(given)).as("again").containsExactly("200");
  }

  /** Rule 153. */
  @Test
  void whoIsGoneMayNotComeBack() {
    Reregister.Builder back = given.reregistering(agent);
    mark(agent).stored();
    given.reregister(back);
    assertThat(given.only(Effect.ToLink.class).event().getShutdown().getMessage())
        .isEqualTo("Agent has been marked gone");
    assertThat(given.effects(Effect.BindLink.class)).isEmpty();
  }

  @Test
  void anUnreachableAgentIsGoneWithWhatWasOnIt() {
    given.running(aware, agent, "a", "cpus:1");
    given.unreachable(agent);
    mark(agent);
    assertThat(given.only(Effect.Store.class).changes())
        .extracting(Registry.Change::key)
        .containsExactly("unreachable/" + agent, "gone/" + agent);
    given.stored();
    assertThat(given.state().unreachableAgents()).isEmpty();
    assertThat(given.framework(aware).unreachableTasks()).isEmpty();
    Call.Reconcile.Task.Builder asked =
        Call.Reconcile.Task.newBuilder()
            .setTaskId(Given.id("a"))
            .setAgentId(AgentID.newBuilder().setValue(agent));
    given.run(tx -> Tasks.reconcile(tx, aware, List.of(asked.build())));
    assertThat(given.update(aware).getState()).isEqualTo(TaskState.TASK_GONE_BY_OPERATOR);
  }

  @Test
  void whoWasRecoveredIsGoneToo() throws Exception {
    Map<String, byte[]> registry =
        Map.of("agents/r", AgentRegistry.bytes(given.agent(agent).info(), Standing.OPEN));
    Given next = new Given();
    var recovered = AgentRegistry.recover(next.state(), registry);
    next.run(tx -> tx.become(recovered)).run(tx -> Gone.mark(tx, "r", answers.outcome)).stored();
    assertThat(next.state().recoveredAgents()).isEmpty();
    assertThat(next.state().goneAgents()).containsOnlyKeys("r");
  }

  @Test
  void whatCannotBeIsRefused() {
    mark("nobody");
    assertThat(answers.of(given)).containsExactly("404 Agent 'nobody' not found");
    mark(agent).refused("full");
    assertThat(answers.of(given)).containsExactly("500 The registry refused the change: full");
    assertThat(given.state().undecided()).isEmpty();
    assertThat(given.toldAgent(agent)).noneMatch(MasterEvent::hasShutdown);
    assertThat(given.agent(agent).active()).isTrue();
  }
}
