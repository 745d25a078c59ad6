package org.mezzo.master.election;

import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.function.ToDoubleFunction;
import java.util.stream.Stream;
import org.mezzo.api.Metrics;
import org.mezzo.master.ledger.Account;
import org.mezzo.master.state.Agent;
import org.mezzo.master.state.Framework;
import org.mezzo.master.state.MasterState;
import org.mezzo.protocol.v1.TaskState;
import org.mezzo.resources.Resources;

/** The numbers that are read off the published state, and the counters that begin at zero. */
public final class Gauges {
  private static final String[] COUNTERS = {
    "dropped_messages",
    "http_cache_hits",
    "invalid_executor_to_framework_messages",
    "invalid_framework_to_executor_messages",
    "invalid_operation_status_update_acknowledgements",
    "invalid_operation_status_updates",
    "invalid_status_update_acknowledgements",
    "invalid_status_updates",
    "messages_authenticate",
    "messages_deactivate_framework",
    "messages_decline_offers",
    "messages_executor_to_framework",
    "messages_exited_executor",
    "messages_framework_to_executor",
    "messages_kill_task",
    "messages_launch_tasks",
    "messages_operation_status_update",
    "messages_operation_status_update_acknowledgement",
    "messages_reconcile_operations",
    "messages_reconcile_tasks",
    "messages_register_framework",
    "messages_register_slave",
    "messages_reregister_framework",
    "messages_reregister_slave",
    "messages_resource_request",
    "messages_revive_offers",
    "messages_status_update",
    "messages_status_update_acknowledgement",
    "messages_suppress_offers",
    "messages_unregister_framework",
    "messages_unregister_slave",
    "messages_update_slave",
    "recovery_slave_removals",
    "slave_registrations",
    "slave_removals",
    "slave_removals/reason_registered",
    "slave_removals/reason_unhealthy",
    "slave_removals/reason_unregistered",
    "slave_reregistrations",
    "slave_shutdowns_canceled",
    "slave_shutdowns_completed",
    "slave_shutdowns_scheduled",
    "slave_unreachable_canceled",
    "slave_unreachable_completed",
    "slave_unreachable_scheduled",
    "tasks_dropped",
    "tasks_error",
    "tasks_failed",
    "tasks_finished",
    "tasks_gone",
    "tasks_gone_by_operator",
    "tasks_killed",
    "tasks_lost",
    "valid_executor_to_framework_messages",
    "valid_framework_to_executor_messages",
    "valid_operation_status_update_acknowledgements",
    "valid_operation_status_updates",
    "valid_status_update_acknowledgements",
    "valid_status_updates",
  };

  private static final List<String> OPERATIONS =
      List.of(
          "create",
          "create_disk",
          "destroy",
          "destroy_disk",
          "grow_volume",
          "reserve",
          "shrink_volume",
          "unreserve");
  private static final List<String> OPERATION_STATES =
      List.of(
          "dropped",
          "error",
          "failed",
          "finished",
          "gone_by_operator",
          "pending",
          "recovering",
          "total",
          "unreachable");

  private Gauges() {}

  /** Registers them. */
  public static void register(Metrics metrics, Leadership leadership) {
    for (String name : COUNTERS) {
      metrics.counter("master/" + name);
    }
    for (String state : OPERATION_STATES) {
      operations(metrics, leadership, "master/operations/" + state, Optional.empty(), state);
      for (String operation : OPERATIONS) {
        operations(
            metrics,
            leadership,
            "master/operations/" + operation + "/" + state,
            Optional.of(operation),
            state);
      }
    }
    metrics.gauge("master/elected", () -> leadership.leading() ? 1 : 0);
    agents(metrics, leadership, "connected", Agent::connected);
    agents(metrics, leadership, "disconnected", agent -> !agent.connected());
    agents(metrics, leadership, "active", Agent::active);
    agents(metrics, leadership, "inactive", agent -> !agent.active());
    metrics.gauge(
        "master/slaves_unreachable",
        () -> leadership.measure(state -> state.unreachableAgents().size()));
    frameworks(metrics, leadership, "connected", Framework::connected);
    frameworks(metrics, leadership, "disconnected", framework -> !framework.connected());
    frameworks(metrics, leadership, "active", Framework::active);
    frameworks(metrics, leadership, "inactive", framework -> !framework.active());
    metrics.gauge(
        "master/outstanding_offers", () -> leadership.measure(state -> state.offers().size()));
    tasks(metrics, leadership, "staging", TaskState.TASK_STAGING);
    tasks(metrics, leadership, "starting", TaskState.TASK_STARTING);
    tasks(metrics, leadership, "running", TaskState.TASK_RUNNING);
    tasks(metrics, leadership, "killing", TaskState.TASK_KILLING);
    metrics.gauge(
        "master/tasks_unreachable",
        () ->
            leadership.measure(
                state ->
                    state.frameworks().values().stream()
                        .mapToInt(framework -> framework.unreachableTasks().size())
                        .sum()));
    for (String name : new String[] {"cpus", "gpus", "mem", "disk"}) {
      resources(metrics, leadership, name, name, Resources::nonRevocable);
      resources(metrics, leadership, name, name + "_revocable", Resources::revocable);
    }
    offerable(metrics, leadership);
    // Asked of the present term: one that ended must not be held by its numbers.
    for (String prefix : new String[] {"allocator/", "allocator/mesos/"}) {
      metrics.gauge(prefix + "event_queue_dispatches", () -> waitingCalls(leadership.term()));
    }
  }

