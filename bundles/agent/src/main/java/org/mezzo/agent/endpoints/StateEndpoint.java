package org.mezzo.agent.endpoints;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import org.mezzo.agent.Agent;
import org.mezzo.agent.draining.Draining.Drain;
import org.mezzo.agent.tasks.AgentTasks.ExecutorView;
import org.mezzo.agent.tasks.AgentTasks.FrameworkView;
import org.mezzo.agent.updates.States;
import org.mezzo.api.authentication.Principal;
import org.mezzo.api.authorization.Action;
import org.mezzo.daemon.Versions;
import org.mezzo.daemon.border.Access;
import org.mezzo.daemon.border.ApiEndpoint;
import org.mezzo.daemon.border.EndpointDeclaration;
import org.mezzo.daemon.border.Help;
import org.mezzo.daemon.border.Permission;
import org.mezzo.daemon.border.Router;
import org.mezzo.daemon.configuration.DaemonFlags;
import org.mezzo.daemon.endpoints.CommonEndpoints;
import org.mezzo.daemon.json.JsonOut;
import org.mezzo.daemon.json.StateJson;
import org.mezzo.http.HttpExchange;
import org.mezzo.protocol.v1.AgentInfo;
import org.mezzo.protocol.v1.FrameworkInfo;
import org.mezzo.protocol.v1.Resource;
import org.mezzo.protocol.v1.Task;
import org.mezzo.resources.Resources;

/** {@code /state}. */
final class StateEndpoint implements ApiEndpoint {
  private final AgentReads reads;
  private final AgentDescription self;
  private final DaemonFlags flags;

  StateEndpoint(AgentReads reads, AgentDescription self, DaemonFlags flags) {
    this.reads = reads;
    this.self = self;
    this.flags = flags;
  }

  @Override
  public EndpointDeclaration declaration() {
    return new EndpointDeclaration(
        "/state",
        Access.READONLY,
        Permission.perObject(
            Action.VIEW_FRAMEWORK,
            Action.VIEW_EXECUTOR,
            Action.VIEW_TASK,
            Action.VIEW_ROLE,
            Action.VIEW_FLAGS),
        Help.of(
                "The agent, and everything that runs on it.",
                "Answers with an object: the agent's resources, attributes and flags, and its"
                    + " frameworks, running and completed, with their executors and tasks.")
            .with("jsonp", CommonEndpoints.JSONP));
  }

  @Override
  public void handle(HttpExchange exchange, Optional<Principal> principal) {
    Router.when(
        exchange,
        reads.state(
            principal,
            declaration().permission().actions(),
            state -> {
              CommonEndpoints.respondJson(exchange, json -> state(json, state));
              return true;
            }),
        Runnable::run,
        answered -> {});
  }

  private void state(JsonOut json, AgentReads.Visible state) {
    AgentInfo agent = self.info().get();
    Resources total = self.total().get();
    Resources allocated = state.allocated();
    Map<String, Resources> reserved =
        state.approvers().approved(Action.VIEW_ROLE, total.reserved());
    json.object(
        () -> {
          json.field("version", Versions.MESOS);
          json.field("build_date", Versions.BUILD_DATE);
          json.field("build_time", Versions.BUILD_TIME);
          json.field("build_user", Versions.BUILD_USER);
          json.field("start_time", self.startTime());
          json.field("id", agent.getId().getValue());
          json.field("pid", self.pid());
          json.field("hostname", agent.getHostname());
          json.texts("capabilities", Agent.CAPABILITIES.stream().map(Enum::name).toList());
          if (agent.hasDomain()) {
            StateJson.domain(json, "domain", agent.getDomain());
          }
          self.drain().get().ifPresent(drain -> drain(json, drain));
          StateJson.resources(json, "resources", total);
          StateJson.resourcesByRole(json, "reserved_resources", reserved);
          StateJson.resources(json, "unreserved_resources", total.unreserved());
          StateJson.fullResourcesByRole(json, "reserved_resources_full", reserved);
          StateJson.fullResources(json, "unreserved_resources_full", total.unreserved());
          StateJson.resourcesByRole(
              json,
              "reserved_resources_allocated",
              state.approvers().approved(Action.VIEW_ROLE, allocated.reserved()));
          StateJson.resources(json, "unreserved_resources_allocated", allocated.unreserved());
          json.array("resource_providers", () -> {});
          StateJson.attributes(json, "attributes", agent.getAttributesList());
          self.leader().get().ifPresent(at -> json.field("master_hostname", at.getHostString()));
          if (state.approvers().approved(Action.VIEW_FLAGS)) {
            flags.folders().log().ifPresent(folder -> json.field("log_dir", folder));
            json.object("flags", () -> flags.all().shown().forEach(json::field));
          }
          json.array(
              "frameworks",
              state.frameworks().frameworks(),
              framework -> framework(json, framework));
          json.array(
              "completed_frameworks",
              state.frameworks().completed(),
              framework -> framework(json, framework));
        });
  }

