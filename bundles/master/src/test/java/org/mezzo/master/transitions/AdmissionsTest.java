package org.mezzo.master.transitions;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.mezzo.coordination.Registry;
import org.mezzo.link.messages.MasterEvent;
import org.mezzo.link.messages.Register;
import org.mezzo.master.state.Agent;
import org.mezzo.master.state.Happening;
import org.mezzo.master.state.Task;
import org.mezzo.protocol.v1.AgentInfo;
import org.mezzo.protocol.v1.Attribute;
import org.mezzo.protocol.v1.DomainInfo;
import org.mezzo.protocol.v1.TaskState;
import org.mezzo.protocol.v1.Value;

class AdmissionsTest {
  private final Given given = new Given();

  private Register.Builder host(int number) {
    return Given.registering(number, given.host(number, "cpus:4"));
  }

  /** Rules 132 and 139: the registry first. */
  @Test
  void anAgentIsAdmittedWhenTheRegistryHasIt() {
    given.register(host(1));
    assertThat(given.effects()).hasSize(1);
    assertThat(given.only(Effect.Store.class).changes())
        .extracting(Registry.Change::key)
        .containsExactly("agents/m-S0");
    assertThat(given.state().agents()).isEmpty();
    assertThat(given.state().undecided()).hasSize(1);

    given.stored();
    Agent agent = given.agent("m-S0");
    assertThat(given.account("m-S0").free()).isEqualTo(Given.resources("cpus:4"));
    assertThat(given.state().undecided()).isEmpty();
    assertThat(given.effects())
        .extracting(effect -> effect.getClass().getSimpleName())
        .containsExactly("BindLink", "ToAgent", "Ping", "Tell", "Allocate");
    assertThat(given.toldAgent("m-S0").get(0).getRegistered().getTotalPingTimeoutSeconds())
        .isEqualTo(75);
    assertThat(given.happenings()).containsExactly(new Happening.AgentAdded(agent));
    assertThat(given.agentOn(2, "cpus:1")).isEqualTo("m-S1");
  }

  /** Rule 135: not under way already. */
  @Test
  void whoAsksAgainMeanwhileWaits() {
    given.register(host(1)).register(host(1));
    assertThat(given.effects()).isEmpty();
  }

  /** Rule 135: the agent tries again. */
  @Test
  void versionAndDomainDecideInSilence() {
    given.register(host(1).setVersion("0.28.0"));
    assertThat(given.effects()).isEmpty();
    given.register(host(1).clearVersion());
    assertThat(given.effects()).isEmpty();
    Register.Builder domain = host(1);
    domain.getAgentBuilder().setDomain(DomainInfo.getDefaultInstance());
    given.register(domain);
    assertThat(given.effects()).isEmpty();
    assertThat(given.state().undecided()).isEmpty();
  }

  /** {@code --require_agent_domain}; like a wrong version, also when it comes back. */
  @Test
  void whereADomainIsDemandedAnAgentWithoutOneIsIgnored() {
    String known = given.agentOn(1, "cpus:4");
    given.settings(
        it -> {
          Settings.Agents rules = it.agents();
          return it.with(
              new Settings.Agents(
                  rules.pingTimeout(), rules.maxPingTimeouts(), rules.reregisterTimeout(), true));
        });
    given.register(host(2));
    assertThat(given.effects()).isEmpty();
    assertThat(given.state().undecided()).isEmpty();
    given.run(tx -> Disconnections.disconnected(tx, known));
    given.reregister(given.reregistering(known));
    assertThat(given.effects()).isEmpty();
    assertThat(given.agent(known).connected()).isFalse();
  }

  @Test
  void whatTheRegistryCannotKeepIsRefusedWithAReason() {
    Register.Builder large = host(1);
    large
        .getAgentBuilder()
        .addAttributes(
            Attribute.newBuilder()
                .setName("a")
                .setType(Value.Type.TEXT)
                .setText(
                    Value.Text.newBuilder().setValue("x".repeat(AgentRegistry.MAX_AGENT_BYTES))));
    given.register(large);
    assertThat(given.effects()).hasSize(1);
    assertThat(given.only(Effect.RefuseLink.class).reason()).contains("the registry keeps at most");
    given.register(host(2)).refused("no room");
    assertThat(given.only(Effect.RefuseLink.class).reason()).isEqualTo("no room");
    assertThat(given.state().undecided()).isEmpty();
  }

  /** Rule 138: the reply was lost. */
  @Test
  void theSameProcessGetsItsIdAgain() {
    String id = given.agentOn(1, "cpus:4");
    given.register(host(1));
    assertThat(given.effects(Effect.BindLink.class)).hasSize(1);
    assertThat(given.toldAgent(id)).hasSize(1).allMatch(MasterEvent::hasRegistered);
    assertThat(given.effects(Effect.Store.class)).isEmpty();
    assertThat(given.state().agents()).containsOnlyKeys(id);
  }

  /** Rules 138 and 151: with all that was on it. */
  @Test
  void aNewProcessAtTheAddressOfADisconnectedOneReplacesIt() {
    String old = given.agentOn(1, "cpus:4");
    String framework = given.subscribed(Given.info("r").setCheckpoint(true));
    given.running(framework, old, "t", "cpus:1");
    given.run(tx -> Disconnections.disconnected(tx, old));
    given.register(host(1).setResourceVersionUuid("another"));
    assertThat(given.only(Effect.Store.class).changes())
        .extracting(Registry.Change::key)
        .containsExactly("agents/" + old, "agents/m-S1");
    given.stored();
    assertThat(given.state().agents()).containsOnlyKeys("m-S1");
    assertThat(given.state().removedAgents()).containsExactly(old);
    assertThat(given.framework(framework).tasks()).isEmpty();
    assertThat(given.framework(framework).completedTasks())
        .extracting(Task::state)
        .containsExactly(TaskState.TASK_LOST);
    assertThat(given.happenings()).hasAtLeastOneElementOfType(Happening.AgentRemoved.class);
    assertThat(given.happenings()).hasAtLeastOneElementOfType(Happening.AgentAdded.class);
  }

  @Test
  void anotherHostAtTheAddressOfAConnectedAgentIsRefused() {
    String id = given.agentOn(1, "cpus:4");
    AgentInfo.Builder other = given.host(2, "cpus:4");
    given.register(Given.registering(1, other).setResourceVersionUuid("another"));
    assertThat(given.effects()).hasSize(1);
    assertThat(given.only(Effect.RefuseLink.class).reason())
        .contains(id + " on h1 is connected and has the same address");
  }
}
