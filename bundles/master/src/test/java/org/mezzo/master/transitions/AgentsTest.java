package org.mezzo.master.transitions;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.mezzo.link.messages.ExecutorExited;
import org.mezzo.link.messages.UpdateAgent;
import org.mezzo.protocol.v1.CommandInfo;
import org.mezzo.protocol.v1.ExecutorID;
import org.mezzo.protocol.v1.ExecutorInfo;
import org.mezzo.protocol.v1.scheduler.Event;
import org.mezzo.resources.Resources;

class AgentsTest {
  private final Given given = new Given();
  private final String agent = given.agentOn(1, "cpus:4");
  private final String framework = given.subscribed("r");

  private ExecutorExited.Builder exited(String executorId) {
    return ExecutorExited.newBuilder()
        .setFrameworkId(given.framework(framework).info().getId())
        .setExecutorId(ExecutorID.newBuilder().setValue(executorId));
  }

  /** Rule 49. */
  @Test
  void anExecutorThatEndsGivesItsResourcesBackAndItsFrameworkIsTold() {
    given.accept(
        framework,
        java.util.List.of(given.offer(framework, agent, "cpus:2")),
        Given.launching(
            given
                .command("t", agent, "cpus:1")
                .clearCommand()
                .setExecutor(
                    ExecutorInfo.newBuilder()
                        .setExecutorId(ExecutorID.newBuilder().setValue("e"))
                        .setCommand(CommandInfo.newBuilder().setValue("run"))
                        .addAllResources(
                            Given.resources("cpus:1")
                                .toMessages(Resources.Format.POST_REFINEMENT)))));
    given.run(tx -> Agents.executorExited(tx, agent, exited("e").setStatus(256).build()));
    assertThat(given.sentTo(framework).get(0).getFailure().getStatus()).isEqualTo(256);
    assertThat(given.sentTo(framework).get(0).getFailure().getExecutorId().getValue())
        .isEqualTo("e");
    assertThat(given.agent(agent).executors()).isEmpty();
    assertThat(given.agent(agent).free().scalar("cpus")).isEqualTo(3000);
    given.run(tx -> Agents.executorExited(tx, agent, exited("x").build()));
    assertThat(given.sentTo(framework).get(0).getFailure().getStatus()).isEqualTo(-1);
    given.run(tx -> Agents.executorExited(tx, agent, exited("t").setGenerated(true).build()));
    assertThat(given.effects()).as("of a command task").isEmpty();
  }

  /** Rules 157, 316 and 317. */
  @Test
  void anotherTotalRescindsRevocableOffersOnly() {
    Resources spare = Given.resources("cpus:4");
    UpdateAgent.Builder message = UpdateAgent.newBuilder().setResourceVersionUuid("next");
    given.offer(framework, agent, "cpus:1");
    given.run(tx -> Agents.update(tx, agent, message.build(), spare));
    assertThat(given.agent(agent).resourceVersion()).isEqualTo("next");
    assertThat(given.agent(agent).total())
        .as("what is not revocable is not oversubscribed")
        .isEqualTo(Given.resources("cpus:4"));
    assertThat(given.typesTo(framework)).doesNotContain(Event.Type.RESCIND);
    assertThat(given.toldAllocator()).containsExactly("agentUpdated");
    assertThat(given.effects(Effect.Allocate.class)).hasSize(1);
  }
}
