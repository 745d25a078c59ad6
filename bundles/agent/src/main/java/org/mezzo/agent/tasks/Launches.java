package org.mezzo.agent.tasks;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Executor;
import java.util.function.Function;
import org.mezzo.agent.hooks.AgentHooks;
import org.mezzo.agent.recovery.messages.ExecutorEntry;
import org.mezzo.agent.recovery.messages.PastExecutorEntry;
import org.mezzo.agent.recovery.messages.TaskEntry;
import org.mezzo.agent.sandboxes.SandboxRun;
import org.mezzo.agent.updates.States;
import org.mezzo.agent.volumes.TaskVolumes;
import org.mezzo.link.messages.RunTask;
import org.mezzo.protocol.v1.AgentInfo;
import org.mezzo.protocol.v1.ExecutorInfo;
import org.mezzo.protocol.v1.TaskInfo;
import org.mezzo.protocol.v1.TaskState;
import org.mezzo.protocol.v1.TaskStatus;
import org.mezzo.protocol.v1.TaskStatus.Reason;
import org.mezzo.resources.Conversions;
import org.mezzo.resources.ResourceFormatException;
import org.mezzo.resources.Resources;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The way of a launch from the master's message to the queue of its executor: refused with an
 * update, or a batch that is ready once operations are settled and hooks have seen it. For the
 * event loop only.
 */
final class Launches {
  private static final Logger LOG = LoggerFactory.getLogger(Launches.class);

  private final ExecutorHost host;
  private final AgentTasks.Surroundings around;
  private final Executor loop;
  private AgentInfo agent = AgentInfo.newBuilder().setHostname("").build();
  private String resourceVersion = "";

  /**
   * Nothing launched yet.
   *
   * @param loop where replies of hooks arrive
   */
  Launches(ExecutorHost host, AgentTasks.Surroundings around, Executor loop) {
    this.host = host;
    this.around = around;
    this.loop = loop;
  }

  /** Volumes come to executors and go while they run. */
  private static final String OF_EXECUTORS =
      "those of an executor, and of tasks that it runs by itself, are links in its sandbox; give it"
          + " the mode RW and a path relative to that";

  /** The agent as it is registered now, with its id. */
  void agent(AgentInfo registered, String version) {
    agent = registered;
    resourceVersion = version;
  }

  /** The agent as it is registered now. */
  AgentInfo agent() {
    return agent;
  }

  /** Why tasks are not launched, and what is told of each. */
  private record Refusal(TaskState state, Reason reason, String message) {}

  private Refusal dropped(FrameworkEntry framework, Reason reason, String message) {
    return new Refusal(
        States.forFramework(framework.info, TaskState.TASK_DROPPED), reason, message);
  }

  private static Refusal failed(String message) {
    return new Refusal(TaskState.TASK_FAILED, Reason.REASON_CONTAINER_LAUNCH_FAILED, message);
  }

  /** Launches tasks; what cannot be launched is answered with an update. */
  void run(FrameworkEntry framework, RunTask message) {
    if (message.hasGroupExecutor()) {
      run(framework, message, withExecutor(message), true);
      return;
    }
    for (TaskInfo task : message.getTasksList()) {
      run(framework, message, List.of(task), false);
    }
  }

  /** The master says once what is the same for all. */
  private static List<TaskInfo> withExecutor(RunTask message) {
    return message.getTasksList().stream()
        .map(task -> task.toBuilder().setExecutor(message.getGroupExecutor()).build())
        .toList();
  }

  /** Launches one task, or a group, of which all tasks are launched or none. */
  private void run(FrameworkEntry framework, RunTask message, List<TaskInfo> tasks, boolean group) {
    if (tasks.isEmpty()) {
      return;
    }
    if (framework.terminating) {
      LOG.warn("{} not launched: framework {} is being shut down", ids(tasks), framework.id());
      return;
    }
    try {
      Optional<Refusal> refusal = refusal(framework, message, tasks, group);
      if (refusal.isPresent()) {
        refuse(framework, message, tasks, refusal.get());
      } else {
        launch(framework, message, tasks, group);
      }
    } catch (ResourceFormatException | IOException e) {
      refuse(framework, message, tasks, failed("Failed to launch container: " + e.getMessage()));
    } catch (RuntimeException | LinkageError e) {
      LOG.error("Launching {} failed", ids(tasks), e);
      refuse(framework, message, tasks, failed("Failed to launch container: " + e));
    }
  }

  private static List<String> ids(List<TaskInfo> tasks) {
    return tasks.stream().map(task -> task.getTaskId().getValue()).toList();
  }

