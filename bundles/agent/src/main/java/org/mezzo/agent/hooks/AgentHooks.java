package org.mezzo.agent.hooks;

import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.CompletionStage;
import org.mezzo.api.hook.Hook;
import org.mezzo.containerizer.AfterFetch;
import org.mezzo.containerizer.ContainerId;
import org.mezzo.modules.ModuleChain;
import org.mezzo.protocol.v1.AgentInfo;
import org.mezzo.protocol.v1.Attribute;
import org.mezzo.protocol.v1.ContainerID;
import org.mezzo.protocol.v1.ExecutorInfo;
import org.mezzo.protocol.v1.FrameworkID;
import org.mezzo.protocol.v1.FrameworkInfo;
import org.mezzo.protocol.v1.Labels;
import org.mezzo.protocol.v1.Resource;
import org.mezzo.protocol.v1.TaskInfo;
import org.mezzo.protocol.v1.TaskStatus;
import org.mezzo.resources.ResourceFormatException;
import org.mezzo.resources.Resources;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The hooks of {@code --hooks} in their order. One that is absent, late or throws is passed over.
 * Without hooks every stage is complete at once. Safe for any thread.
 */
public final class AgentHooks implements AfterFetch, AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(AgentHooks.class);

  private final ModuleChain<Hook> hooks;

  /**
   * Asks these hooks.
   *
   * @param hooks whose replies arrive on the event loop
   */
  public AgentHooks(ModuleChain<Hook> hooks) {
    this.hooks = hooks;
  }

  /** Selects other hooks; what is under way still ends with those of before. */
  public void select(List<String> names) {
    hooks.select(names);
  }

  /** Whether no hook is selected. */
  @Override
  public boolean isEmpty() {
    return hooks.isEmpty();
  }

  /**
   * The agent as hooks want it: with other resources and attributes. Asks once those have opened
   * that are there.
   *
   * @param agent with resources that nobody is allocated
   */
  public CompletionStage<AgentInfo> describe(AgentInfo agent) {
    return hooks
        .opened()
        .thenCompose(unused -> hooks.fold("agentResources", agent, AgentHooks::withResources))
        .thenCompose(now -> hooks.fold("agentAttributes", now, AgentHooks::withAttributes));
  }

  private static AgentInfo withResources(Hook hook, AgentInfo now) throws ResourceFormatException {
    List<Resource> resources =
        Objects.requireNonNull(hook.agentResources(now), "the agent's resources");
    if (resources.equals(now.getResourcesList())) {
      return now;
    }
    return now.toBuilder()
        .clearResources()
        .addAllResources(
            Resources.of(resources).unallocated().toMessages(Resources.Format.POST_REFINEMENT))
        .build();
  }

  private static AgentInfo withAttributes(Hook hook, AgentInfo now) {
    List<Attribute> attributes =
        Objects.requireNonNull(hook.agentAttributes(now), "the agent's attributes");
    return now.toBuilder().clearAttributes().addAllAttributes(attributes).build();
  }

  /** The task with the labels that hooks give it. */
  public CompletionStage<TaskInfo> runTaskLabels(
      TaskInfo task, FrameworkInfo framework, AgentInfo agent) {
    return hooks.fold(
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
    return hooks.fold(
        "agentTaskEnvironment",
        Map.of(),
        (hook, now) -> with(now, hook.agentTaskEnvironment(task)));
  }

  /** What hooks add to the environment of an executor; later hooks win. */
  public CompletionStage<Map<String, String>> executorEnvironment(
      ExecutorInfo executor, FrameworkInfo framework) {
    return hooks.fold(
        "agentExecutorEnvironment",
        Map.of(),
        (hook, now) -> with(now, hook.agentExecutorEnvironment(executor, framework)));
  }

  private static Map<String, String> with(Map<String, String> now, Map<String, String> added) {
    if (Objects.requireNonNull(added, "its variables").isEmpty()) {
      return now;
    }
    Map<String, String> both = new HashMap<>(now);
    both.putAll(added);
    return both;
  }

  @Override
  public CompletionStage<?> fetched(ContainerId container, Path sandbox) {
    ContainerID message = container.toMessage();
    return hooks.fold(
        "agentFetched",
        sandbox,
        (hook, now) -> {
          hook.agentFetched(message, now);
          return now;
        });
  }

  /** The status as hooks want it; one that changes the state is passed over. */
  public CompletionStage<TaskStatus> taskStatus(FrameworkID framework, TaskStatus status) {
    return hooks.fold(
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
    hooks.tell("agentTaskRemoved", hook -> hook.agentTaskRemoved(framework, task));
  }

  /** Tells hooks that an executor ended. */
  public void executorRemoved(FrameworkInfo framework, ExecutorInfo executor) {
    hooks.tell("agentExecutorRemoved", hook -> hook.agentExecutorRemoved(framework, executor));
  }

  @Override
  public void close() {
    hooks.close();
  }
}
