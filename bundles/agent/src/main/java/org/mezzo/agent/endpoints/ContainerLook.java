package org.mezzo.agent.endpoints;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Executor;
import java.util.stream.Collectors;
import org.mezzo.agent.containers.OperatorContainers;
import org.mezzo.agent.tasks.ContainerUsage;
import org.mezzo.api.authentication.Principal;
import org.mezzo.api.authorization.Action;
import org.mezzo.containerizer.ContainerId;
import org.mezzo.containerizer.Containerizer;
import org.mezzo.daemon.border.Refused;
import org.mezzo.daemon.json.JsonOut;
import org.mezzo.protocol.v1.ContainerStatus;
import org.mezzo.protocol.v1.ResourceStatistics;

/** The running containers that somebody may see, with what the containerizer says of them. */
public final class ContainerLook {
  /** What the help tells of the queries that {@link #check} takes. */
  static final String CONTAINER_ID = "only this container";

  static final String FRAMEWORK_ID = "only the containers of this framework";
  static final String EXECUTOR_ID = "only this executor's; needs framework_id";

  /** An executor with its container. */
  record Looked(AgentReads.Running of, ContainerStatus status, Optional<ResourceStatistics> usage) {
    String framework() {
      return of.framework();
    }

    String executor() {
      return of.executor().id();
    }

    String container() {
      return of.executor().containerId();
    }

    /** Whether a query asks for it. */
    boolean in(Map<String, String> query) {
      return query.getOrDefault("container_id", container()).equals(container())
          && query.getOrDefault("framework_id", framework()).equals(framework())
          && query.getOrDefault("executor_id", executor()).equals(executor());
    }

    /** Names and statistics, as fields of an object. */
    void describe(JsonOut json) {
      json.field("executor_id", executor());
      json.field("executor_name", of.executor().info().getName());
      json.field("framework_id", framework());
      json.field("source", of.executor().info().getSource());
      usage.ifPresent(statistics -> json.message("statistics", statistics));
    }
  }

  /** A container that is nested, or stands alone. */
  record Other(ContainerId id, ContainerStatus status, Optional<ResourceStatistics> usage) {}

  private final AgentReads reads;
  private final Containerizer containerizer;
  private final OperatorContainers operated;
  private final ContainerUsage usage;

  public ContainerLook(AgentReads reads, Containerizer containerizer, OperatorContainers operated) {
    this.reads = reads;
    this.containerizer = containerizer;
    this.operated = operated;
    usage = new ContainerUsage(containerizer);
  }

  Containerizer containerizer() {
    return containerizer;
  }

  /** Where answers are written. */
  Executor workers() {
    return reads.workers();
  }

  /** Looks at every container that the principal may see, in the order of their launches. */
  CompletionStage<List<Looked>> look(Optional<Principal> principal) {
    return reads.running(principal).thenCompose(this::look);
  }

  private CompletionStage<List<Looked>> look(List<AgentReads.Running> running) {
    CompletionStage<List<Looked>> all = CompletableFuture.completedStage(new ArrayList<>());
    for (AgentReads.Running one : running) {
      ContainerId container = ContainerId.of(one.executor().containerId());
      CompletionStage<Looked> looked =
          usage
              .of(one.executor())
              .thenCombine(
                  containerizer.status(container),
                  (usage, status) -> new Looked(one, status, usage));
      all =
          all.thenCombine(
              looked,
              (list, next) -> {
                list.add(next);
                return list;
              });
    }
    return all;
  }

  /**
   * Looks at those that are not executors' own and that the principal may see (rule 348), in the
   * order of their names.
   *
   * @param nested whether those are looked at that are in others
   * @param alone whether those are looked at that are in none of an executor's
   */
  CompletionStage<List<Other>> others(
      Optional<Principal> principal, boolean nested, boolean alone) {
    return reads
        .running(principal)
        .thenCombine(
            reads.mayAny(principal, Action.VIEW_STANDALONE_CONTAINER),
            (visible, standalone) -> {
              Set<String> executors =
                  visible.stream()
                      .map(one -> one.executor().containerId())
                      .collect(Collectors.toSet());
              return operated.known().stream()
                  .filter(
                      id ->
                          operated.alone(id)
                              ? alone && standalone && (nested || id.parent().isEmpty())
                              : nested && executors.contains(id.root().value()))
                  .toList();
            })
        .thenCompose(this::others);
  }

  private CompletionStage<List<Other>> others(List<ContainerId> ids) {
    CompletionStage<List<Other>> all = CompletableFuture.completedStage(new ArrayList<>());
    for (ContainerId id : ids) {
      all =
          all.thenCombine(
              containerizer
                  .usage(id)
                  .thenCombine(
                      containerizer.status(id), (usage, status) -> new Other(id, status, usage)),
              (list, next) -> {
                list.add(next);
                return list;
              });
    }
    return all;
  }

  /** Refuses a query that asks for more than one thing. */
  static void check(Map<String, String> query) throws Refused {
    boolean framework = query.containsKey("framework_id");
    if (query.containsKey("executor_id") && !framework
        || query.containsKey("container_id") && framework) {
      throw new Refused(
          400, "Expecting one of container_id; framework_id; framework_id and executor_id");
    }
  }
}
