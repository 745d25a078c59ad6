package org.mezzo.agent.containers;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Executor;
import org.mezzo.agent.tasks.AgentTasks;
import org.mezzo.agent.tasks.ContainerVariables;
import org.mezzo.agent.tasks.NestingPlace;
import org.mezzo.agent.tasks.TaskDemands;
import org.mezzo.agent.tasks.TaskEnvironment;
import org.mezzo.api.authentication.Principal;
import org.mezzo.api.authorization.Action;
import org.mezzo.api.authorization.AuthorizationObject;
import org.mezzo.containerizer.AttachException;
import org.mezzo.containerizer.Attachment;
import org.mezzo.containerizer.ContainerExistsException;
import org.mezzo.containerizer.ContainerId;
import org.mezzo.containerizer.ContainerInput;
import org.mezzo.containerizer.ContainerIo;
import org.mezzo.containerizer.Containerizer;
import org.mezzo.containerizer.LaunchException;
import org.mezzo.containerizer.LaunchRequest;
import org.mezzo.containerizer.OutputSink;
import org.mezzo.containerizer.Termination;
import org.mezzo.daemon.border.Authorization;
import org.mezzo.daemon.border.Refused;
import org.mezzo.files.FileFailure;
import org.mezzo.files.TreeDeletion;
import org.mezzo.protocol.v1.CommandInfo;
import org.mezzo.protocol.v1.ContainerInfo;
import org.mezzo.resources.Resources;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Launches, ends and removes containers for operators: says what one gets of those that it is in,
 * and asks whether somebody may. Safe for any thread. Stages complete on threads of workers, of the
 * containerizer or where authorization decides.
 */
public final class OperatorContainers {
  private static final Logger LOG = LoggerFactory.getLogger(OperatorContainers.class);

  /**
   * What is to be launched. Immutable.
   *
   * @param resources what it may use; of a nested one its parents' limits hold as well
   * @param limits what of these it may use beyond
   * @param debug whether it is in the sandbox of its parent, to look after that
   * @param io what it reads and writes
   */
  record Wanted(
      ContainerId id,
      CommandInfo command,
      ContainerInfo info,
      Resources resources,
      Resources limits,
      boolean debug,
      ContainerIo io) {}

  private final Containerizer containerizer;
  private final AgentTasks tasks;
  private final StandaloneSandboxes standalone;
  private final EndedSandboxes ended;
  private final TaskEnvironment environment;
  private final Authorization authorization;
  private final Executor loop;
  private final Executor workers;

  /**
   * Of one agent.
   *
   * @param tasks belong to the loop
   * @param ended takes sandboxes once their containers have ended
   * @param environment what containers get of the agent
   * @param workers where sandboxes are made and deleted
   */
  public OperatorContainers(
      Containerizer containerizer,
      AgentTasks tasks,
      StandaloneSandboxes standalone,
      EndedSandboxes ended,
      TaskEnvironment environment,
      Authorization authorization,
      Executor loop,
      Executor workers) {
    this.containerizer = containerizer;
    this.tasks = tasks;
    this.standalone = standalone;
    this.ended = ended;
    this.environment = environment;
    this.authorization = authorization;
    this.loop = loop;
    this.workers = workers;
  }

  /** Where a container is; empty when it is in none of an executor's, and none itself. */
  CompletionStage<Optional<NestingPlace>> place(ContainerId id) {
    return CompletableFuture.supplyAsync(() -> tasks.nesting(id), loop);
  }

  /**
   * Asks whether somebody may do something to a container.
   *
   * @param nested asked about those in containers of executors
   * @param alone asked about all others, the unknown ones included
   * @return where it is; fails with 403
   */
  CompletionStage<Optional<NestingPlace>> allowed(
      Optional<Principal> principal, ContainerId id, Action nested, Action alone) {
    return allowed(principal, id, nested, alone, Optional.empty());
  }

  /**
   * The same of a launch.
   *
   * @param command whose account it is asked about
   */
  CompletionStage<Optional<NestingPlace>> allowed(
      Optional<Principal> principal,
      ContainerId id,
      Action nested,
      Action alone,
      CommandInfo command) {
    return allowed(principal, id, nested, alone, Optional.of(command));
  }

  private CompletionStage<Optional<NestingPlace>> allowed(
      Optional<Principal> principal,
      ContainerId id,
      Action nested,
      Action alone,
      Optional<CommandInfo> launched) {
    return place(id)
        .thenCompose(
            place -> {
              Action action = place.isPresent() ? nested : alone;
              AuthorizationObject object =
                  place.map(it -> object(it, id, launched)).orElse(AuthorizationObject.ANY);
              return authorization.decide(
                  principal,
                  List.of(action),
                  approvers -> {
                    if (!approvers.approved(action, object)) {
                      throw new Refused(403, "403 Forbidden.");
                    }
                    return place;
                  });
            });
  }

