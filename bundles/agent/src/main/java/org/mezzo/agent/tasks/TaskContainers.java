package org.mezzo.agent.tasks;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import org.mezzo.agent.sandboxes.SandboxPaths;
import org.mezzo.agent.tokens.ExecutorSecrets;
import org.mezzo.agent.volumes.TaskVolumes;
import org.mezzo.agent.volumes.VolumeStore;
import org.mezzo.containerizer.BindMount;
import org.mezzo.containerizer.ContainerId;
import org.mezzo.containerizer.ContainerIo;
import org.mezzo.containerizer.Containerizer;
import org.mezzo.containerizer.LaunchException;
import org.mezzo.containerizer.LaunchRequest;
import org.mezzo.containerizer.Termination;
import org.mezzo.containerizer.UnableException;
import org.mezzo.files.FileFailure;
import org.mezzo.protocol.v1.CommandInfo;
import org.mezzo.protocol.v1.ContainerInfo;
import org.mezzo.protocol.v1.ContainerStatus;
import org.mezzo.protocol.v1.ExecutorInfo;
import org.mezzo.protocol.v1.NetworkInfo;
import org.mezzo.protocol.v1.TTYInfo;
import org.mezzo.protocol.v1.TaskInfo;
import org.mezzo.protocol.v1.Value;
import org.mezzo.resources.Resource;
import org.mezzo.resources.ResourceFormatException;
import org.mezzo.resources.Resources;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The containers of executors: says what one is to be made of, has it made away from the event
 * loop, and tells on the loop what becomes of it.
 */
public final class TaskContainers {
  private static final Logger LOG = LoggerFactory.getLogger(TaskContainers.class);

  private static final int SIGTERM = 15;

  /** What executors send back (rule 195). */
  private static final String TOKEN = "MESOS_EXECUTOR_AUTHENTICATION_TOKEN";

  private static final String OVERLOADED = "The agent is overloaded or stopping";

  private final Containerizer containerizer;
  private final TaskEnvironment environment;
  private final VolumeStore volumes;
  private final Executor loop;
  private final Executor workers;
  private final ExecutorSecrets secrets;

  /** What becomes of one launch; called on the event loop. */
  interface Listener {
    /**
     * The container has a first process.
     *
     * @param status null when the containerizer could not tell
     */
    void started(long pid, ContainerStatus status);

    /** It could not be launched. */
    void failed(String message);

    /** It could not be launched, and never can be by this agent. */
    default void unable(String message) {
      failed(message);
    }

    /** It is gone; may be told before its start is. */
    void terminated(Termination end);
  }

  /**
   * No container yet.
   *
   * @param volumes that tasks may have
   * @param secrets of executors, which arrive on the event loop
   * @param workers where sandboxes are made
   */
  public TaskContainers(
      Containerizer containerizer,
      TaskEnvironment environment,
      VolumeStore volumes,
      ExecutorSecrets secrets,
      Executor loop,
      Executor workers) {
    this.containerizer = containerizer;
    this.environment = environment;
    this.volumes = volumes;
    this.secrets = secrets;
    this.loop = loop;
    this.workers = workers;
  }

  /** Why volumes cannot be mounted in containers, with the remedy; empty where they can. */
  Optional<String> unmountable() {
    return containerizer.mounts()
        ? Optional.empty()
        : Optional.of("an agent with --isolation=filesystem/linux can do that");
  }

  private List<BindMount> mounts(TaskVolumes volumes) {
    return containerizer.mounts() ? volumes.mounts() : List.of();
  }

  /**
   * What the container of a command task is to be made of.
   *
   * @param volumes that appear in its sandbox
   */
  LaunchRequest request(AgentTask task, TaskVolumes volumes) throws ResourceFormatException {
    AgentExecutor executor = task.executor;
    return of(
            task,
            executor.container(),
            task.info.getCommand(),
            variables(task, executor.sandbox),
            executor.sandbox)
        .owned(executor.owned(volumes))
        .mounts(mounts(volumes))
        .kept()
        .build();
  }

