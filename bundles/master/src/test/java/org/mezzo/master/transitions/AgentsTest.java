package org.mezzo.master.transitions;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.mezzo.api.allocator.Proposal;
import org.mezzo.link.messages.ExecutorExited;
import org.mezzo.link.messages.UpdateAgent;
import org.mezzo.master.ledger.Offer;
import org.mezzo.protocol.v1.CommandInfo;
import org.mezzo.protocol.v1.ExecutorID;
import org.mezzo.protocol.v1.ExecutorInfo;
import org.mezzo.protocol.v1.Resource;
import org.mezzo.protocol.v1.Value;
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
        List.of(given.offer(framework, agent, "cpus:2")),
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
    assertThat(given.account(agent).free().scalar("cpus")).isEqualTo(3000);
    given.run(tx -> Agents.executorExited(tx, agent, exited("x").build()));
    assertThat(given.sentTo(framework).get(0).getFailure().getStatus()).isEqualTo(-1);
    given.run(tx -> Agents.executorExited(tx, agent, exited("t").setGenerated(true).build()));
    assertThat(given.effects()).as("of a command task").isEmpty();
  }

  private static Resource revocable(int cpus) {
    return Resource.newBuilder()
        .setName("cpus")
        .setType(Value.Type.SCALAR)
        .setScalar(Value.Scalar.newBuilder().setValue(cpus))
        .setRevocable(Resource.RevocableInfo.getDefaultInstance())
        .build();
  }

  private static UpdateAgent lending(int cpus) {
    return UpdateAgent.newBuilder()
        .setResourceVersionUuid("next")
        .addOversubscribed(revocable(cpus))
        .build();
  }

  private Given update(UpdateAgent message) throws Exception {
    Resources oversubscribed = Resources.of(message.getOversubscribedList());
    return given.run(tx -> Agents.update(tx, agent, message, oversubscribed));
  }

  private Offer revocableOffer(int cpus) throws Exception {
    Resources lent = Resources.of(List.of(revocable(cpus))).allocatedTo("r");
    String id = given.state().newOfferId().getKey();
    given.run(tx -> Offers.make(tx, new Proposal(framework, "r", agent, lent)));
    return given.state().offers().get(id);
  }

  /** Rules 157 and 316. */
  @Test
  void whatAnAgentLendsIsAddedToWhatItHas() throws Exception {
    update(lending(3));
    assertThat(given.account(agent).version()).isEqualTo("next");
    assertThat(given.account(agent).total().nonRevocable()).isEqualTo(Given.resources("cpus:4"));
    assertThat(given.account(agent).total().revocable().scalar("cpus")).isEqualTo(3000);
    assertThat(given.account(agent).free().revocable().scalar("cpus")).isEqualTo(3000);
    assertThat(given.toldAllocator()).containsExactly("agentUpdated");
    assertThat(given.only(Effect.Allocate.class).agentId()).contains(agent);
    update(lending(1));
    assertThat(given.account(agent).total().revocable().scalar("cpus"))
        .as("the new amount, not one more")
        .isEqualTo(1000);
    update(UpdateAgent.newBuilder().setResourceVersionUuid("last").build());
    assertThat(given.account(agent).total()).isEqualTo(Given.resources("cpus:4"));
  }

  /** Rule 317. */
  @Test
  void offersOfWhatWasLentAreRescindedAndOthersStay() throws Exception {
    update(lending(3));
    Offer lent = revocableOffer(2);
    Offer own = given.offer(framework, agent, "cpus:1");
    update(lending(1));
    assertThat(given.typesTo(framework)).containsExactly(Event.Type.RESCIND);
    assertThat(given.sentTo(framework).get(0).getRescind().getOfferId())
        .isEqualTo(lent.message().getId());
    assertThat(given.state().offers()).containsOnlyKeys(own.id());
    assertThat(given.toldAllocator()).containsExactly("released", "agentUpdated");
    assertThat(given.account(agent).free().revocable().scalar("cpus")).isEqualTo(1000);
  }

  /** Rule 317: whatever it says of resources that are its own. */
  @Test
  void onlyRevocableResourcesAreLent() {
    Resources spare = Given.resources("cpus:4");
    given.offer(framework, agent, "cpus:1");
    given.run(tx -> Agents.update(tx, agent, UpdateAgent.getDefaultInstance(), spare));
    assertThat(given.account(agent).total()).isEqualTo(Given.resources("cpus:4"));
    assertThat(given.typesTo(framework)).doesNotContain(Event.Type.RESCIND);
    assertThat(given.toldAllocator()).containsExactly("agentUpdated");
  }
}
