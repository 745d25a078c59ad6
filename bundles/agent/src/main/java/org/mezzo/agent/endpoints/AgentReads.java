package org.mezzo.agent.endpoints;

import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Executor;
import org.mezzo.agent.operations.Operations;
import org.mezzo.agent.tasks.AgentTasks;
import org.mezzo.agent.tasks.AgentTasks.ExecutorView;
import org.mezzo.agent.tasks.AgentTasks.FrameworkView;
import org.mezzo.api.authentication.Principal;
import org.mezzo.api.authorization.Action;
import org.mezzo.api.authorization.AuthorizationObject;
import org.mezzo.daemon.border.Authorization;
import org.mezzo.daemon.border.ObjectApprovers;
import org.mezzo.protocol.v1.ExecutorInfo;
import org.mezzo.protocol.v1.Operation;
import org.mezzo.protocol.v1.Resource;
import org.mezzo.protocol.v1.Task;
import org.mezzo.resources.Conversion;
import org.mezzo.resources.Conversions;
import org.mezzo.resources.ResourceFormatException;
import org.mezzo.resources.Resources;

/**
 * What endpoints and calls read of an agent's state: copied on the loop, then cut to what one
 * principal may see. Safe for any thread.
 */
public final class AgentReads {

  /**
   * The state as one principal may see it.
   *
   * @param frameworks those with executors and tasks that he may see
   * @param allocated what all tasks hold, which tells of nobody
   * @param approvers what else he may see
   */
  record Visible(AgentTasks.View frameworks, Resources allocated, ObjectApprovers approvers) {}

  /** An executor whose container runs. */
  record Running(String framework, ExecutorView executor) {}

  private final AgentTasks tasks;
  private final Operations operations;
  private final Executor loop;
  private final Executor workers;
  private final Authorization authorization;

  /**
   * Reads tasks and operations.
   *
   * @param loop the owner of both
   * @param workers where answers are written
   */
  public AgentReads(
      AgentTasks tasks,
      Operations operations,
      Executor loop,
      Executor workers,
      Authorization authorization) {
    this.tasks = tasks;
    this.operations = operations;
    this.loop = loop;
    this.workers = workers;
    this.authorization = authorization;
  }

  /** Where answers are written. */
  Executor workers() {
    return workers;
  }

  private CompletionStage<AgentTasks.View> view() {
    return CompletableFuture.supplyAsync(tasks::view, loop);
  }

  /** Makes something of the state, which is good until it has returned. */
  @FunctionalInterface
  interface Reading<R> {
    R read(Visible state) throws Exception;
  }

  /**
   * Reads the state, on a worker.
   *
   * @param actions what is asked about; what belongs to another action is not visible where
   *     authorization is demanded
   */
  <R> CompletionStage<R> state(
      Optional<Principal> principal, Collection<Action> actions, Reading<R> reading) {
    return view()
        .thenCompose(
            view ->
                authorization.with(
                    principal,
                    actions,
                    workers,
                    approvers ->
                        reading.read(
                            new Visible(
                                new AgentTasks.View(
                                    visible(view.frameworks(), approvers),
                                    visible(view.completed(), approvers)),
                                allocated(view),
                                approvers))));
  }

  private static Resources allocated(AgentTasks.View view) {
    List<Resource> all = new ArrayList<>();
    for (FrameworkView framework : view.frameworks()) {
      for (ExecutorView executor : framework.executors()) {
        all.addAll(executor.resources());
      }
    }
    try {
      return Resources.of(all).unallocated();
    } catch (ResourceFormatException e) {
      throw new IllegalStateException("A running task has unreadable resources", e);
    }
  }

  private static List<FrameworkView> visible(
      List<FrameworkView> frameworks, ObjectApprovers approvers) {
    if (!approvers.limited()) {
      return frameworks;
    }
    return frameworks.stream()
        .filter(it -> approvers.approved(Action.VIEW_FRAMEWORK, object(it)))
        .map(
            it ->
                new FrameworkView(
                    it.info(),
                    executors(it, it.executors(), approvers),
                    executors(it, it.completedExecutors(), approvers)))
        .toList();
  }