  /** What a task's command sees; what hooks add wins over its own variables. */
  private ContainerVariables variables(AgentTask task, Path sandbox) {
    AgentExecutor executor = task.executor;
    ContainerVariables variables =
        environment.of(executor.framework.info, executor.id(), task.info, sandbox);
    variables.putAll(task.added);
    return variables;
  }

  /** Others can attach to what has a terminal, as in Mesos, and to nothing else. */
  private static ContainerIo io(ContainerInfo container) {
    if (!container.hasTtyInfo()) {
      return ContainerIo.FILES;
    }
    TTYInfo.WindowSize size = container.getTtyInfo().getWindowSize();
    return ContainerIo.FILES.on(
        new ContainerIo.Terminal(
            container.getTtyInfo().hasWindowSize()
                ? Optional.of(new ContainerIo.Window(size.getRows(), size.getColumns()))
                : Optional.empty()));
  }

  /** A container that uses as much as the task. */
  private static LaunchRequest.Builder of(
      AgentTask task,
      ContainerId id,
      CommandInfo command,
      ContainerVariables variables,
      Path folder)
      throws ResourceFormatException {
    return LaunchRequest.builder(id, command, folder)
        .environment(variables.plain())
        .secrets(variables.secrets())
        .user(task.user())
        .resources(Resources.of(task.info.getResourcesList()).unallocated(), limits(task.info))
        .info(task.info.hasContainer() ? Optional.of(task.info.getContainer()) : Optional.empty())
        .io(io(task.info.getContainer()))
        .rootAllowed(!task.executor.rootRefused);
  }

  /**
   * Has the secret made by which an executor is known.
   *
   * @return empty where it needs none; completes on the event loop, exceptionally with what to tell
   *     people
   */
  CompletionStage<Optional<String>> secret(AgentExecutor executor) {
    return secrets.of(executor.framework.id(), executor.id(), executor.containerId);
  }

  /**
   * What the container of an executor is to be made of: its own resources and those of the tasks
   * that it begins with (rule 189).
   *
   * @param first at least one
   * @param added variables that win over the executor's own
   * @param secret by which it is known
   * @param volumes that appear in its sandbox
   */
  LaunchRequest request(
      AgentExecutor executor,
      List<AgentTask> first,
      Map<String, String> added,
      Optional<String> secret,
      TaskVolumes volumes)
      throws ResourceFormatException {
    ContainerVariables variables =
        environment.of(
            executor.framework.info,
            executor.info,
            first.get(0).info.getAgentId(),
            executor.sandbox);
    variables.putAll(added);
    secret.ifPresent(known -> variables.put(TOKEN, known));
    return LaunchRequest.builder(executor.container(), executor.info.getCommand(), executor.sandbox)
        .environment(variables.plain())
        .secrets(variables.secrets())
        .user(executor.user())
        .resources(resources(executor, first), limits(executor.info, first))
        .info(
            executor.info.hasContainer()
                ? Optional.of(executor.info.getContainer())
                : Optional.empty())
        .io(io(executor.info.getContainer()))
        .rootAllowed(!executor.rootRefused)
        .owned(executor.owned(volumes))
        .kept()
        .build();
  }

  /** What an executor has with some tasks. */
  private static Resources resources(AgentExecutor executor, List<AgentTask> tasks)
      throws ResourceFormatException {
    List<org.mezzo.protocol.v1.Resource> all = new ArrayList<>(executor.info.getResourcesList());
    tasks.forEach(task -> all.addAll(task.info.getResourcesList()));
    return Resources.of(all).unallocated();
  }

  /**
   * Gives the container of an executor what it and its tasks need; of one that is over nothing.
   *
   * @param tasks all that have not ended
   * @return completes on the event loop; exceptionally when it was not given it
   */
  CompletionStage<?> resize(AgentExecutor executor, List<AgentTask> tasks)
      throws ResourceFormatException {
    return onLoop(
        containerizer.update(
            ContainerId.of(executor.containerId),
            resources(executor, tasks),
            limits(executor.info, tasks)));
  }

