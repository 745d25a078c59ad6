package org.mezzo.master.transitions;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.mezzo.master.ledger.Offer;
import org.mezzo.master.state.Framework;
import org.mezzo.master.state.Removal;
import org.mezzo.protocol.v1.FrameworkID;
import org.mezzo.protocol.v1.FrameworkInfo;
import org.mezzo.protocol.v1.TaskInfo;
import org.mezzo.protocol.v1.scheduler.OfferConstraints;

/** Long work lets other events through, and what they change is seen. */
class TurnsTest {
  private static final int MANY = 2 * Turns.PORTION + 50;

  private final Given given = new Given();
  private final FrameworkInfo.Builder info = Given.info("r");

  private String withTasks() {
    String agent = given.agentOn(1, "cpus:10000");
    String framework = given.subscribed(info);
    Offer offer = given.offer(framework, agent, "cpus:9000");
    TaskInfo.Builder[] tasks = new TaskInfo.Builder[MANY];
    for (int i = 0; i < MANY; i++) {
      tasks[i] = given.command("t" + i, agent, "cpus:1");
    }
    given.accept(framework, List.of(offer), Given.launching(tasks));
    while (!given.effects(Effect.Next.class).isEmpty()) {
      given.next();
    }
    assertThat(given.framework(framework).tasks()).hasSize(MANY);
    return framework;
  }

  @Test
  void aLargeFrameworkLeavesInTurnsAndDoesNotComeBack() {
    String framework = withTasks();
    List<String> done = new ArrayList<>();
    given.run(
        tx ->
            Frameworks.remove(
                tx,
                tx.framework(framework),
                Removal.byOperator(Optional.of("ops")),
                later -> later.answer(() -> done.add("done"))));
    assertThat(given.framework(framework).phase()).isEqualTo(Framework.Phase.LEAVING);
    assertThat(given.framework(framework).tasks()).hasSize(MANY - Turns.PORTION);
    Effect.Next rest = given.only(Effect.Next.class);

    given.subscribe(
        info.clone().setId(FrameworkID.newBuilder().setValue(framework)), "another stream");
    assertThat(given.sentOn("another stream"))
        .singleElement()
        .satisfies(
            event ->
                assertThat(event.getError().getMessage())
                    .isEqualTo(
                        "Framework has been removed: %s is being removed by TEARDOWN of operator"
                            + " 'ops'",
                        framework));

    given.run(rest.step());
    assertThat(given.effects(Effect.Answer.class)).isEmpty();
    given.next();
    assertThat(given.effects(Effect.Answer.class)).hasSize(1);
    assertThat(given.state().frameworks()).isEmpty();
    assertThat(given.ledger().allocatedTo(framework)).isEmpty();
  }

  @Test
  void anAgentWithManyTasksLeavesInTurnsAndIsNotOfferedMeanwhile() {
    String framework = withTasks();
    String agent = given.state().agents().keySet().iterator().next();
    given.unreachable(agent);
    Effect.Next rest = given.only(Effect.Next.class);
    assertThat(given.agent(agent).active()).isFalse();
    assertThat(given.toldAllocator()).contains("agentUpdated");
    given.reregister(given.reregistering(agent));
    assertThat(given.effects()).isEmpty();
    given.run(rest.step()).next();
    assertThat(given.state().agents()).isEmpty();
    assertThat(given.state().undecided()).isEmpty();
    assertThat(given.state().unreachableAgents()).containsOnlyKeys(agent);
    assertThat(given.framework(framework).unreachableTasks()).hasSize(MANY);
  }

  @Test
  void manyTasksAreReconciledInTurns() {
    String framework = withTasks();
    given.run(tx -> Tasks.reconcile(tx, framework, List.of()));
    int told = given.updates(framework).size();
    assertThat(told).isEqualTo(Turns.PORTION);
    while (!given.effects(Effect.Next.class).isEmpty()) {
      given.next();
      told += given.updates(framework).size();
    }
    assertThat(told).isEqualTo(MANY);
  }

  @Test
  void manyOffersAreGivenBackInTurns() {
    String framework = given.subscribed(info);
    String agent = given.agentOn(1, "cpus:10000");
    for (int i = 0; i < MANY; i++) {
      given.offer(framework, agent, "cpus:1");
    }
    given.disconnect(framework);
    assertThat(given.ledger().offersTo(framework)).hasSize(MANY - Turns.PORTION);
    given.next();
    given.next();
    assertThat(given.state().offers()).isEmpty();
  }

  @Test
  void manyFrameworksHearOfTheLossOfAnAgentInTurns() {
    Subscribing request =
        Subscribing.of(info.build(), List.of(), OfferConstraints.getDefaultInstance());
    given.run(
        tx -> {
          for (int i = 0; i < MANY; i++) {
            Frameworks.subscribe(tx, request, "stream-" + i, Optional.empty());
          }
        });
    String agent = given.agentOn(1, "cpus:1");
    given.unreachable(agent);
    int told = failures();
    assertThat(told).isEqualTo(Turns.PORTION);
    while (!given.effects(Effect.Next.class).isEmpty()) {
      given.next();
      told += failures();
    }
    assertThat(told).isEqualTo(MANY);
  }

  private int failures() {
    return (int)
        given.effects(Effect.Send.class).stream().filter(it -> it.event().hasFailure()).count();
  }
}