  private static int waitingCalls(MasterTerm term) {
    return term == null ? 0 : term.allocation().waitingCalls();
  }

  /** What the allocator has to give, and what of it is given. */
  private static void offerable(Metrics metrics, Leadership leadership) {
    for (String name : new String[] {"cpus", "mem", "disk"}) {
      String prefix = "allocator/mesos/resources/" + name;
      metrics.gauge(
          prefix + "/total",
          () ->
              leadership.measure(
                  state ->
                      amounts(
                          state.ledger().accounts().values().stream().map(Account::total),
                          name,
                          all -> all)));
      metrics.gauge(
          prefix + "/offered_or_allocated",
          () ->
              leadership.measure(
                  state ->
                      amounts(
                          state.ledger().accounts().values().stream()
                              .flatMap(
                                  account ->
                                      Stream.concat(
                                          account.allocated().values().stream(),
                                          account.offered().values().stream())),
                          name,
                          all -> all)));
    }
  }

  private static void operations(
      Metrics metrics, Leadership leadership, String name, Optional<String> type, String wanted) {
    metrics.gauge(
        name,
        () ->
            leadership.measure(
                state ->
                    state.operations().all().stream()
                        .filter(
                            it -> type.isEmpty() || lower(it.info().getType()).equals(type.get()))
                        .filter(
                            it ->
                                wanted.equals("total")
                                    || lower(it.latest().getState()).equals("operation_" + wanted))
                        .count()));
  }

  private static String lower(Enum<?> value) {
    return value.name().toLowerCase(Locale.ROOT);
  }

  private static void agents(
      Metrics metrics,
      Leadership leadership,
      String name,
      java.util.function.Predicate<Agent> which) {
    metrics.gauge(
        "master/slaves_" + name,
        () -> leadership.measure(state -> state.agents().values().stream().filter(which).count()));
  }

  private static void frameworks(
      Metrics metrics,
      Leadership leadership,
      String name,
      java.util.function.Predicate<Framework> which) {
    metrics.gauge(
        "master/frameworks_" + name,
        () ->
            leadership.measure(
                state -> state.frameworks().values().stream().filter(which).count()));
  }

  private static void tasks(Metrics metrics, Leadership leadership, String name, TaskState wanted) {
    metrics.gauge(
        "master/tasks_" + name,
        () ->
            leadership.measure(
                state ->
                    state.frameworks().values().stream()
                        .flatMap(framework -> framework.tasks().values().stream())
                        .filter(task -> task.state() == wanted)
                        .count()));
  }

  private static void resources(
      Metrics metrics,
      Leadership leadership,
      String name,
      String shown,
      java.util.function.UnaryOperator<Resources> part) {
    ToDoubleFunction<MasterState> total =
        state ->
            amounts(state.ledger().accounts().values().stream().map(Account::total), name, part);
    ToDoubleFunction<MasterState> used =
        state ->
            amounts(
                state.ledger().accounts().values().stream()
                    .flatMap(account -> account.allocated().values().stream()),
                name,
                part);
    metrics.gauge("master/" + shown + "_total", () -> leadership.measure(total::applyAsDouble));
    metrics.gauge("master/" + shown + "_used", () -> leadership.measure(used::applyAsDouble));
    metrics.gauge(
        "master/" + shown + "_percent",
        () ->
            leadership.measure(
                state -> {
                  double all = total.applyAsDouble(state);
                  return all == 0 ? 0 : used.applyAsDouble(state) / all;
                }));
  }

  private static double amounts(
      Stream<Resources> all, String name, java.util.function.UnaryOperator<Resources> part) {
    return all.mapToLong(resources -> part.apply(resources).scalar(name)).sum() / 1000.0;
  }
}
