package org.mezzo.agent.tasks;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import org.mezzo.agent.sandboxes.SandboxPaths;
import org.mezzo.agent.volumes.VolumeStore;
import org.mezzo.containerizer.ContainerId;
import org.mezzo.containerizer.Containerizer;
import org.mezzo.containerizer.LaunchException;
import org.mezzo.containerizer.LaunchRequest;
import org.mezzo.containerizer.Termination;
import org.mezzo.files.FileFailure;
import org.mezzo.protocol.v1.ContainerStatus;
import org.mezzo.protocol.v1.NetworkInfo;
import org.mezzo.protocol.v1.TaskInfo;
import org.mezzo.protocol.v1.Value;
import org.mezzo.resources.Resource;
import org.mezzo.resources.ResourceFormatException;
import org.mezzo.resources.Resources;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The containers of tasks: says what one is to be made of, has it made away from the event loop,
 * and tells on the loop what becomes of it.
 */
public final class TaskContainers {
  private static final Logger LOG = LoggerFactory.getLogger(TaskContainers.class);

  private static final int SIGTERM = 15;

  private final Containerizer containerizer;
  private final TaskEnvironment environment;
  private final VolumeStore volumes;
  private final Executor loop;
  private final Executor workers;

  /** What becomes of a launch; called on the event loop. */
  interface Listener {
    /**
     * The container has a first process.
     *
     * @param status null when the containerizer could not tell
     */
    void started(CommandTask task, long pid, ContainerStatus status);

    /** It could not be launched. */
    void failed(CommandTask task, String message);

    /** It is gone; may be told before its start is. */
    void terminated(CommandTask task, Termination end);
  }

  /**
   * No container yet.
   *
   * @param volumes that tasks may have
   * @param workers where sandboxes are made
   */
  public TaskContainers(
      Containerizer containerizer,
      TaskEnvironment environment,
      VolumeStore volumes,
      Executor loop,
      Executor workers) {
    this.containerizer = containerizer;
    this.environment = environment;
    this.volumes = volumes;
    this.loop = loop;
    this.workers = workers;
  }

  /**
   * What a task's container is to be made of.
   *
   * @param added variables that win over the task's own
   */
  LaunchRequest request(CommandTask task, Map<String, String> added)
      throws ResourceFormatException {
    Map<String, String> variables = environment.of(task.framework.info, task.info, task.sandbox);
    variables.putAll(added);
    return LaunchRequest.builder(id(task), task.info.getCommand(), task.sandbox)
        .environment(variables)
        .user(task.user())
        .resources(Resources.of(task.info.getResourcesList()).unallocated(), limits(task.info))
        .info(task.info.hasContainer() ? Optional.of(task.info.getContainer()) : Optional.empty())
        .rootAllowed(!task.rootRefused)
        .owned(task.owned)
        .build();
  }

  private static ContainerId id(CommandTask task) {
    return ContainerId.of(task.containerId);
  }

  private static Resources limits(TaskInfo info) {
    List<Resource> limits = new ArrayList<>();
    for (Map.Entry<String, Value.Scalar> limit : info.getLimitsMap().entrySet()) {
      double value = limit.getValue().getValue();
      // Infinity has no fixed-point form; nothing a machine has comes near this.
      limits.add(Resource.scalar(limit.getKey(), Double.isInfinite(value) ? 1e12 : value));
    }
    return limits.isEmpty() ? Resources.EMPTY : Resources.of(limits.toArray(new Resource[0]));
  }

  /** Makes the sandbox and the container. */
  void launch(CommandTask task, LaunchRequest request, Listener listener) {
    try {
      workers.execute(() -> make(task, request, listener));
    } catch (RejectedExecutionException e) {
      listener.failed(task, "The agent is overloaded or stopping");
    }
  }

  private void make(CommandTask task, LaunchRequest request, Listener listener) {
    try {
      SandboxPaths.create(task.sandbox);
    } catch (IOException | RuntimeException e) {
      loop.execute(() -> listener.failed(task, "Cannot create the sandbox: " + e.getMessage()));
      return;
    }
    try {
      task.volumes.place(task.sandbox, volumes);
    } catch (IOException | RuntimeException e) {
      String reason = e instanceof IOException io ? FileFailure.reason(io) : e.toString();
      loop.execute(() -> listener.failed(task, reason));
      return;
    }
    CompletionStage<Containerizer.Launched> launched;
    try {
      launched = containerizer.launch(request);
    } catch (RuntimeException | LinkageError e) {
      LOG.error("Launching task '{}' failed", task.id(), e);
      loop.execute(() -> listener.failed(task, e.toString()));
      return;
    }
    launched.whenComplete(
        (container, failure) -> {
          if (failure != null) {
            loop.execute(() -> listener.failed(task, message(failure)));
          } else {
            container.termination().thenAcceptAsync(end -> listener.terminated(task, end), loop);
            containerizer
                .status(id(task))
                .whenCompleteAsync(
                    (status, unknown) -> listener.started(task, container.pid(), status), loop);
          }
        });
  }

  private static String message(Throwable failure) {
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

  /** Asks its processes to end. */
  void terminate(CommandTask task) {
    containerizer.signal(id(task), SIGTERM);
  }

  /** Ends it; complete when the last of its processes is gone. */
  CompletionStage<?> destroy(CommandTask task) {
    return containerizer.destroy(id(task));
  }
}