  private static void drain(JsonOut json, Drain drain) {
    json.message("drain_config", drain.config());
    json.integer(
        "estimated_drain_start_time_seconds",
        TimeUnit.NANOSECONDS.toSeconds(drain.began().getNanoseconds()));
  }

  private static void framework(JsonOut json, FrameworkView framework) {
    FrameworkInfo info = framework.info();
    json.object(
        () -> {
          json.field("id", info.getId().getValue());
          json.field("name", info.getName());
          json.field("user", info.getUser());
          json.field("failover_timeout", info.getFailoverTimeout());
          json.field("checkpoint", info.getCheckpoint());
          json.field("hostname", info.getHostname());
          if (info.hasPrincipal()) {
            json.field("principal", info.getPrincipal());
          }
          if (States.has(info, FrameworkInfo.Capability.Type.MULTI_ROLE)) {
            json.texts("roles", info.getRolesList());
          } else {
            json.field("role", info.getRole());
          }
          json.array("executors", framework.executors(), executor -> executor(json, executor));
          json.array(
              "completed_executors",
              framework.completedExecutors(),
              executor -> executor(json, executor));
        });
  }

  private static void executor(JsonOut json, ExecutorView executor) {
    json.object(
        () -> {
          json.field("id", executor.id());
          json.field("name", executor.info().getName());
          json.field("source", executor.info().getSource());
          json.field("container", executor.containerId());
          json.field("directory", executor.sandbox().toString());
          StateJson.resources(json, "resources", executor.resources());
          role(executor).ifPresent(role -> json.field("role", role));
          if (executor.info().hasLabels()) {
            StateJson.labels(json, "labels", executor.info().getLabels());
          }
          if (executor.info().hasType()) {
            json.field("type", executor.info().getType().name());
          }
          json.array("tasks", executor.tasks(), task -> StateJson.task(json, task));
          json.array("queued_tasks", executor.queuedTasks(), task -> queued(json, task));
          List<Task> ended = new ArrayList<>(executor.completedTasks());
          ended.addAll(executor.terminatedTasks());
          json.array("completed_tasks", ended, task -> StateJson.task(json, task));
        });
  }

  /** The role that its resources are allocated to. */
  private static Optional<String> role(ExecutorView executor) {
    List<Resource> own = executor.info().getResourcesList();
    if (!own.isEmpty()) {
      return Optional.of(StateJson.role(own));
    }
    return executor.allTasks().stream()
        .findFirst()
        .map(task -> StateJson.role(task.getResourcesList()));
  }

  private static void queued(JsonOut json, Task task) {
    json.object(
        () -> {
          json.field("id", task.getTaskId().getValue());
          json.field("name", task.getName());
          json.field("slave_id", task.getAgentId().getValue());
          StateJson.resources(json, "resources", task.getResourcesList());
          json.field("role", StateJson.role(task.getResourcesList()));
          json.field("executor_id", task.getExecutorId().getValue());
          if (task.hasDiscovery()) {
            json.message("discovery", task.getDiscovery());
          }
        });
  }
}
