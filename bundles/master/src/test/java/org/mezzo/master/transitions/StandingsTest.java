package org.mezzo.master.transitions;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.InvalidProtocolBufferException;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.mezzo.api.allocator.Proposal;
import org.mezzo.coordination.Registry;
import org.mezzo.master.state.MasterState;
import org.mezzo.master.state.Standing;
import org.mezzo.protocol.v1.TaskState;
import org.mezzo.protocol.v1.scheduler.Event;

/** {@link Standings}: deactivation and its end (rules 253 to 256). */
class StandingsTest {
  private final Given given = new Given();
  private final Answers answers = new Answers();
  private final String agent = given.agentOn(1, "cpus:400");
  private final String framework = given.subscribed(Given.info("r").setCheckpoint(true));

  private Given deactivate(String id) {
    return given.run(tx -> Standings.deactivate(tx, id, answers.outcome));
  }

  private Given reactivate(String id) {
    return given.run(tx -> Standings.reactivate(tx, id, answers.outcome));
  }

  /** The agents that a master knows that reads what the last step writes. */
  private MasterState read() throws InvalidProtocolBufferException {
    Registry.Change change = given.only(Effect.Store.class).changes().get(0);
    return AgentRegistry.recover(new Given().state(), Map.of(change.key(), change.value()));
  }

  @Test
  void aDeactivatedAgentIsNotOfferedAndKeepsItsTasks() throws Exception {
    given.running(framework, agent, "t", "cpus:1");
    given.offer(framework, agent, "cpus:1");
    deactivate(agent);
    assertThat(given.effects()).as("registry first").hasSize(1);
    assertThat(read().standing(agent).deactivated()).isTrue();
    assertThat(given.agent(agent).active()).isTrue();

    given.stored();
    assertThat(answers.of(given)).containsExactly("200");
    assertThat(given.agent(agent).active()).isFalse();
    assertThat(given.agent(agent).connected()).isTrue();
    assertThat(given.typesTo(framework)).containsExactly(Event.Type.RESCIND);
    assertThat(given.toldAllocator()).containsExactly("agentUpdated", "released");
    assertThat(given.task(framework, "t").state()).isEqualTo(TaskState.TASK_RUNNING);
    Proposal late = new Proposal(framework, "r", agent, Given.resources("cpus:1").allocatedTo("r"));
    assertThat(Offers.objection(given.state(), late)).contains("agent is not active");

    deactivate(agent);
    assertThat(answers.of(given)).as("again").containsExactly("200");
    assertThat(given.effects(Effect.Store.class)).isEmpty();
  }

  @Test
  void manyOffersAreTakenBackInPortions() {
    for (int i = 0; i < 205; i++) {
      given.offer(framework, agent, "cpus:1");
    }
    deactivate(agent).stored();
    assertThat(given.state().offers()).hasSize(5);
    given.next();
    assertThat(given.state().offers()).isEmpty();
  }

  @Test
  void aReactivatedAgentIsOfferedAgain() throws Exception {
    reactivate(agent);
    assertThat(answers.of(given)).containsExactly("400 Agent is not deactivated");
    deactivate(agent).stored();
    reactivate(agent);
    assertThat(read().standing(agent)).isEqualTo(Standing.OPEN);
    given.stored();
    assertThat(answers.of(given)).containsExactly("200");
    assertThat(given.agent(agent).active()).isTrue();
    assertThat(given.toldAllocator()).containsExactly("agentUpdated");
    assertThat(given.only(Effect.Allocate.class).agentId()).contains(agent);
  }

  /** Rule 255: neither a lost link, nor being unreachable, nor coming back changes it. */
  @Test
  void itStaysWithTheAgent() throws Exception {
    var back = given.reregistering(agent);
    deactivate(agent).stored();
    given.run(tx -> Disconnections.disconnected(tx, agent)).reregister(back);
    assertThat(given.agent(agent).active()).isFalse();
    given.unreachable(agent);
    assertThat(given.state().standing(agent).deactivated()).isTrue();
    given.reregister(back);
    assertThat(read().standing(agent).deactivated()).isTrue();
    given.stored();
    assertThat(given.agent(agent).active()).isFalse();
  }

  @Test
  void whoIsAwayIsOnlyNoted() throws Exception {
    var back = given.reregistering(agent);
    given.unreachable(agent);
    deactivate(agent);
    assertThat(given.only(Effect.Store.class).changes().get(0).key())
        .isEqualTo("unreachable/" + agent);
    assertThat(read().unreachableAgents().get(agent).standing().deactivated()).isTrue();
    given.stored();
    assertThat(answers.of(given)).containsExactly("200");
    reactivate(agent).stored();
    assertThat(answers.of(given)).hasSize(1);
    assertThat(answers.of(given).get(0)).startsWith("409 Agent is not registered");
    given.reregister(back).stored();
    assertThat(given.agent(agent).active()).as("kept all the same").isTrue();
  }

  @Test
  void whatCannotBeIsRefused() {
    deactivate("nobody");
    assertThat(answers.of(given)).containsExactly("400 Unknown agent");
    reactivate("nobody");
    assertThat(answers.of(given)).containsExactly("400 Agent is not deactivated");
    given.run(tx -> Unreachability.mark(tx, agent, "test"));
    List<Effect.Store> marking = given.effects(Effect.Store.class);
    deactivate(agent);
    assertThat(answers.of(given).get(0)).startsWith("409 ").contains("try again");
    given.run(marking.get(0).then());
    deactivate(agent).refused("full");
    assertThat(answers.of(given)).containsExactly("500 The registry refused the change: full");
    assertThat(given.state().undecided()).isEmpty();
    assertThat(given.state().standing(agent).open()).isTrue();
  }

  /** An allocator that starts now is told so. */
  @Test
  void aNewAllocatorKnows() {
    deactivate(agent).stored();
    assertThat(Offers.ledger(given.state(), given.now(), Optional.empty()).agents())
        .singleElement()
        .matches(it -> !it.active());
  }
}