  private void launch(
      FrameworkEntry framework, RunTask message, List<TaskInfo> tasks, boolean group)
      throws ResourceFormatException, IOException {
    Resources resources = Resources.EMPTY;
    List<TaskVolumes> volumes = new ArrayList<>();
    for (TaskInfo info : tasks) {
      Resources own = Resources.of(info.getResourcesList()).unallocated();
      resources = resources.plus(own);
      TaskVolumes persistent =
          TaskVolumes.of(
              own,
              around.volumes(),
              info.hasExecutor() && !DefaultRun.runs(info.getExecutor())
                  ? Optional.of(OF_EXECUTORS)
                  : host.containers().unmountable());
      persistent.checkBeside(
          info.hasExecutor() && !DefaultRun.runs(info.getExecutor())
              ? info.getExecutor().getContainer()
              : info.getContainer());
      volumes.add(persistent);
    }
    TaskInfo one = tasks.get(0);
    AgentExecutor executor;
    if (one.hasExecutor()) {
      AgentExecutor there = framework.executors.get(one.getExecutor().getExecutorId().getValue());
      Resources own = Resources.of(one.getExecutor().getResourcesList()).unallocated();
      if (there == null) {
        resources = resources.plus(own);
        TaskVolumes.of(own, around.volumes(), Optional.of(OF_EXECUTORS))
            .checkBeside(one.getExecutor().getContainer());
      }
      executor =
          there != null
              ? there
              : executor(
                  framework,
                  message,
                  one.getExecutor(),
                  TaskVolumes.of(own, around.volumes(), Optional.of(OF_EXECUTORS)));
    } else {
      executor = command(framework, message, one);
    }
    List<AgentTask> all = new ArrayList<>();
    for (int i = 0; i < tasks.size(); i++) {
      all.add(new AgentTask(executor, tasks.get(i), volumes.get(i)));
    }
    Batch batch = new Batch(all, group);
    framework.executors.put(executor.id(), executor);
    executor.enqueue(batch);
    begin(executor, batch, resources);
  }

  /**
   * An executor of an earlier process of the agent, which is not resumed yet.
   *
   * @throws IOException when its volumes or resources cannot be read
   */
  AgentExecutor restored(FrameworkEntry framework, ExecutorEntry kept)
      throws IOException, ResourceFormatException {
    boolean generated = kept.getKind() == ExecutorEntry.Kind.COMMAND;
    Path sandbox = Path.of(kept.getSandbox());
    SandboxRun run = host.sandboxes().keep(sandbox);
    return new AgentExecutor(
        framework,
        new AgentExecutor.Identity(
            kept.getExecutor(), generated, run, sandbox, kept.getRootRefused()),
        kept.getSubscribed() ? AgentExecutor.Phase.RUNNING : AgentExecutor.Phase.REGISTERING,
        TaskVolumes.of(
            Resources.of(kept.getExecutor().getResourcesList()).unallocated(),
            around.volumes(),
            Optional.empty()),
        host,
        generated
            ? CommandRun::new
            : DefaultRun.runs(kept.getExecutor()) ? DefaultRun::new : HttpRun::new);
  }

  /** A task of such an executor. */
  AgentTask restored(AgentExecutor executor, TaskEntry kept)
      throws IOException, ResourceFormatException {
    return new AgentTask(
        executor,
        kept,
        TaskVolumes.of(
            Resources.of(kept.getInfo().getResourcesList()).unallocated(),
            around.volumes(),
            Optional.empty()));
  }

  /**
   * An executor that ended before this process began, with its sandbox shown while that is there.
   *
   * @throws IOException when no sandbox of this work directory can stand where it says
   */
  AgentTasks.ExecutorView past(FrameworkEntry framework, PastExecutorEntry kept)
      throws IOException {
    Path sandbox = Path.of(kept.getSandbox());
    host.sandboxes().showPast(sandbox, kept.getUser(), framework.info);
    return new AgentTasks.ExecutorView(
        kept.getExecutor(),
        kept.getContainerId().getValue(),
        sandbox,
        false,
        List.of(),
        List.of(),
        List.of(),
        List.of(),
        List.of(),
        kept.getTasksList());
  }

  private AgentExecutor command(FrameworkEntry framework, RunTask message, TaskInfo info) {
    return executor(
        framework,
        message,
        CommandRun.executorOf(framework.info, info),
        true,
        AgentExecutor.Phase.RUNNING,
        TaskVolumes.NONE,
        CommandRun::new);
  }