  private static List<ExecutorView> executors(
      FrameworkView framework, List<ExecutorView> executors, ObjectApprovers approvers) {
    return executors.stream()
        .filter(it -> approvers.approved(Action.VIEW_EXECUTOR, object(framework, it)))
        .map(
            it ->
                new ExecutorView(
                    it.info(),
                    it.containerId(),
                    it.sandbox(),
                    it.running(),
                    it.nested(),
                    it.resources(),
                    tasks(framework, it.queuedTasks(), approvers),
                    tasks(framework, it.tasks(), approvers),
                    tasks(framework, it.terminatedTasks(), approvers),
                    tasks(framework, it.completedTasks(), approvers)))
        .toList();
  }

  private static List<Task> tasks(
      FrameworkView framework, List<Task> tasks, ObjectApprovers approvers) {
    return tasks.stream()
        .filter(it -> approvers.approved(Action.VIEW_TASK, object(framework, it)))
        .toList();
  }

  /** The executors that run and whose containers may be seen. */
  CompletionStage<List<Running>> running(Optional<Principal> principal) {
    return view()
        .thenCompose(
            view ->
                authorization.with(
                    principal,
                    List.of(Action.VIEW_CONTAINER),
                    workers,
                    approvers -> running(view, approvers)));
  }

  private static List<Running> running(AgentTasks.View view, ObjectApprovers approvers) {
    List<Running> running = new ArrayList<>();
    for (FrameworkView framework : view.frameworks()) {
      for (ExecutorView executor : framework.executors()) {
        if (executor.running()
            && approvers.approved(Action.VIEW_CONTAINER, object(framework, executor))) {
          running.add(new Running(framework.info().getId().getValue(), executor));
        }
      }
    }
    return running;
  }

  /** Whether somebody may do something to anything. */
  CompletionStage<Boolean> mayAny(Optional<Principal> principal, Action action) {
    return authorization.decide(
        principal, List.of(action), approvers -> approvers.approved(action));
  }

  /** Operations that are on their way, and of which the roles may be seen. */
  CompletionStage<List<Operation>> operations(Optional<Principal> principal) {
    return CompletableFuture.supplyAsync(operations::open, loop)
        .thenCompose(
            open ->
                authorization.with(
                    principal,
                    List.of(Action.VIEW_ROLE),
                    workers,
                    approvers -> open.stream().filter(it -> visible(it, approvers)).toList()));
  }

  private static boolean visible(Operation operation, ObjectApprovers approvers) {
    if (!approvers.limited()) {
      return true;
    }
    try {
      Conversion conversion = Conversions.of(operation.getInfo());
      return conversion.consumed().plus(conversion.converted()).reserved().keySet().stream()
          .allMatch(role -> approvers.approved(Action.VIEW_ROLE, role));
    } catch (ResourceFormatException e) {
      // Whose it is cannot be told.
      return false;
    }
  }

  private static AuthorizationObject object(FrameworkView framework) {
    return AuthorizationObject.builder()
        .value(framework.info().getUser())
        .frameworkInfo(framework.info())
        .build();
  }

  private static AuthorizationObject object(FrameworkView framework, Task task) {
    return AuthorizationObject.builder()
        .value(user(framework, task))
        .frameworkInfo(framework.info())
        .task(task)
        .build();
  }

  private static AuthorizationObject object(FrameworkView framework, ExecutorView executor) {
    return AuthorizationObject.builder()
        .value(user(framework, executor))
        .frameworkInfo(framework.info())
        .containerId(executor.containerId())
        .build();
  }

  /** The account that a task runs as: its own, else the framework's. */
  private static String user(FrameworkView framework, Task task) {
    return task.hasUser() ? task.getUser() : framework.info().getUser();
  }

  /** The account that an executor runs as; a command's executor is its task. */
  private static String user(FrameworkView framework, ExecutorView executor) {
    String own = executor.info().getCommand().getUser();
    if (executor.info().getType() == ExecutorInfo.Type.DEFAULT) {
      return framework.info().getUser();
    }
    return own.isEmpty()
        ? executor.allTasks().stream()
            .findFirst()
            .map(task -> user(framework, task))
            .orElseGet(() -> framework.info().getUser())
        : own;
  }
}