  /**
   * Lets volumes appear in a sandbox that is its user's already.
   *
   * @return completes on the event loop; exceptionally with what is in the way
   */
  CompletionStage<?> appear(AgentExecutor executor, TaskVolumes more) {
    List<Path> owned = executor.ownedLater(more);
    CompletableFuture<Void> checked = new CompletableFuture<>();
    try {
      workers.execute(
          () -> {
            try {
              more.check(volumes);
              checked.complete(null);
            } catch (IOException | RuntimeException e) {
              checked.completeExceptionally(
                  new LaunchException(
                      e instanceof IOException io ? FileFailure.reason(io) : e.toString()));
            }
          });
    } catch (RejectedExecutionException e) {
      checked.completeExceptionally(new LaunchException(OVERLOADED));
    }
    return onLoop(
        checked.thenCompose(
            usable ->
                containerizer.link(
                    ContainerId.of(executor.containerId), links(more), List.of(), owned)));
  }

  /** The other way round; completes on the event loop. */
  CompletionStage<?> disappear(AgentExecutor executor, TaskVolumes unused) {
    return onLoop(
        containerizer.link(
            ContainerId.of(executor.containerId), List.of(), links(unused), List.of()));
  }

  private static List<Containerizer.Link> links(TaskVolumes volumes) {
    return volumes.volumes().stream()
        .map(it -> new Containerizer.Link(it.at(), it.directory().toAbsolutePath()))
        .toList();
  }

  private <T> CompletionStage<T> onLoop(CompletionStage<T> stage) {
    CompletableFuture<T> there = new CompletableFuture<>();
    stage.whenCompleteAsync(
        (result, failure) -> {
          if (failure == null) {
            there.complete(result);
          } else {
            there.completeExceptionally(failure);
          }
        },
        loop);
    return there;
  }

  /**
   * What the container of a task of a group is to be made of.
   *
   * @param sandbox of the task, in that of its executor
   */
  LaunchRequest nested(AgentTask task, ContainerId containerId, Path sandbox)
      throws ResourceFormatException {
    return of(task, containerId, task.info.getCommand(), variables(task, sandbox), sandbox)
        .owned(task.executor.owned(task.volumes, sandbox))
        .mounts(mounts(task.volumes))
        .shared(
            task.executor.ownedLater(task.executor.volumes().sharedBy(task.info.getContainer())))
        .kept()
        .build();
  }

  /**
   * What a container gets that an operator nests in those of an executor: what the task has in
   * whose container it is to be, or else the executor.
   */
  NestingPlace nesting(AgentExecutor executor, ContainerId nested) {
    ContainerId around = NestingPlace.secondOutermost(nested);
    Optional<AgentTask> task =
        executor.tasks().stream()
            .filter(
                it ->
                    executor.generated
                        || ContainerId.of(it.containerStatus.getContainerId()).equals(around)
                            && around.parent().isPresent())
            .findFirst();
    Optional<String> user = task.map(AgentTask::user).orElseGet(executor::user);
    ContainerVariables variables =
        task.isPresent()
            ? variables(task.get(), executor.sandbox)
            : environment.of(
                executor.framework.info, executor.info, executor.agentId(), executor.sandbox);
    return new NestingPlace(
        executor.framework.info,
        executor.generated ? user : executor.user(),
        user,
        executor.sandbox,
        variables,
        !executor.rootRefused);
  }

  /**
   * What an executor may use beyond what is reserved for it: of what one of its tasks has a limit,
   * the limits of all, where one has none what it asked for, and the executor's own.
   */
  private static Resources limits(ExecutorInfo executor, List<AgentTask> first) {
    Map<String, Double> sums = new TreeMap<>();
    for (AgentTask task : first) {
      task.info.getLimitsMap().keySet().forEach(name -> sums.put(name, 0.0));
    }
    sums.replaceAll(
        (name, unused) -> {
          double sum = scalar(executor.getResourcesList(), name);
          for (AgentTask task : first) {
            Value.Scalar limit = task.info.getLimitsMap().get(name);
            sum += limit == null ? scalar(task.info.getResourcesList(), name) : limit.getValue();
          }
          return sum;
        });
    return limits(sums);
  }