  private AgentExecutor executor(
      FrameworkEntry framework, RunTask message, ExecutorInfo info, TaskVolumes volumes) {
    boolean own = DefaultRun.runs(info);
    return executor(
        framework,
        message,
        info,
        false,
        own ? AgentExecutor.Phase.RUNNING : AgentExecutor.Phase.REGISTERING,
        volumes,
        own ? DefaultRun::new : HttpRun::new);
  }

  private AgentExecutor executor(
      FrameworkEntry framework,
      RunTask message,
      ExecutorInfo info,
      boolean generated,
      AgentExecutor.Phase phase,
      TaskVolumes volumes,
      Function<AgentExecutor, ExecutorRun> kind) {
    SandboxRun run =
        host.sandboxes()
            .choose(
                agent.getId().getValue(),
                framework.id(),
                info.getExecutorId().getValue(),
                UUID.randomUUID().toString());
    return new AgentExecutor(
        framework,
        new AgentExecutor.Identity(
            info, generated, run, host.sandboxes().path(run), message.getRootRefused()),
        phase,
        volumes,
        host,
        kind);
  }

  // Refusing.

  /** The first thing that is against any of them. */
  private Optional<Refusal> refusal(
      FrameworkEntry framework, RunTask message, List<TaskInfo> tasks, boolean group) {
    return tasks.stream()
        .flatMap(task -> refusal(framework, message, task, group).stream())
        .findFirst();
  }

  private Optional<Refusal> refusal(
      FrameworkEntry framework, RunTask message, TaskInfo info, boolean group) {
    if (around.draining().current().isPresent()) {
      return Optional.of(dropped(framework, Reason.REASON_AGENT_DRAINING, "The agent is draining"));
    }
    if (message.hasResourceVersionUuid()
        && !message.getResourceVersionUuid().isEmpty()
        && !message.getResourceVersionUuid().equals(resourceVersion)) {
      return Optional.of(
          dropped(
              framework,
              Reason.REASON_INVALID_OFFERS,
              "The agent's resources have changed since the offer was made"));
    }
    if (framework.task(info.getTaskId()).isPresent()) {
      return Optional.of(
          dropped(
              framework,
              Reason.REASON_TASK_INVALID,
              "A task with the id '" + info.getTaskId().getValue() + "' is on this agent already"));
    }
    boolean played = group && DefaultRun.runs(info.getExecutor());
    if ((played || !info.hasExecutor()) && !info.hasCommand()) {
      return Optional.of(
          failed(
              "Failed to launch container: task '"
                  + info.getTaskId().getValue()
                  + "' has no `command`, and this agent has no images that would say one"));
    }
    Optional<Refusal> executor =
        info.hasExecutor()
            ? given(framework, message, info.getExecutor(), group)
            : Optional.ofNullable(framework.executors.get(info.getTaskId().getValue()))
                .map(
                    there ->
                        dropped(
                            framework,
                            Reason.REASON_TASK_INVALID,
                            "An executor with the id '"
                                + there.id()
                                + "' is on this agent already; give the task another id"));
    return executor.or(
        () ->
            (info.hasExecutor()
                    ? TaskDemands.refusal(info.getExecutor())
                    : TaskDemands.refusal(info))
                .or(
                    () ->
                        played
                            ? TaskDemands.refusal(info.toBuilder().clearExecutor().build())
                            : Optional.empty())
                .or(
                    () ->
                        TaskDemands.volumes(
                            info, played, host.containers().unmountable().isEmpty()))
                .map(Launches::failed));
  }

  /** Whether the master and the agent disagree about an executor (rule 113). */
  private Optional<Refusal> given(
      FrameworkEntry framework, RunTask message, ExecutorInfo executor, boolean group) {
    String id = executor.getExecutorId().getValue();
    AgentExecutor there = framework.executors.get(id);
    if (DefaultRun.runs(executor) ? !group : !executor.hasCommand()) {
      return Optional.of(
          failed(
              "This agent runs tasks of a LAUNCH under executors that have a `command`; give"
                  + " `executor.command`, or launch the task as a command or in a group"));
    }
    String problem = null;
    if (there == null) {
      if (message.hasLaunchExecutor() && !message.getLaunchExecutor()) {
        problem = "Executor '" + id + "' has ended";
      }
    } else if (there.generated) {
      return Optional.of(
          dropped(
              framework,
              Reason.REASON_TASK_INVALID,
              "A command task with the id of executor '"
                  + id
                  + "' is on this agent already; give the executor another id"));
    } else if (!there.open()) {
      problem = "Executor '" + id + "' is ending";
    } else if (message.getLaunchExecutor()) {
      problem = "Executor '" + id + "' runs already, which the master did not know";
    }
    return Optional.ofNullable(problem)
        .map(text -> dropped(framework, Reason.REASON_EXECUTOR_TERMINATED, text));
  }

