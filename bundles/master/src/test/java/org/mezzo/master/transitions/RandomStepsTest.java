package org.mezzo.master.transitions;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.mezzo.api.allocator.Proposal;
import org.mezzo.master.ledger.Offer;
import org.mezzo.master.state.Agent;
import org.mezzo.master.state.Framework;
import org.mezzo.master.state.MasterState;
import org.mezzo.master.state.Task;
import org.mezzo.protocol.v1.TaskState;

/**
 * Whatever happens in whatever order: each state balances, and the numbers it keeps are those that
 * a walk finds, which {@link Given} looks at after each step.
 */
class RandomStepsTest {
  private static final int STEPS = 200;

  private static final TaskState[] HEARD = {
    TaskState.TASK_STARTING,
    TaskState.TASK_RUNNING,
    TaskState.TASK_RUNNING,
    TaskState.TASK_KILLING,
    TaskState.TASK_FINISHED,
    TaskState.TASK_FAILED
  };

  private final Given given = new Given(new MasterState.Limits(2, 3, 3, 5));
  private Random random;
  private int hosts;
  private int names;

  @ParameterizedTest
  @ValueSource(longs = {1, 2})
  void keepTheNumbers(long seed) {
    random = new Random(seed);
    int launched = 0;
    int filtered = 0;
    for (int i = 0; i < STEPS; i++) {
      step();
      launched = Math.max(launched, given.state().census().tasks().in(TaskState.TASK_RUNNING));
      filtered = Math.max(filtered, given.state().filters().counts().size());
    }
    // A walk that came nowhere would prove nothing.
    assertThat(launched).isGreaterThan(1);
    assertThat(filtered).isPositive();
  }

  private void step() {
    switch (random.nextInt(16)) {
      case 0 -> {
        if (given.state().agents().size() < 5) {
          given.agentOn(++hosts, "cpus:8;mem:256;disk:100");
        }
      }
      case 1 -> {
        if (given.state().frameworks().size() < 4) {
          given.partitionAware(random.nextBoolean() ? "q" : "r");
        }
      }
      case 2, 3, 4, 5 -> offer();
      case 6, 7 -> any(given.state().offers().values()).ifPresent(this::launch);
      case 8 -> any(given.state().offers().values()).ifPresent(this::decline);
      case 9, 10, 11 ->
          any(tasks()).ifPresent(task -> given.updated(task, HEARD[random.nextInt(HEARD.length)]));
      case 12 ->
          any(tasks())
              .filter(task -> task.message().hasStatusUpdateState())
              .ifPresent(task -> given.acknowledge(task, task.message().getStatusUpdateState()));
      case 13 -> rarely(this::trouble);
      case 14 ->
          any(given.state().frameworks().keySet())
              .ifPresent(
                  id -> {
                    given.later(Duration.ofSeconds(random.nextInt(20)));
                    given.run(tx -> Offers.expireFilters(tx, id));
                  });
      default -> comeBack();
    }
  }

  private void offer() {
    any(connected())
        .flatMap(framework -> any(active()).map(agent -> proposal(framework, agent)))
        .filter(proposal -> Offers.objection(given.state(), proposal).isEmpty())
        .ifPresent(proposal -> given.run(tx -> Offers.make(tx, proposal)));
  }

  private Proposal proposal(Framework framework, Agent agent) {
    String role = framework.subscription().roles().first();
    return new Proposal(
        framework.id(), role, agent.id(), Given.resources("cpus:1;mem:8").allocatedTo(role));
  }

  private void launch(Offer offer) {
    String name = "t" + ++names;
    given.accept(
        offer.frameworkId(),
        List.of(offer),
        Given.launching(given.command(name, offer.agentId(), "cpus:1;mem:4")));
  }

  private void decline(Offer offer) {
    var refuse = Given.refuse(1 + random.nextInt(30));
    given.run(
        tx -> Offers.decline(tx, offer.frameworkId(), List.of(offer.message().getId()), refuse));
  }

  private void trouble() {
    switch (random.nextInt(5)) {
      case 0 ->
          any(active())
              .ifPresent(agent -> given.run(tx -> Disconnections.disconnected(tx, agent.id())));
      case 1 -> any(given.state().agents().keySet()).ifPresent(given::unreachable);
      case 2 ->
          any(given.state().agents().keySet())
              .ifPresent(id -> given.run(tx -> Removals.unregister(tx, id)).stored());
      case 3 ->
          any(connected())
              .ifPresent(it -> given.run(tx -> Frameworks.remove(tx, tx.framework(it.id()))));
      default -> any(connected()).ifPresent(it -> given.disconnect(it.id()));
    }
  }

  private void comeBack() {
    any(given.state().agents().values().stream().filter(agent -> !agent.connected()).toList())
        .ifPresent(agent -> given.reregister(given.reregistering(agent.id())));
  }

  private void rarely(Runnable action) {
    if (random.nextInt(2) == 0) {
      action.run();
    }
  }

  private List<Framework> connected() {
    return given.state().frameworks().values().stream().filter(Framework::connected).toList();
  }

  private List<Agent> active() {
    return given.state().agents().values().stream().filter(Agent::active).toList();
  }

  private List<Task> tasks() {
    return given.state().frameworks().values().stream()
        .flatMap(it -> it.tasks().values().stream())
        .toList();
  }

  private <T> Optional<T> any(Collection<T> of) {
    List<T> all = new ArrayList<>(of);
    return all.isEmpty() ? Optional.empty() : Optional.of(all.get(random.nextInt(all.size())));
  }
}