  private static double scalar(List<org.mezzo.protocol.v1.Resource> resources, String name) {
    return resources.stream()
        .filter(resource -> resource.getName().equals(name))
        .mapToDouble(resource -> resource.getScalar().getValue())
        .sum();
  }

  /**
   * What the container of a check of type COMMAND is to be made of: it is nested in the task's, to
   * look after it (rule 237), and what limits that limits it.
   *
   * @param sandbox of the task
   * @param command with a value or, without a shell, with {@code arguments} (rule 238)
   */
  LaunchRequest checkRequest(AgentTask task, ContainerId id, Path sandbox, CommandInfo command)
      throws ResourceFormatException {
    ContainerVariables variables = variables(task, sandbox);
    variables.give(command.getEnvironment());
    CommandInfo.Builder named = command.toBuilder();
    if (!command.getShell() && !command.hasValue()) {
      named.setValue(command.getArguments(0));
    }
    // What the task's volumes are links to is in the sandbox already.
    Optional<ContainerInfo> info =
        task.info.hasContainer()
            ? Optional.of(task.info.getContainer().toBuilder().clearVolumes().build())
            : Optional.empty();
    return of(task, id, named.build(), variables, sandbox)
        .resources(Resources.EMPTY, Resources.EMPTY)
        .info(info)
        .io(ContainerIo.REMARKS)
        .passing()
        .build();
  }

  /** Whether the task of that container has not begun to end. */
  boolean runs(ContainerId containerId) {
    return containerizer.runs(containerId);
  }

  private static Resources limits(TaskInfo info) {
    Map<String, Double> limits = new TreeMap<>();
    info.getLimitsMap().forEach((name, limit) -> limits.put(name, limit.getValue()));
    return limits(limits);
  }

  private static Resources limits(Map<String, Double> given) {
    List<Resource> limits = new ArrayList<>();
    given.forEach(
        // Infinity has no fixed-point form; nothing a machine has comes near this.
        (name, value) ->
            limits.add(Resource.scalar(name, Double.isInfinite(value) ? 1e12 : value)));
    return limits.isEmpty() ? Resources.EMPTY : Resources.of(limits.toArray(new Resource[0]));
  }

  /**
   * Makes the sandbox and the container.
   *
   * @param placed volumes that appear in the sandbox
   */
  void launch(LaunchRequest request, TaskVolumes placed, Listener listener) {
    launch(request, () -> SandboxPaths.create(request.sandbox()), placed, listener);
  }

  /** The same of a task of a group; the sandbox of its executor is there. */
  void launchNested(LaunchRequest request, AgentTask task, Listener listener) {
    launch(
        request,
        () -> SandboxPaths.createNested(request.sandbox(), task.executor.sandbox, task.id()),
        task.volumes,
        listener);
  }

  /** Makes a folder; blocks. */
  @FunctionalInterface
  private interface Making {
    void make() throws IOException;
  }

  private void launch(
      LaunchRequest request, Making sandbox, TaskVolumes placed, Listener listener) {
    try {
      workers.execute(() -> make(request, sandbox, placed, listener));
    } catch (RejectedExecutionException e) {
      listener.failed(OVERLOADED);
    }
  }

  /**
   * Makes the container of an executor in which only its tasks have processes, and its sandbox.
   * That stays the agent's own, so that nobody can exchange what is made in it later; all may pass.
   *
   * @param user whose folders are that its tasks share
   * @return completes on the event loop; exceptionally with what to tell people
   */
  CompletionStage<Void> enclose(
      ContainerId id, Path sandbox, Optional<String> user, TaskVolumes placed) {
    CompletableFuture<Void> made = new CompletableFuture<>();
    try {
      workers.execute(
          () -> {
            Optional<String> problem =
                filled(() -> SandboxPaths.createPassable(sandbox), sandbox, placed, false);
            if (problem.isPresent()) {
              loop.execute(() -> made.completeExceptionally(new LaunchException(problem.get())));
              return;
            }
            containerizer
                .launch(LaunchRequest.enclosure(id, sandbox).user(user).kept().build())
                .whenCompleteAsync(
                    (launched, failure) -> {
                      if (failure == null) {
                        made.complete(null);
                      } else {
                        made.completeExceptionally(failure);
                      }
                    },
                    loop);
          });
    } catch (RejectedExecutionException e) {
      made.completeExceptionally(new LaunchException(OVERLOADED));
    }
    return made;
  }

