package org.mezzo.master.transitions;

import java.time.Instant;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.mezzo.api.allocator.AgentState;
import org.mezzo.api.allocator.AllocationState;
import org.mezzo.api.allocator.FrameworkState;
import org.mezzo.api.allocator.OfferFilter;
import org.mezzo.master.state.Agent;
import org.mezzo.master.state.Executor;
import org.mezzo.master.state.Framework;
import org.mezzo.master.state.Ledger;
import org.mezzo.master.state.MasterState;
import org.mezzo.master.state.Task;
import org.mezzo.protocol.v1.TaskState;
import org.mezzo.protocol.v1.TaskStatus;
import org.mezzo.resources.Resources;

/** Who holds what on which agent, and how allocators are told. */
final class Holdings {
  private Holdings() {}

  /** Takes something out of what is free on an agent for a framework. */
  static void hold(Transition tx, String frameworkId, String agentId, Resources resources) {
    if (resources.isEmpty()) {
      return;
    }
    Framework framework = tx.framework(frameworkId);
    tx.put(framework.withAllocated(Ledger.add(framework.allocated(), agentId, resources)));
    tx.put(tx.agent(agentId).allocate(frameworkId, resources));
  }

  /** Gives back what a framework held on an agent, and tells the allocator. */
  static void release(Transition tx, String frameworkId, String agentId, Resources resources) {
    if (resources.isEmpty()) {
      return;
    }
    Framework framework = tx.framework(frameworkId);
    if (framework != null) {
      tx.put(framework.withAllocated(Ledger.subtract(framework.allocated(), agentId, resources)));
    }
    Agent agent = tx.agent(agentId);
    if (agent != null) {
      tx.put(agent.release(frameworkId, resources));
      tellReleased(tx, frameworkId, agentId, resources);
    }
  }

  /** Tells the allocator what is free again, one call for each allocation role. */
  static void tellReleased(Transition tx, String frameworkId, String agentId, Resources resources) {
    resources
        .allocations()
        .forEach(
            (role, part) -> tx.tell("released", it -> it.released(frameworkId, agentId, part)));
  }

  /** Adds a task to its framework and agent without touching what is held. */
  static void add(Transition tx, Task task) {
    tx.put(tx.framework(task.frameworkId()).with(task));
    tx.put(tx.agent(task.agentId()).with(task));
  }

  /** Replaces a task that is known already. */
  static void replace(Transition tx, Task task) {
    tx.put(tx.framework(task.frameworkId()).with(task));
  }

  /** Gives a task's resources back, once. */
  static Task release(Transition tx, Task task) {
    if (task.released()) {
      return task;
    }
    Task released = task.release();
    replace(tx, released);
    release(tx, task.frameworkId(), task.agentId(), task.resources());
    return released;
  }

  /** Moves a task from the active to the completed ones. */
  static void complete(Transition tx, Task task) {
    Task done = release(tx, task);
    Framework framework = tx.framework(task.frameworkId());
    tx.put(framework.complete(done, tx.state().limits().completedTasksPerFramework()));
    Agent agent = tx.agent(task.agentId());
    if (agent != null) {
      tx.put(agent.without(done));
    }
  }

  /** Adds an executor to its framework and agent without touching what is held. */
  static void add(Transition tx, Executor executor) {
    tx.put(tx.framework(executor.frameworkId()).with(executor));
    tx.put(tx.agent(executor.agentId()).with(executor));
  }

  /** Forgets an executor and gives its resources back. */
  static void remove(Transition tx, Executor executor) {
    tx.put(tx.framework(executor.frameworkId()).without(executor));
    Agent agent = tx.agent(executor.agentId());
    if (agent != null) {
      tx.put(agent.without(executor));
    }
    release(tx, executor.frameworkId(), executor.agentId(), executor.resources());
  }

  /** An agent as allocators see it. */
  static AgentState agentState(Agent agent) {
    Map<String, Resources> used = new HashMap<>(agent.allocated());
    agent.offered().forEach((id, offered) -> used.merge(id, offered, Resources::plus));
    Set<String> capabilities = new HashSet<>();
    agent.capabilities().forEach(capability -> capabilities.add(capability.name()));
    return AgentState.builder(agent.id(), agent.info())
        .capabilities(capabilities)
        .active(agent.active())
        .total(agent.total())
        .used(used)
        .build();
  }

  /** A framework as allocators see it. */
  static FrameworkState frameworkState(Framework framework) {
    Set<String> capabilities = new HashSet<>();
    framework
        .subscription()
        .capabilities()
        .forEach(capability -> capabilities.add(capability.name()));
    return FrameworkState.builder(framework.id(), framework.info())
        .roles(framework.subscription().roles())
        .suppressed(framework.subscription().suppressed())
        .capabilities(capabilities)
        .active(framework.active())
        .constraints(framework.subscription().constraints())
        .build();
  }

  /** The whole ledger as a starting allocator gets it. */
  static AllocationState ledger(MasterState state, Instant now, Optional<Set<String>> whitelist) {
    List<OfferFilter> filters =
        state.frameworks().values().stream()
            .flatMap(framework -> framework.filters().values().stream())
            .flatMap(List::stream)
            .filter(filter -> filter.expires().isAfter(now))
            .toList();
    return AllocationState.builder()
        .agents(state.agents().values().stream().map(Holdings::agentState).toList())
        .frameworks(state.frameworks().values().stream().map(Holdings::frameworkState).toList())
        .filters(filters)
        .weights(state.weights())
        .quotas(state.quotas())
        .whitelist(whitelist)
        .build();
  }

  /** Ends a task from the master's side, tells its framework and completes it. */
  static void end(
      Transition tx, Task task, TaskState state, TaskStatus.Reason reason, String message) {
    if (!task.terminal()) {
      TaskStatus status =
          Statuses.make(tx.now(), task.id(), task.agentId(), state, reason, message).build();
      Statuses.send(tx, tx.framework(task.frameworkId()), status);
      complete(tx, Statuses.record(tx, task, status, state));
    } else {
      complete(tx, task);
    }
  }
}
