package org.mezzo.master.endpoints;

import java.util.Map;
import org.mezzo.daemon.json.JsonOut;
import org.mezzo.daemon.json.StateJson;
import org.mezzo.master.ledger.Account;
import org.mezzo.master.ledger.Ledger;
import org.mezzo.master.ledger.Offer;
import org.mezzo.master.reads.EpochSeconds;
import org.mezzo.master.reads.Visibility;
import org.mezzo.master.state.Agent;
import org.mezzo.master.state.Executor;
import org.mezzo.master.state.Framework;
import org.mezzo.master.state.MasterState;
import org.mezzo.master.state.Task;
import org.mezzo.protocol.v1.FrameworkInfo;

/** The records of a state as the master's JSON endpoints write them. Stateless. */
final class MasterJson {
  private MasterJson() {}

  /** A field with the agents that were here before a failover and did not come back yet. */
  static void recovered(JsonOut json, MasterState state) {
    json.array(
        "recovered_slaves",
        state.recoveredAgents().values(),
        agent ->
            json.object(
                () -> {
                  json.field("id", agent.id());
                  json.field("hostname", agent.info().getHostname());
                  json.integer("port", agent.info().getPort());
                  StateJson.attributes(json, "attributes", agent.info().getAttributesList());
                  if (agent.info().hasDomain()) {
                    StateJson.domain(json, "domain", agent.info().getDomain());
                  }
                }));
  }

  /** The fields of an agent, within an object. */
  static void agent(JsonOut json, View view, Agent agent) {
    Account account = view.state().account(agent.id());
    json.field("id", agent.id());
    json.field("hostname", agent.info().getHostname());
    json.integer("port", agent.info().getPort());
    StateJson.attributes(json, "attributes", agent.info().getAttributesList());
    if (agent.info().hasDomain()) {
      StateJson.domain(json, "domain", agent.info().getDomain());
    }
    json.field("pid", agent.pid());
    json.field("registered_time", EpochSeconds.of(agent.registered()));
    agent.reregistered().ifPresent(at -> json.field("reregistered_time", EpochSeconds.of(at)));
    StateJson.resources(json, "resources", account.total());
    StateJson.resources(json, "used_resources", account.totalAllocated());
    StateJson.resources(json, "offered_resources", account.totalOffered());
    StateJson.resourcesByRole(
        json, "reserved_resources", view.visibility().roles(account.total().reserved()));
    StateJson.resources(json, "unreserved_resources", account.total().unreserved());
    json.field("active", agent.active());
    json.field("deactivated", agent.standing().deactivated());
    json.field("version", agent.version());
    json.array(
        "capabilities",
        agent.capabilities().stream().sorted().toList(),
        capability -> json.text(capability.name()));
    agent
        .standing()
        .draining()
        .ifPresent(
            it -> {
              json.message("drain_info", it.info());
              json.field("estimated_drain_start_time_seconds", EpochSeconds.of(it.began()));
            });
  }

  /** What a framework and its summary have in common, within an object. */
  static void outline(JsonOut json, View view, Framework framework) {
    Ledger ledger = view.state().ledger();
    json.field("id", framework.id());
    json.field("name", framework.info().getName());
    StateJson.resources(json, "used_resources", ledger.totalAllocatedTo(framework.id()));
    StateJson.resources(json, "offered_resources", ledger.totalOfferedTo(framework.id()));
    json.array(
        "capabilities",
        framework.info().getCapabilitiesList(),
        capability -> json.text(capability.getType().name()));
    json.field("hostname", framework.info().getHostname());
    json.field("webui_url", framework.info().getWebuiUrl());
    json.field("active", framework.active());
    json.field("connected", framework.connected());
    json.field("recovered", framework.phase() == Framework.Phase.RECOVERED);
  }

  /** A framework as an object. */
  static void framework(JsonOut json, View view, Framework framework) {
    FrameworkInfo info = framework.info();
    Ledger ledger = view.state().ledger();
    boolean recovered = framework.phase() == Framework.Phase.RECOVERED;
    json.object(
        () -> {
          outline(json, view, framework);
          json.field("user", info.getUser());
          json.field("failover_timeout", info.getFailoverTimeout());
          json.field("checkpoint", info.getCheckpoint());
          json.field("registered_time", recovered ? 0.0 : EpochSeconds.of(framework.registered()));
          json.field(
              "unregistered_time", framework.unregistered().map(EpochSeconds::of).orElse(0.0));
          framework.principal().ifPresent(principal -> json.field("principal", principal));
          StateJson.resources(
              json,
              "resources",
              ledger.totalAllocatedTo(framework.id()).plus(ledger.totalOfferedTo(framework.id())));
          if (!framework.reregistered().equals(framework.registered())) {
            json.field("reregistered_time", EpochSeconds.of(framework.reregistered()));
          }
          if (framework.can(FrameworkInfo.Capability.Type.MULTI_ROLE)) {
            json.texts("roles", framework.subscription().roles());
          } else {
            json.field("role", info.getRole());
          }
          Visibility seen = view.visibility();
          tasks(json, "tasks", seen.tasks(framework, framework.tasks().values()));
          tasks(
              json,
              "unreachable_tasks",
              seen.tasks(framework, framework.unreachableTasks().values()));
          tasks(json, "completed_tasks", seen.tasks(framework, framework.completedTasks()));
          json.array(
              "offers",
              ledger.offersTo(framework.id()).stream()
                  .flatMap(id -> view.state().offer(id).stream())
                  .toList(),
              offer -> offer(json, offer));
          json.array("executors", () -> executors(json, view, framework));
          if (info.hasLabels()) {
            StateJson.labels(json, "labels", info.getLabels());
          }
          json.message("offer_constraints", framework.subscription().constraints().message());
        });
  }

  /** A field with tasks. */
  static void tasks(JsonOut json, String name, Iterable<Task> tasks) {
    json.array(name, tasks, task -> StateJson.task(json, task.message()));
  }

  private static void offer(JsonOut json, Offer offer) {
    json.object(
        () -> {
          json.field("id", offer.id());
          json.field("framework_id", offer.frameworkId());
          json.object("allocation_info", () -> json.field("role", offer.role()));
          json.field("slave_id", offer.agentId());
          StateJson.resources(json, "resources", offer.resources());
        });
  }

  private static void executors(JsonOut json, View view, Framework framework) {
    for (Map<String, Executor> there : framework.executors().values()) {
      for (Executor executor : there.values()) {
        json.object(
            () -> {
              if (view.visibility().executor(framework, executor)) {
                executor(json, executor);
              }
            });
      }
    }
  }

  private static void executor(JsonOut json, Executor executor) {
    json.field("executor_id", executor.id());
    json.field("name", executor.info().getName());
    json.field("framework_id", executor.frameworkId());
    StateJson.command(json, "command", executor.info().getCommand());
    StateJson.resources(json, "resources", executor.resources());
    executor.resources().allocations().keySet().stream()
        .findFirst()
        .ifPresent(role -> json.field("role", role));
    if (executor.info().hasLabels()) {
      StateJson.labels(json, "labels", executor.info().getLabels());
    }
    if (executor.info().hasType()) {
      json.field("type", executor.info().getType().name());
    }
    json.field("slave_id", executor.agentId());
  }
}