  /** Makes a sandbox with its volumes; says what came in between. */
  private Optional<String> filled(
      Making making, Path sandbox, TaskVolumes placed, boolean mounted) {
    try {
      making.make();
    } catch (IOException | RuntimeException e) {
      return Optional.of("Cannot create the sandbox: " + e.getMessage());
    }
    try {
      placed.place(sandbox, volumes, mounted);
    } catch (IOException | RuntimeException e) {
      return Optional.of(e instanceof IOException io ? FileFailure.reason(io) : e.toString());
    }
    return Optional.empty();
  }

  private void make(LaunchRequest request, Making sandbox, TaskVolumes placed, Listener listener) {
    Optional<String> problem =
        filled(sandbox, request.sandbox(), placed, !request.mounts().isEmpty());
    if (problem.isPresent()) {
      loop.execute(() -> listener.failed(problem.get()));
      return;
    }
    launch(request, listener);
  }

  /** Makes a container whose sandbox is there; does not block. */
  void launch(LaunchRequest request, Listener listener) {
    CompletionStage<Containerizer.Launched> launched;
    try {
      launched = containerizer.launch(request);
    } catch (RuntimeException | LinkageError e) {
      LOG.error("Launching container {} failed", request.containerId(), e);
      loop.execute(() -> listener.failed(e.toString()));
      return;
    }
    launched.whenComplete(
        (container, failure) -> {
          if (failure != null) {
            String message = message(failure);
            boolean never = failure instanceof UnableException;
            loop.execute(
                () -> {
                  if (never) {
                    listener.unable(message);
                  } else {
                    listener.failed(message);
                  }
                });
          } else {
            container.termination().thenAcceptAsync(listener::terminated, loop);
            containerizer
                .status(request.containerId())
                .whenCompleteAsync(
                    (status, unknown) -> listener.started(container.pid(), status), loop);
          }
        });
  }

  /** Tells what becomes of a container that an earlier process of the agent launched. */
  void resume(Containerizer.Recovered left, Listener listener) {
    left.termination().thenAcceptAsync(listener::terminated, loop);
    if (left.adopted()) {
      containerizer
          .status(left.containerId())
          .whenCompleteAsync(
              (status, unknown) -> listener.started(left.pid().orElse(0), status), loop);
    }
  }

  /** What to tell people of a launch that failed. */
  static String message(Throwable failure) {
    Throwable root = failure;
    while (root.getCause() != null && !(root instanceof LaunchException)) {
      root = root.getCause();
    }
    return root.getMessage() == null ? root.toString() : root.getMessage();
  }

  /** The status of a container; one without an address of its own has the agent's. */
  ContainerStatus addressed(ContainerStatus.Builder status) {
    if (status.getNetworkInfosCount() == 0) {
      status.addNetworkInfos(
          NetworkInfo.newBuilder()
              .addIpAddresses(
                  NetworkInfo.IPAddress.newBuilder()
                      .setProtocol(NetworkInfo.Protocol.IPv4)
                      .setIpAddress(environment.ip())));
    }
    return status.build();
  }

  /** Asks the processes of a container to end. */
  void terminate(ContainerId containerId) {
    containerizer.signal(containerId, SIGTERM);
  }

  /** How a container ended is on record: the containerizer need not know it any more. */
  void forget(ContainerId id) {
    // How it ended may be told before all that it had is cleaned up.
    containerizer
        .termination(id)
        .thenCompose(ended -> containerizer.destroy(id))
        .thenCompose(gone -> containerizer.remove(id))
        .whenComplete(
            (removed, failure) -> {
              if (failure != null) {
                // The agent stops; its next process does not keep it.
                LOG.debug("How container {} ended is not forgotten", id, failure);
              }
            });
  }

  /** Ends a container; complete when the last of its processes is gone. */
  CompletionStage<?> destroy(ContainerId containerId) {
    return containerizer.destroy(containerId);
  }
}
