package org.mezzo.master.transitions;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.mezzo.coordination.Registry;
import org.mezzo.link.messages.MasterEvent;
import org.mezzo.link.messages.Reregister;
import org.mezzo.master.state.Happening;
import org.mezzo.master.state.RecoveredAgent;
import org.mezzo.master.state.Standing;
import org.mezzo.protocol.v1.AgentInfo;
import org.mezzo.protocol.v1.Attribute;
import org.mezzo.protocol.v1.Value;
import org.mezzo.protocol.v1.scheduler.Event;
import org.mezzo.resources.Resources;

class ReadmissionsTest {
  private final Given given = new Given();
  private final String agent = given.agentOn(1, "cpus:4");

  /** Rule 136: nothing changed, nothing is written. */
  @Test
  void whoIsAsItWasIsBackAtOnce() {
    String framework = given.subscribed(Given.info("r").setCheckpoint(true));
    var task = given.running(framework, agent, "t", "cpus:1");
    given.run(tx -> Disconnections.disconnected(tx, agent));
    Reregister.Builder back = given.reregistering(agent);
    back.addFrameworks(given.framework(framework).info()).addTasksBuilder().setTask(task.message());
    given.reregister(back);
    assertThat(given.effects(Effect.Store.class)).isEmpty();
    assertThat(given.agent(agent).active()).isTrue();
    assertThat(given.agent(agent).reregistered()).contains(given.now());
    assertThat(given.effects(Effect.BindLink.class)).hasSize(1);
    assertThat(given.effects(Effect.Ping.class)).containsExactly(new Effect.Ping(agent));
    // Rule 149 after the greeting.
    assertThat(given.toldAgent(agent))
        .satisfiesExactly(
            event -> assertThat(event.getReregistered().getAgentId().getValue()).isEqualTo(agent),
            event ->
                assertThat(event.getUpdateFramework().getFramework())
                    .isEqualTo(given.framework(framework).info()));
    assertThat(given.toldAllocator()).containsExactly("agentUpdated");
    assertThat(given.framework(framework).tasks()).containsOnlyKeys("t");
  }

  /**
   * Rules 136 and 147: the registry first; offers are rescinded, filters of other times dropped.
   */
  @Test
  void anotherDescriptionIsWrittenFirst() {
    String framework = given.subscribed("r");
    var refused = given.offer(framework, agent, "cpus:1");
    given.run(
        tx ->
            Offers.decline(tx, framework, List.of(refused.message().getId()), Given.refuse(1000)));
    given.offer(framework, agent, "cpus:1");
    AgentInfo info =
        given.agent(agent).info().toBuilder()
            .clearResources()
            .addAllResources(Given.resources("cpus:8").toMessages(Resources.Format.POST_REFINEMENT))
            .addAttributes(
                Attribute.newBuilder()
                    .setName("a")
                    .setType(Value.Type.TEXT)
                    .setText(Value.Text.newBuilder().setValue("b")))
            .build();
    given.reregister(given.reregistering(agent).setAgent(info));
    assertThat(given.only(Effect.Store.class).changes())
        .extracting(Registry.Change::key)
        .containsExactly("agents/" + agent);
    assertThat(given.account(agent).total().scalar("cpus")).isEqualTo(4000);
    given.reregister(given.reregistering(agent));
    assertThat(given.effects()).as("under way").isEmpty();
  }

  @Test
  void aChangedAgentLosesItsOffersAndFilters() {
    String framework = given.subscribed("r");
    var refused = given.offer(framework, agent, "cpus:1");
    given.run(
        tx ->
            Offers.decline(tx, framework, List.of(refused.message().getId()), Given.refuse(1000)));
    given.offer(framework, agent, "cpus:1");
    AgentInfo info =
        given.agent(agent).info().toBuilder()
            .clearResources()
            .addAllResources(Given.resources("cpus:8").toMessages(Resources.Format.POST_REFINEMENT))
            .addAttributes(
                Attribute.newBuilder()
                    .setName("a")
                    .setType(Value.Type.TEXT)
                    .setText(Value.Text.newBuilder().setValue("b")))
            .build();
    given.reregister(given.reregistering(agent).setAgent(info)).stored();
    assertThat(given.typesTo(framework)).containsExactly(Event.Type.RESCIND);
    assertThat(given.filters(framework)).isEmpty();
    assertThat(given.account(agent).free().scalar("cpus")).isEqualTo(8000);
    assertThat(given.toldAllocator()).contains("filtersRemoved", "agentUpdated");
  }