  private static AuthorizationObject object(
      NestingPlace place, ContainerId id, Optional<CommandInfo> launched) {
    String owner = place.executorUser().orElse("");
    AuthorizationObject.Builder object =
        AuthorizationObject.builder()
            .value(launched.map(command -> user(command, place).orElse("")).orElse(owner))
            .frameworkInfo(place.framework())
            .containerId(id.root().value());
    if (launched.isPresent()) {
      object.parentUser(owner);
    }
    return object.build();
  }

  private static Optional<String> user(CommandInfo command, NestingPlace place) {
    return command.getUser().isEmpty() ? place.user() : Optional.of(command.getUser());
  }

  // Launching.

  /**
   * Launches a container.
   *
   * @param place where it is to be; empty: it stands alone
   * @return completes with false where its id is taken; fails with 400 or 500 and the reason
   */
  CompletionStage<Boolean> launch(Wanted wanted, Optional<NestingPlace> place) {
    Optional<ContainerId> parent = wanted.id.parent();
    if (parent.isPresent() && !containerizer.containers().contains(parent.get())) {
      return refused(400, "Parent container " + parent.get() + " does not exist");
    }
    Optional<String> refusal = TaskDemands.refusal(wanted.command, wanted.info);
    if (refusal.isPresent()) {
      return refused(400, refusal.get());
    }
    LaunchRequest request = request(wanted, place);
    if (wanted.debug) {
      return launch(request);
    }
    boolean alone = parent.isEmpty() && place.isEmpty();
    return CompletableFuture.runAsync(
            () -> {
              ended.keep(request.sandbox());
              if (alone) {
                make(wanted.id);
              }
            },
            workers)
        .thenCompose(made -> launch(request))
        .whenComplete((isNew, failure) -> ended.leave(wanted.id, request.sandbox()));
  }

  private void make(ContainerId id) {
    try {
      standalone.make(id);
    } catch (IOException e) {
      throw failure(500, "Cannot create the sandbox: " + FileFailure.reason(e));
    }
  }

  private LaunchRequest request(Wanted wanted, Optional<NestingPlace> place) {
    ContainerId id = wanted.id;
    ContainerId sandboxOf = wanted.debug ? id.parent().orElseThrow() : id;
    Path sandbox =
        sandboxOf.sandbox(
            place.map(NestingPlace::sandbox).orElseGet(() -> standalone.of(id.root())));
    ContainerVariables variables =
        place.map(it -> it.variables().copy()).orElseGet(() -> environment.standalone(sandbox));
    variables.put("MESOS_SANDBOX", sandbox.toString());
    variables.give(wanted.command.getEnvironment());
    Optional<String> user =
        place.isPresent()
            ? user(wanted.command, place.get())
            : Optional.of(wanted.command.getUser()).filter(it -> !it.isEmpty());
    return LaunchRequest.builder(id, wanted.command, sandbox)
        .environment(variables.plain())
        .secrets(variables.secrets())
        .user(user)
        .resources(wanted.resources, wanted.limits)
        .info(Optional.of(wanted.info).filter(it -> it.getSerializedSize() > 0))
        .rootAllowed(place.map(NestingPlace::rootAllowed).orElse(true))
        .io(wanted.io)
        .kept()
        .build();
  }

  private CompletionStage<Boolean> launch(LaunchRequest request) {
    return containerizer
        .launch(request)
        .handle(
            (launched, failure) -> {
              Throwable cause = cause(failure);
              if (cause == null) {
                return true;
              }
              if (cause instanceof ContainerExistsException) {
                return false;
              }
              if (cause instanceof LaunchException) {
                LOG.info(
                    "Container {} is not launched: {}", request.containerId(), cause.getMessage());
                throw failure(400, cause.getMessage());
              }
              throw new CompletionException(cause);
            });
  }

  private static Throwable cause(Throwable failure) {
    return failure instanceof CompletionException && failure.getCause() != null
        ? failure.getCause()
        : failure;
  }

  private static CompletionException failure(int status, String text) {
    return new CompletionException(new Refused(status, text));
  }

  private static <T> CompletionStage<T> refused(int status, String text) {
    return CompletableFuture.failedStage(failure(status, text));
  }

