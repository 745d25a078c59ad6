package org.mezzo.master.transitions;

import java.time.Instant;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.mezzo.api.allocator.AgentState;
import org.mezzo.api.allocator.AllocationState;
import org.mezzo.api.allocator.FrameworkState;
import org.mezzo.master.ledger.Account;
import org.mezzo.master.ledger.LedgerChange;
import org.mezzo.master.state.Agent;
import org.mezzo.master.state.Executor;
import org.mezzo.master.state.Framework;
import org.mezzo.master.state.MasterState;
import org.mezzo.master.state.Task;
import org.mezzo.protocol.v1.TaskState;
import org.mezzo.protocol.v1.TaskStatus;
import org.mezzo.resources.Resources;

/** Who holds what on which agent, and how allocators are told. */
final class Holdings {
  private Holdings() {}

  /** Notes that a framework holds something, for it was found there. */
  static void hold(Transition tx, String frameworkId, String agentId, Resources resources) {
    if (!resources.isEmpty()) {
      tx.post(new LedgerChange.Held(frameworkId, agentId, resources));
    }
  }

  /** Gives back what a framework held on an agent; nothing is left of it when the agent is gone. */
  static void release(Transition tx, String frameworkId, String agentId, Resources resources) {
    if (!resources.isEmpty() && tx.agent(agentId) != null) {
      tx.post(new LedgerChange.Released(frameworkId, agentId, resources));
    }
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
      Draining.look(tx, agent.id());
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
  static AgentState agentState(MasterState state, Agent agent) {
    Account account = state.account(agent.id());
    Map<String, Resources> used = new HashMap<>(account.allocated());
    account.offered().forEach((id, offered) -> used.merge(id, offered, Resources::plus));
    Set<String> capabilities = new HashSet<>();
    agent.capabilities().forEach(capability -> capabilities.add(capability.name()));
    return AgentState.builder(agent.id(), agent.info())
        .capabilities(capabilities)
        .active(agent.active())
        .total(account.total())
        .used(used)
        .unavailability(agent.unavailability())
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
    return AllocationState.builder()
        .agents(state.agents().values().stream().map(agent -> agentState(state, agent)).toList())
        .frameworks(state.frameworks().values().stream().map(Holdings::frameworkState).toList())
        .filters(state.filters().live(now).toList())
        .weights(state.weights())
        .quotas(state.quotas())
        .whitelist(whitelist)
        .inverseOffers(Reclaiming.outstanding(state))
        .inverseAnswers(Reclaiming.answers(state, now))
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