  private void refuse(
      FrameworkEntry framework, RunTask message, List<TaskInfo> tasks, Refusal refusal) {
    for (TaskInfo info : tasks) {
      host.updates().refuse(framework, info, refusal.state(), refusal.reason(), refusal.message());
    }
    ExecutorInfo executor = tasks.get(0).getExecutor();
    if (!tasks.get(0).hasExecutor() || !message.getLaunchExecutor()) {
      return;
    }
    AgentExecutor there = framework.executors.get(executor.getExecutorId().getValue());
    if (there == null || there.generated || there.phase() == AgentExecutor.Phase.TERMINATED) {
      // The master holds the executor's resources, for one that will not be.
      host.outcome().exited(framework, executor, -1);
    }
  }

  // Preparing.

  /** What the operations that came before make is not there before they are on record. */
  private void begin(AgentExecutor executor, Batch batch, Resources resources) {
    Resources made = resources.filter(resource -> Conversions.isMade(resource.kind()));
    if (made.isEmpty()) {
      decorate(executor, batch);
      return;
    }
    around
        .operations()
        .whenSettled(
            () -> {
              try {
                decorateWith(executor, batch, made);
              } catch (RuntimeException | LinkageError e) {
                failUnexpectedly(executor, batch, e);
              }
            });
  }

  private void decorateWith(AgentExecutor executor, Batch batch, Resources made) {
    Resources total = around.operations().total();
    Resources unknown =
        made.filter(resource -> !total.contains(Resources.of(resource.withCopies(1))));
    if (unknown.isEmpty()) {
      decorate(executor, batch);
      return;
    }
    executor.drop(
        batch,
        task ->
            dropped(
                executor,
                task,
                "Reservations or volumes that the task uses are unknown to the agent: " + unknown));
  }

  private TaskStatus.Builder dropped(AgentExecutor executor, AgentTask task, String message) {
    LOG.warn("Task '{}' is not launched: {}", task.id(), message);
    return host.updates()
        .fromAgent(
            task.info.getTaskId(),
            States.forFramework(executor.framework.info, TaskState.TASK_DROPPED))
        .setReason(Reason.REASON_RESOURCES_UNKNOWN)
        .setMessage(message);
  }

  private void decorate(AgentExecutor executor, Batch batch) {
    AgentHooks hooks = host.hooks();
    if (hooks.isEmpty()) {
      ready(executor, batch, Map.of());
      return;
    }
    CompletionStage<Void> asked = CompletableFuture.completedFuture(null);
    for (AgentTask task : batch.tasks) {
      asked =
          asked
              .thenCompose(unused -> hooks.runTaskLabels(task.info, executor.framework.info, agent))
              .thenAccept(task::relabel)
              .thenCompose(unused -> hooks.taskEnvironment(task.info))
              .thenAccept(added -> task.added = added);
    }
    asked
        .thenCompose(unused -> ofExecutor(executor, batch))
        .thenAcceptAsync(added -> executor.ready(batch, added), loop)
        .whenCompleteAsync(
            (done, failure) -> {
              if (failure != null) {
                failUnexpectedly(executor, batch, failure);
              }
            },
            loop);
  }

  /** The variables of its executor, where that has to be started for it. */
  private CompletionStage<Map<String, String>> ofExecutor(AgentExecutor executor, Batch batch) {
    return switch (executor.kind()) {
      case COMMAND -> CompletableFuture.completedStage(batch.tasks.get(0).added);
      case CUSTOM ->
          executor.begun()
              ? CompletableFuture.completedStage(Map.of())
              : host.hooks().executorEnvironment(executor.info, executor.framework.info);
      default -> CompletableFuture.completedStage(Map.of());
    };
  }

  private void ready(AgentExecutor executor, Batch batch, Map<String, String> added) {
    try {
      executor.ready(batch, added);
    } catch (RuntimeException | LinkageError e) {
      failUnexpectedly(executor, batch, e);
    }
  }

  /** A launch that ran into a mistake is told of, and the others go on. */
  private static void failUnexpectedly(AgentExecutor executor, Batch batch, Throwable e) {
    Throwable cause = e instanceof CompletionException && e.getCause() != null ? e.getCause() : e;
    List<String> ids = new ArrayList<>();
    batch.tasks.forEach(task -> ids.add(task.id()));
    LOG.error("Launching {} failed", ids, cause);
    executor.fail(batch, cause.toString());
  }
}
