package org.mezzo.agent.hooks;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Executor;
import java.util.function.Function;
import org.mezzo.api.DaemonContext;
import org.mezzo.api.hook.Hook;
import org.mezzo.modules.Kinds;
import org.mezzo.modules.LeaseRequest;
import org.mezzo.modules.ModuleException;
import org.mezzo.modules.ModuleLease;
import org.mezzo.modules.ModuleLeases;
import org.mezzo.protocol.v1.AgentInfo;
import org.mezzo.protocol.v1.FrameworkID;
import org.mezzo.protocol.v1.FrameworkInfo;
import org.mezzo.protocol.v1.Labels;
import org.mezzo.protocol.v1.TaskInfo;
import org.mezzo.protocol.v1.TaskStatus;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The hooks of {@code --hooks} in their order. One that is absent, late or throws is passed over.
 * Without hooks every stage is complete at once. For the event loop only.
 */
public final class AgentHooks implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(AgentHooks.class);

  private final ModuleLeases modules;
  private final Function<String, DaemonContext> contexts;
  private final Executor events;
  private List<ModuleLease<Hook>> leases = List.of();

  /**
   * Leases hooks.
   *
   * @param contexts the agent as the module of that name sees it
   * @param events the event loop, where replies arrive
   */
  public AgentHooks(
      List<String> names,
      ModuleLeases modules,
      Function<String, DaemonContext> contexts,
      Executor events) {
    this.modules = modules;
    this.contexts = contexts;
    this.events = events;
    select(names);
  }

  /** Selects other hooks; calls under way still end with those of before. */
  public void select(List<String> names) {
    List<ModuleLease<Hook>> before = leases;
    List<ModuleLease<Hook>> selected = new ArrayList<>();
    for (String name : names) {
      selected.add(modules.lease(LeaseRequest.of(Kinds.HOOK, name, contexts.apply(name), events)));
    }
    leases = List.copyOf(selected);
    before.forEach(ModuleLease::close);
  }

  /** Whether no hook is selected. */
  public boolean isEmpty() {
    return leases.isEmpty();
  }

  /** The task with the labels that hooks give it. */
  public CompletionStage<TaskInfo> runTaskLabels(
      TaskInfo task, FrameworkInfo framework, AgentInfo agent) {
    return chain(
        "agentRunTaskLabels",
        task,
        (hook, now) -> {
          Labels labels = hook.agentRunTaskLabels(now, framework, agent);
          Objects.requireNonNull(labels, "its labels");
          return !now.hasLabels() && labels.getLabelsCount() == 0
              ? now
              : now.toBuilder().setLabels(labels).build();
        });
  }

  /** What hooks add to the task's environment; later hooks win. */
  public CompletionStage<Map<String, String>> taskEnvironment(TaskInfo task) {
    return chain(
        "agentTaskEnvironment",
        Map.of(),
        (hook, now) -> {
          Map<String, String> added = hook.agentTaskEnvironment(task);
          if (Objects.requireNonNull(added, "its variables").isEmpty()) {
            return now;
          }
          Map<String, String> both = new HashMap<>(now);
          both.putAll(added);
          return both;
        });
  }

  /** The status as hooks want it; one that changes the state is passed over. */
  public CompletionStage<TaskStatus> taskStatus(FrameworkID framework, TaskStatus status) {
    return chain(
        "agentTaskStatus",
        status,
        (hook, now) -> {
          TaskStatus decorated = hook.agentTaskStatus(framework, now);
          if (Objects.requireNonNull(decorated, "its status").getState() != now.getState()
              || !decorated.getTaskId().equals(now.getTaskId())) {
            LOG.warn("A hook wanted to change the state or task of an update; it is passed over");
            return now;
          }
          return decorated.toBuilder().setUuid(now.getUuid()).build();
        });
  }

  /** Tells hooks that a task's container ended. */
  public void taskRemoved(FrameworkID framework, TaskInfo task) {
    chain(
        "agentTaskRemoved",
        task,
        (hook, now) -> {
          hook.agentTaskRemoved(framework, now);
          return now;
        });
  }

  @FunctionalInterface
  private interface Step<T> {
    T apply(Hook hook, T now) throws Exception;
  }

  private <T> CompletionStage<T> chain(String operation, T first, Step<T> step) {
    CompletionStage<T> stage = CompletableFuture.completedStage(first);
    for (ModuleLease<Hook> lease : leases) {
      stage =
          stage.thenCompose(
              now ->
                  lease
                      .ask(operation, hook -> step.apply(hook, now))
                      .exceptionally(
                          failure -> {
                            if (!ModuleException.isAbsence(failure)) {
                              LOG.warn(
                                  "Hook call {} gave nothing and is passed over",
                                  operation,
                                  failure);
                            }
                            return now;
                          }));
    }
    return stage;
  }

  @Override
  public void close() {
    leases.forEach(ModuleLease::close);
  }
}