  /** Rules 136 and 145: with an id that was not admitted. */
  @Test
  void anAgentThatIsNotKnownIsTakenInUnderItsId() {
    AgentInfo.Builder info = given.host(2, "cpus:2");
    info.getIdBuilder().setValue("elsewhere-S7");
    Reregister.Builder message =
        Reregister.newBuilder()
            .setVersion("1.12.0")
            .setAddress(Given.address(2))
            .setResourceVersionUuid("v")
            .setAgent(info);
    given.reregister(message);
    assertThat(given.state().agents()).containsOnlyKeys(agent);
    given.stored();
    assertThat(given.state().agents()).containsOnlyKeys(agent, "elsewhere-S7");
    assertThat(given.happenings()).hasOnlyElementsOfType(Happening.AgentAdded.class);
    assertThat(given.toldAllocator()).containsExactly("agentAdded");
  }

  /** Rule 150. */
  @Test
  void aRecoveredAgentIsRecoveredNoMore() {
    AgentInfo.Builder info = given.host(2, "cpus:2");
    info.getIdBuilder().setValue("b");
    given.run(
        tx ->
            tx.become(
                tx.state()
                    .withRecoveredAgents(
                        tx.state()
                            .recoveredAgents()
                            .plus("b", new RecoveredAgent("b", info.build(), Standing.OPEN)))));
    given.reregister(
        Reregister.newBuilder().setVersion("1.12.0").setAddress(Given.address(2)).setAgent(info));
    assertThat(given.effects(Effect.Store.class)).isEmpty();
    assertThat(given.state().recoveredAgents()).isEmpty();
    assertThat(given.state().agents()).containsKey("b");
  }

  /** Rules 144 and 145. */
  @Test
  void anUnreachableAgentIsTakenOffThatList() {
    Reregister.Builder message = given.reregistering(agent);
    given.unreachable(agent).reregister(message);
    assertThat(given.only(Effect.Store.class).changes())
        .extracting(Registry.Change::key)
        .containsExactly("agents/" + agent, "unreachable/" + agent);
    given.stored();
    assertThat(given.state().unreachableAgents()).isEmpty();
    assertThat(given.agent(agent).active()).isTrue();
  }

  /** Rules 136 and 153. */
  @Test
  void whoIsGoneOrSomebodyElseIsToldToEndAndNobodyElseNotices() {
    given.run(
        tx -> tx.become(tx.state().withGoneAgents(tx.state().goneAgents().plus("g", tx.now()))));
    Reregister.Builder gone = given.reregistering(agent).setAddress(Given.address(2));
    gone.getAgentBuilder().getIdBuilder().setValue("g");
    given.reregister(gone);
    assertThat(given.effects()).hasSize(1);
    assertThat(given.only(Effect.ToLink.class).event().getShutdown().getMessage())
        .isEqualTo("Agent has been marked gone");

    var before = given.state();
    given.reregister(given.reregistering(agent).setAddress(Given.address(3)));
    assertThat(given.effects()).hasSize(1);
    assertThat(given.only(Effect.ToLink.class).event().getShutdown().getMessage())
        .isEqualTo("Agent attempted to reregister with different IP / hostname");
    assertThat(given.state()).isEqualTo(before);
  }

  @Test
  void anIdThatIsNoneIsRefused() {
    Reregister.Builder bad = given.reregistering(agent);
    bad.getAgentBuilder().getIdBuilder().setValue("a/b");
    given.reregister(bad);
    assertThat(given.only(Effect.RefuseLink.class).reason()).startsWith("Agent id is not valid: ");
    assertThat(given.toldAgent(agent)).noneMatch(MasterEvent::hasReregistered);
  }
}