  private static CompletionException unknown(ContainerId id) {
    return failure(404, "Container " + id + " cannot be found");
  }

  // Ending.

  /** How a container ends; fails with 404 where it is not known. */
  CompletionStage<Termination> termination(ContainerId id) {
    return containerizer.termination(id).thenApply(end -> end.orElseThrow(() -> unknown(id)));
  }

  /** Sends a signal to the processes of a container; fails with 404 where there are none. */
  CompletionStage<Void> signal(ContainerId id, int signal) {
    return containerizer
        .signal(id, signal)
        .thenAccept(
            sent -> {
              if (!sent) {
                throw unknown(id);
              }
            });
  }

  /**
   * Forgets a container that has ended, with those that were in it, and deletes its sandbox.
   *
   * @return complete also where there is none; fails with 500 while it has not ended
   */
  CompletionStage<Void> remove(ContainerId id, Optional<NestingPlace> place) {
    boolean lost = id.parent().isPresent() && place.isEmpty() && !standalone.has(id.root());
    if (lost) {
      return refused(500, "Unknown container " + id);
    }
    if (id.parent().isEmpty() && place.isPresent()) {
      return refused(500, "Container '" + id + "' is an executor's, and goes with that");
    }
    return containerizer
        .remove(id)
        .handle(
            (removed, failure) -> {
              Throwable cause = cause(failure);
              if (cause instanceof IllegalStateException) {
                throw failure(500, cause.getMessage());
              }
              if (cause != null) {
                throw new CompletionException(cause);
              }
              return removed;
            })
        .thenAcceptAsync(removed -> delete(id, place), workers);
  }

  private void delete(ContainerId id, Optional<NestingPlace> place) {
    try {
      if (id.parent().isEmpty()) {
        standalone.delete(id);
        return;
      }
      Path root = place.map(NestingPlace::sandbox).orElseGet(() -> standalone.of(id.root()));
      TreeDeletion.delete(root, root.relativize(id.sandbox(root)));
    } catch (IOException e) {
      LOG.warn("Cannot delete the sandbox of container {}", id, e);
      throw failure(500, "Cannot delete the sandbox: " + FileFailure.reason(e));
    }
  }

  // Input and output.

  /**
   * Gives somebody what a container writes.
   *
   * @return fails with 404, 409, 500 or 503
   */
  CompletionStage<Attachment> attachOutput(ContainerId id, OutputSink sink) {
    return attached(id, containerizer.attachOutput(id, sink));
  }

  /** Gives somebody the input of a container; fails as above. */
  CompletionStage<ContainerInput> attachInput(ContainerId id) {
    return attached(id, containerizer.attachInput(id));
  }

  private <T> CompletionStage<T> attached(ContainerId id, CompletionStage<T> attaching) {
    CompletableFuture<T> answer = new CompletableFuture<>();
    attaching.whenComplete(
        (attached, failure) -> {
          if (cause(failure) instanceof AttachException refusal) {
            refused(id, refusal).whenComplete((nothing, why) -> answer.completeExceptionally(why));
          } else if (failure != null) {
            answer.completeExceptionally(failure);
          } else {
            answer.complete(attached);
          }
        });
    return answer;
  }

  /** Clients go on where a container has ended meanwhile, which in Mesos is 500. */
  private CompletionStage<Void> refused(ContainerId id, AttachException refusal) {
    return switch (refusal.reason()) {
      case UNKNOWN ->
          containerizer
              .termination(id)
              .thenAccept(
                  end -> {
                    throw end.isPresent()
                        ? failure(500, "Container " + id + " has ended")
                        : unknown(id);
                  });
      case NOT_ATTACHABLE -> refused(500, "I/O switchboard server was disabled for this container");
      case UNAVAILABLE -> refused(503, refusal.getMessage());
      case BUSY -> refused(409, refusal.getMessage());
    };
  }

  /** Completes when a container has ended or is not known. */
  CompletionStage<?> ended(ContainerId id) {
    return containerizer.termination(id);
  }

  /** Ends a container and all that is in it. */
  void destroy(ContainerId id) {
    containerizer.destroy(id);
  }

  // Looking.

  /** Containers that are nested in others, or stand alone, in the order of their names. */
  public List<ContainerId> known() {
    List<ContainerId> all = new ArrayList<>(containerizer.containers());
    all.removeIf(id -> id.parent().isEmpty() && !standalone.has(id));
    all.sort((a, b) -> a.toString().compareTo(b.toString()));
    return all;
  }

  /** Whether a container is in none of an executor's. */
  public boolean alone(ContainerId id) {
    return standalone.has(id.root());
  }
}
