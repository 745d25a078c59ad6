package org.mezzo.master.election;

import java.util.Collections;
import java.util.EnumSet;
import java.util.Set;
import java.util.function.Function;
import java.util.function.ToIntFunction;
import java.util.function.ToLongFunction;
import org.mezzo.api.Metrics;
import org.mezzo.daemon.metrics.MetricsRegistry;
import org.mezzo.master.ledger.Amounts;
import org.mezzo.master.state.Census;
import org.mezzo.protocol.v1.Offer;
import org.mezzo.protocol.v1.OperationState;
import org.mezzo.protocol.v1.TaskState;
import org.mezzo.resources.Quantities;

/**
 * The numbers that are read off the published state, and the counters that begin at zero. None of
 * them walks the state: what is summed up is kept with it ({@link Census}, {@link Amounts}).
 */
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

  private Gauges() {}

  /** Registers them. */
  public static void register(MetricsRegistry metrics, Leadership leadership) {
    for (String name : COUNTERS) {
      metrics.counter("master/" + name);
    }
    OperationTotals.names().forEach(metrics::counter);
    for (OperationState state : OperationTotals.PASSING) {
      operations(metrics, leadership, "", state, OperationTotals.ALL_TYPES);
      for (Offer.Operation.Type type : OperationTotals.TYPES) {
        operations(metrics, leadership, OperationTotals.lower(type) + "/", state, EnumSet.of(type));
      }
    }
    metrics.gauge("master/elected", () -> leadership.leading() ? 1 : 0);
    census(metrics, leadership, "slaves_connected", Census::connectedAgents);
    census(metrics, leadership, "slaves_disconnected", it -> it.agents() - it.connectedAgents());
    census(metrics, leadership, "slaves_active", Census::activeAgents);
    census(metrics, leadership, "slaves_inactive", it -> it.agents() - it.activeAgents());
    metrics.gauge(
        "master/slaves_unreachable",
        () -> leadership.measure(state -> state.unreachableAgents().size()));
    census(metrics, leadership, "frameworks_connected", Census::connectedFrameworks);
    census(
        metrics,
        leadership,
        "frameworks_disconnected",
        it -> it.frameworks() - it.connectedFrameworks());
    census(metrics, leadership, "frameworks_active", Census::activeFrameworks);
    census(
        metrics, leadership, "frameworks_inactive", it -> it.frameworks() - it.activeFrameworks());
    metrics.gauge(
        "master/outstanding_offers", () -> leadership.measure(state -> state.offers().size()));
    tasks(metrics, leadership, "staging", TaskState.TASK_STAGING);
    tasks(metrics, leadership, "starting", TaskState.TASK_STARTING);
    tasks(metrics, leadership, "running", TaskState.TASK_RUNNING);
    tasks(metrics, leadership, "killing", TaskState.TASK_KILLING);
    census(metrics, leadership, "tasks_unreachable", Census::unreachableTasks);
    for (String name : new String[] {"cpus", "gpus", "mem", "disk"}) {
      resources(metrics, leadership, name, name, Amounts::total, Amounts::allocated);
      resources(
          metrics,
          leadership,
          name,
          name + "_revocable",
          Amounts::revocableTotal,
          Amounts::revocableAllocated);
    }
    offerable(metrics, leadership);
    metrics.gauges(
        "roles", () -> leadership.state().map(RoleNumbers::of).orElseGet(Collections::emptyMap));
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
      amount(
          metrics,
          leadership,
          prefix + "/total",
          it -> it.total().get(name) + it.revocableTotal().get(name));
      amount(
          metrics,
          leadership,
          prefix + "/offered_or_allocated",
          it ->
              it.allocated().get(name)
                  + it.revocableAllocated().get(name)
                  + it.offered().get(name));
    }
  }

  private static void operations(
      Metrics metrics,
      Leadership leadership,
      String path,
      OperationState wanted,
      Set<Offer.Operation.Type> types) {
    metrics.gauge(
        "master/operations/" + path + OperationTotals.lower(wanted),
        () ->
            leadership.measure(
                state ->
                    types.stream()
                        .mapToInt(type -> state.operations().counts().present(type, wanted))
                        .sum()));
  }

  private static void census(
      Metrics metrics, Leadership leadership, String name, ToIntFunction<Census> count) {
    metrics.gauge(
        "master/" + name, () -> leadership.measure(state -> count.applyAsInt(state.census())));
  }

  private static void tasks(Metrics metrics, Leadership leadership, String name, TaskState wanted) {
    census(metrics, leadership, "tasks_" + name, it -> it.tasks().in(wanted));
  }

  private static void resources(
      Metrics metrics,
      Leadership leadership,
      String name,
      String shown,
      Function<Amounts, Quantities> total,
      Function<Amounts, Quantities> used) {
    amount(metrics, leadership, "master/" + shown + "_total", it -> total.apply(it).get(name));
    amount(metrics, leadership, "master/" + shown + "_used", it -> used.apply(it).get(name));
    metrics.gauge(
        "master/" + shown + "_percent",
        () ->
            leadership.measure(
                state -> {
                  Amounts all = state.ledger().amounts();
                  long there = total.apply(all).get(name);
                  return there == 0 ? 0 : (double) used.apply(all).get(name) / there;
                }));
  }

  /** A sum of the ledger, which counts thousandths. */
  private static void amount(
      Metrics metrics, Leadership leadership, String name, ToLongFunction<Amounts> thousandths) {
    metrics.gauge(
        name,
        () ->
            leadership.measure(
                state -> thousandths.applyAsLong(state.ledger().amounts()) / 1000.0));
  }
}
