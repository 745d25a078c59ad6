package org.mezzo.master.transitions;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.mezzo.api.allocator.OfferFilter;
import org.mezzo.master.ledger.Account;
import org.mezzo.master.ledger.Amounts;
import org.mezzo.master.state.Agent;
import org.mezzo.master.state.Census;
import org.mezzo.master.state.Framework;
import org.mezzo.master.state.MasterState;
import org.mezzo.master.state.Operation;
import org.mezzo.master.state.Task;
import org.mezzo.protocol.v1.Offer;
import org.mezzo.protocol.v1.OperationState;
import org.mezzo.protocol.v1.TaskState;
import org.mezzo.resources.Resources;

/** What a state keeps of itself in numbers is what a walk through all of it finds. */
final class Sums {
  private Sums() {}

  /** Asserts it. */
  static void assertKept(MasterState state) {
    people(state);
    amounts(state);
    operations(state);
    Map<String, Integer> filters = new HashMap<>();
    for (String id : state.frameworks().keySet()) {
      state
          .filters()
          .of(id)
          .map(OfferFilter::role)
          .forEach(role -> filters.merge(role, 1, Integer::sum));
    }
    assertThat(state.filters().counts()).as("filters by role").isEqualTo(filters);
  }

  private static void people(MasterState state) {
    Census census = state.census();
    var frameworks = state.frameworks().values();
    assertThat(census.frameworks()).isEqualTo(frameworks.size());
    assertThat(census.connectedFrameworks())
        .isEqualTo((int) frameworks.stream().filter(Framework::connected).count());
    assertThat(census.activeFrameworks())
        .isEqualTo((int) frameworks.stream().filter(Framework::active).count());
    var agents = state.agents().values();
    assertThat(census.agents()).isEqualTo(agents.size());
    assertThat(census.connectedAgents())
        .isEqualTo((int) agents.stream().filter(Agent::connected).count());
    assertThat(census.activeAgents())
        .isEqualTo((int) agents.stream().filter(Agent::active).count());
    Map<TaskState, Integer> all = new EnumMap<>(TaskState.class);
    int unreachable = 0;
    for (Framework framework : frameworks) {
      Map<TaskState, Integer> own = new EnumMap<>(TaskState.class);
      for (Task task : framework.tasks().values()) {
        own.merge(task.state(), 1, Integer::sum);
        all.merge(task.state(), 1, Integer::sum);
      }
      for (TaskState each : TaskState.values()) {
        assertThat(framework.counts().in(each))
            .as("%s of %s", each, framework.id())
            .isEqualTo(own.getOrDefault(each, 0));
      }
      unreachable += framework.unreachableTasks().size();
    }
    for (TaskState each : TaskState.values()) {
      assertThat(census.tasks().in(each)).as("%s", each).isEqualTo(all.getOrDefault(each, 0));
    }
    assertThat(census.unreachableTasks()).isEqualTo(unreachable);
  }

  private static void amounts(MasterState state) {
    List<Resources> total = new ArrayList<>();
    List<Resources> allocated = new ArrayList<>();
    List<Resources> offered = new ArrayList<>();
    for (Map.Entry<String, Account> each : state.ledger().accounts().entrySet()) {
      Account account = each.getValue();
      List<Resources> given =
          account.providers().values().stream().map(provision -> provision.total()).toList();
      assertThat(account.amounts())
          .as("amounts of %s", each.getKey())
          .isEqualTo(Amounts.of(given, account.allocated().values(), account.offered().values()));
      total.addAll(given);
      allocated.addAll(account.allocated().values());
      offered.addAll(account.offered().values());
    }
    assertThat(state.ledger().amounts()).isEqualTo(Amounts.of(total, allocated, offered));
  }

  private static void operations(MasterState state) {
    for (Offer.Operation.Type type : Offer.Operation.Type.values()) {
      int ended = 0;
      for (OperationState each : OperationState.values()) {
        int present = 0;
        for (Operation operation : state.operations().all()) {
          if (operation.info().getType() == type && operation.latest().getState() == each) {
            present++;
          }
        }
        assertThat(state.operations().counts().present(type, each))
            .as("%s in %s", type, each)
            .isEqualTo(present);
        ended += state.operations().counts().ended(type, each);
      }
      long passing =
          state.operations().all().stream()
              .filter(it -> it.info().getType() == type && !it.terminal())
              .count();
      assertThat(state.operations().counts().begun(type))
          .as("%s begun: those that ended, those under way, and those dropped unheard", type)
          .isGreaterThanOrEqualTo((int) (ended + passing));
    }
  }
}
