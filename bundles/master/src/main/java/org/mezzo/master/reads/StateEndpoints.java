package org.mezzo.master.reads;

import java.time.Instant;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeSet;
import java.util.function.Consumer;
import org.mezzo.daemon.Versions;
import org.mezzo.daemon.border.Access;
import org.mezzo.daemon.border.Endpoint;
import org.mezzo.daemon.border.Router;
import org.mezzo.daemon.endpoints.CommonEndpoints;
import org.mezzo.daemon.json.JsonOut;
import org.mezzo.daemon.json.StateJson;
import org.mezzo.http.HttpExchange;
import org.mezzo.http.HttpResponse;
import org.mezzo.master.state.Agent;
import org.mezzo.master.state.Executor;
import org.mezzo.master.state.Framework;
import org.mezzo.master.state.MasterState;
import org.mezzo.master.state.Offer;
import org.mezzo.master.state.Task;
import org.mezzo.protocol.v1.FrameworkInfo;
import org.mezzo.protocol.v1.MasterInfo;
import org.mezzo.protocol.v1.TaskState;
import org.mezzo.resources.Quantities;
import org.mezzo.resources.Resources;

/** The JSON endpoints of old, in the shapes of state-json sections 1 to 7. */
final class StateEndpoints {
  /** The task states that summaries count, in the order in which they are written. */
  private static final List<TaskState> COUNTED =
      List.of(
          TaskState.TASK_STAGING,
          TaskState.TASK_STARTING,
          TaskState.TASK_RUNNING,
          TaskState.TASK_KILLING,
          TaskState.TASK_FINISHED,
          TaskState.TASK_KILLED,
          TaskState.TASK_FAILED,
          TaskState.TASK_LOST,
          TaskState.TASK_ERROR,
          TaskState.TASK_UNREACHABLE);

  private static final int DEFAULT_TASKS = 100;

  private final Reads.Sources sources;
  private final LeaderGate gate;

  StateEndpoints(Reads.Sources sources, LeaderGate gate) {
    this.sources = sources;
    this.gate = gate;
  }

  /** One request with what it may see. */
  private record View(MasterState state, Visibility visibility, HttpExchange request) {
    Optional<String> query(String name) {
      return Optional.ofNullable(request.query().get(name));
    }
  }

  private interface Body {
    void write(View view, JsonOut json);
  }

  void install(Router router) {
    router.route("/state", Access.READONLY, reader(this::state));
    router.route("/state-summary", Access.READONLY, reader(this::summary));
    router.route("/slaves", Access.READONLY, reader(this::agents));
    router.route("/frameworks", Access.READONLY, reader(this::frameworks));
    router.route("/tasks", Access.READONLY, reader(this::tasks));
    router.route("/roles", Access.READONLY, reader(this::roles));
    router.route("/weights", Access.READWRITE, reader(this::weights));
  }

  private Endpoint reader(Body body) {
    return (exchange, principal) -> {
      Optional<HttpResponse> stopped = gate.check(exchange);
      Optional<MasterState> state = sources.cluster().state();
      if (stopped.isPresent() || state.isEmpty()) {
        exchange.respond(
            stopped.orElseGet(() -> HttpResponse.text(503, "Master has not finished recovery")));
        return;
      }
      Visibility.of(sources.authorization(), principal, state.get())
          .thenAcceptAsync(
              visibility ->
                  Router.guard(
                      exchange,
                      it ->
                          CommonEndpoints.respondJson(
                              it, json -> body.write(new View(state.get(), visibility, it), json))),
              sources.workers());
    };
  }

  /** Seconds since the epoch, to the microsecond. */
  static double seconds(Instant instant) {
    return instant.getEpochSecond() + (instant.getNano() / 1000) / 1e6;
  }

  private void state(View view, JsonOut json) {
    MasterState state = view.state;
    MasterInfo self = state.self();
    json.object(
        () -> {
          json.field("version", Versions.MESOS);
          json.field("mezzo_version", Versions.MEZZO);
          json.field("build_date", Versions.BUILD_DATE);
          json.field("build_time", Versions.BUILD_TIME);
          json.field("build_user", Versions.BUILD_USER);
          json.field("start_time", seconds(sources.started()));
          json.field("elected_time", seconds(state.elected()));
          json.field("id", self.getId());
          json.field("pid", self.getPid());
          json.field("hostname", self.getHostname());
          json.array(
              "capabilities",
              self.getCapabilitiesList(),
              capability -> json.text(capability.getType().name()));
          long active = state.agents().values().stream().filter(Agent::active).count();
          json.field("activated_slaves", (double) active);
          json.field("deactivated_slaves", (double) (state.agents().size() - active));
          json.field("unreachable_slaves", (double) state.unreachableAgents().size());
          if (self.hasDomain()) {
            StateJson.domain(json, "domain", self.getDomain());
          }
          sources.cluster().leader().ifPresent(leader -> leader(json, leader));
          if (view.visibility.flags()) {
            sources.flags().text("cluster").ifPresent(name -> json.field("cluster", name));
            sources.flags().text("log_dir").ifPresent(dir -> json.field("log_dir", dir));
            json.object("flags", () -> sources.flags().shown().forEach(json::field));
          }
          json.array(
              "slaves",
              state.agents().values(),
              agent -> json.object(() -> agent(json, agent, false)));
          recovered(json, state);
          json.array(
              "frameworks",
              visible(view, state.frameworks().values()),
              framework -> framework(json, view, framework));
          json.array(
              "completed_frameworks",
              visible(view, state.completedFrameworks()),
              framework -> framework(json, view, framework));
          json.array("orphan_tasks", () -> {});
          json.array("unregistered_frameworks", () -> {});
        });
  }

  private static void leader(JsonOut json, MasterInfo leader) {
    json.field("leader", leader.getPid());
    json.object(
        "leader_info",
        () -> {
          json.field("id", leader.getId());
          json.field("pid", leader.getPid());
          json.integer("port", leader.getPort());
          json.field("hostname", leader.getHostname());
          if (leader.hasDomain()) {
            StateJson.domain(json, "domain", leader.getDomain());
          }
        });
  }

  private static List<Framework> visible(View view, Iterable<Framework> frameworks) {
    List<Framework> visible = new ArrayList<>();
    for (Framework framework : frameworks) {
      if (view.visibility.framework(framework)) {
        visible.add(framework);
      }
    }
    return visible;
  }

  private static void recovered(JsonOut json, MasterState state) {
    json.array(
        "recovered_slaves",
        state.recoveredAgents().values(),
        agent ->
            json.object(
                () -> {
                  json.field("id", agent.id());
                  json.field("hostname", agent.info().getHostname());
                  json.integer("port", agent.info().getPort());
                  StateJson.attributes(json, "attributes", agent.info().getAttributesList());
                  if (agent.info().hasDomain()) {
                    StateJson.domain(json, "domain", agent.info().getDomain());
                  }
                }));
  }

  /** The fields of an agent, within an object. */
  private static void agent(JsonOut json, Agent agent, boolean full) {
    Resources used = agent.totalAllocated();
    Resources offered = agent.totalOffered();
    json.field("id", agent.id());
    json.field("hostname", agent.info().getHostname());
    json.integer("port", agent.info().getPort());
    StateJson.attributes(json, "attributes", agent.info().getAttributesList());
    if (agent.info().hasDomain()) {
      StateJson.domain(json, "domain", agent.info().getDomain());
    }
    json.field("pid", agent.pid());
    json.field("registered_time", seconds(agent.registered()));
    agent.reregistered().ifPresent(at -> json.field("reregistered_time", seconds(at)));
    StateJson.resources(json, "resources", agent.total());
    StateJson.resources(json, "used_resources", used);
    StateJson.resources(json, "offered_resources", offered);
    StateJson.resourcesByRole(json, "reserved_resources", agent.total().reserved());
    StateJson.resources(json, "unreserved_resources", agent.total().unreserved());
    json.field("active", agent.active());
    json.field("deactivated", false);
    json.field("version", agent.version());
    json.array(
        "capabilities",
        agent.capabilities().stream().sorted().toList(),
        capability -> json.text(capability.name()));
    if (full) {
      StateJson.fullResourcesByRole(json, "reserved_resources_full", agent.total().reserved());
      StateJson.fullResources(json, "unreserved_resources_full", agent.total().unreserved());
      StateJson.fullResources(json, "used_resources_full", used);
      StateJson.fullResources(json, "offered_resources_full", offered);
    }
  }

  private void agents(View view, JsonOut json) {
    Optional<String> only = view.query("slave_id");
    json.object(
        () -> {
          json.array(
              "slaves",
              view.state.agents().values().stream()
                  .filter(agent -> only.isEmpty() || only.get().equals(agent.id()))
                  .toList(),
              agent -> json.object(() -> agent(json, agent, true)));
          recovered(json, view.state);
        });
  }

  private void frameworks(View view, JsonOut json) {
    Optional<String> only = view.query("framework_id");
    json.object(
        () -> {
          json.array(
              "frameworks",
              only(visible(view, view.state.frameworks().values()), only),
              framework -> framework(json, view, framework));
          json.array(
              "completed_frameworks",
              only(visible(view, view.state.completedFrameworks()), only),
              framework -> framework(json, view, framework));
          json.array("unregistered_frameworks", () -> {});
        });
  }

  private static List<Framework> only(List<Framework> frameworks, Optional<String> id) {
    return frameworks.stream()
        .filter(framework -> id.isEmpty() || id.get().equals(framework.id()))
        .toList();
  }

  /** What a framework and its summary have in common. */
  private static void outline(JsonOut json, Framework framework) {
    json.field("id", framework.id());
    json.field("name", framework.info().getName());
    StateJson.resources(json, "used_resources", framework.totalAllocated());
    StateJson.resources(json, "offered_resources", framework.totalOffered());
    json.array(
        "capabilities",
        framework.info().getCapabilitiesList(),
        capability -> json.text(capability.getType().name()));
    json.field("hostname", framework.info().getHostname());
    json.field("webui_url", framework.info().getWebuiUrl());
    json.field("active", framework.active());
    json.field("connected", framework.connected());
    json.field("recovered", framework.phase() == Framework.Phase.RECOVERED);
  }

  private static void framework(JsonOut json, View view, Framework framework) {
    FrameworkInfo info = framework.info();
    boolean recovered = framework.phase() == Framework.Phase.RECOVERED;
    json.object(
        () -> {
          outline(json, framework);
          json.field("user", info.getUser());
          json.field("failover_timeout", info.getFailoverTimeout());
          json.field("checkpoint", info.getCheckpoint());
          json.field("registered_time", recovered ? 0.0 : seconds(framework.registered()));
          json.field(
              "unregistered_time",
              framework.unregistered().map(StateEndpoints::seconds).orElse(0.0));
          framework.principal().ifPresent(principal -> json.field("principal", principal));
          StateJson.resources(
              json, "resources", framework.totalAllocated().plus(framework.totalOffered()));
          if (!framework.reregistered().equals(framework.registered())) {
            json.field("reregistered_time", seconds(framework.reregistered()));
          }
          if (framework.can(FrameworkInfo.Capability.Type.MULTI_ROLE)) {
            json.texts("roles", framework.subscription().roles());
          } else {
            json.field("role", info.getRole());
          }
          boolean tasks = view.visibility.tasks(framework);
          tasks(json, "tasks", tasks ? framework.tasks().values() : List.of());
          tasks(
              json, "unreachable_tasks", tasks ? framework.unreachableTasks().values() : List.of());
          tasks(json, "completed_tasks", tasks ? framework.completedTasks() : List.of());
          json.array(
              "offers",
              framework.offers().stream().flatMap(id -> view.state.offer(id).stream()).toList(),
              offer -> offer(json, offer));
          json.array("executors", () -> executors(json, view, framework));
          if (info.hasLabels()) {
            StateJson.labels(json, "labels", info.getLabels());
          }
          json.message("offer_constraints", framework.subscription().constraints().message());
        });
  }

  private static void tasks(JsonOut json, String name, Iterable<Task> tasks) {
    json.array(name, tasks, task -> StateJson.task(json, task.message()));
  }

  private static void offer(JsonOut json, Offer offer) {
    json.object(
        () -> {
          json.field("id", offer.id());
          json.field("framework_id", offer.frameworkId());
          json.object("allocation_info", () -> json.field("role", offer.role()));
          json.field("slave_id", offer.agentId());
          StateJson.resources(json, "resources", offer.resources());
        });
  }

  private static void executors(JsonOut json, View view, Framework framework) {
    boolean visible = view.visibility.executors(framework);
    for (Map<String, Executor> there : framework.executors().values()) {
      for (Executor executor : there.values()) {
        json.object(
            () -> {
              if (visible) {
                executor(json, executor);
              }
            });
      }
    }
  }

  private static void executor(JsonOut json, Executor executor) {
    json.field("executor_id", executor.id());
    json.field("name", executor.info().getName());
    json.field("framework_id", executor.frameworkId());
    StateJson.command(json, "command", executor.info().getCommand());
    StateJson.resources(json, "resources", executor.resources());
    executor.resources().allocations().keySet().stream()
        .findFirst()
        .ifPresent(role -> json.field("role", role));
    if (executor.info().hasLabels()) {
      StateJson.labels(json, "labels", executor.info().getLabels());
    }
    if (executor.info().hasType()) {
      json.field("type", executor.info().getType().name());
    }
    json.field("slave_id", executor.agentId());
  }

  private void tasks(View view, JsonOut json) {
    int limit = number(view.query("limit"), DEFAULT_TASKS);
    int offset = Math.max(0, number(view.query("offset"), 0));
    boolean ascending = view.query("order").map("asc"::equals).orElse(false);
    Optional<String> frameworkId = view.query("framework_id");
    Optional<String> taskId = view.query("task_id");
    List<Task> found = new ArrayList<>();
    List<Framework> frameworks = visible(view, view.state.frameworks().values());
    frameworks.addAll(visible(view, view.state.completedFrameworks()));
    for (Framework framework : only(frameworks, frameworkId)) {
      if (view.visibility.tasks(framework)) {
        found.addAll(framework.tasks().values());
        found.addAll(framework.unreachableTasks().values());
        found.addAll(framework.completedTasks());
      }
    }
    found.removeIf(task -> taskId.isPresent() && !taskId.get().equals(task.id()));
    // Those without a status come first ascending, hence last descending.
    Comparator<Task> byTime =
        Comparator.comparingDouble(
            task ->
                task.message().getStatusesCount() == 0
                    ? Double.NEGATIVE_INFINITY
                    : task.message().getStatuses(0).getTimestamp());
    found.sort(ascending ? byTime : Collections.reverseOrder(byTime));
    int end = limit < 0 ? found.size() : (int) Math.min(found.size(), (long) offset + limit);
    List<Task> page = found.subList(Math.min(offset, end), end);
    json.object(() -> tasks(json, "tasks", page));
  }

  private static int number(Optional<String> text, int otherwise) {
    try {
      return text.map(Integer::parseInt).orElse(otherwise);
    } catch (NumberFormatException e) {
      return otherwise;
    }
  }

  /** Counts of task states, and who is on the other side. */
  private static final class Summary {
    final Map<TaskState, Integer> counts = new EnumMap<>(TaskState.class);
    final TreeSet<String> others = new TreeSet<>();

    void count(Task task, String other) {
      counts.merge(task.state(), 1, Integer::sum);
      others.add(other);
    }

    void write(JsonOut json, String name) {
      COUNTED.forEach(state -> json.integer(state.name(), counts.getOrDefault(state, 0)));
      json.texts(name, others);
    }
  }

  private void summary(View view, JsonOut json) {
    Map<String, Summary> byAgent = new HashMap<>();
    Map<String, Summary> byFramework = new LinkedHashMap<>();
    List<Framework> frameworks = visible(view, view.state.frameworks().values());
    for (Framework framework : frameworks) {
      Summary own = byFramework.computeIfAbsent(framework.id(), id -> new Summary());
      Consumer<Task> count =
          task -> {
            own.count(task, task.agentId());
            byAgent
                .computeIfAbsent(task.agentId(), id -> new Summary())
                .count(task, framework.id());
          };
      framework.tasks().values().forEach(count);
      framework.unreachableTasks().values().forEach(count);
      framework.completedTasks().forEach(count);
    }
    json.object(
        () -> {
          json.field("hostname", view.state.self().getHostname());
          sources.flags().text("cluster").ifPresent(name -> json.field("cluster", name));
          json.array(
              "slaves",
              view.state.agents().values(),
              agent ->
                  json.object(
                      () -> {
                        agent(json, agent, false);
                        byAgent
                            .getOrDefault(agent.id(), new Summary())
                            .write(json, "framework_ids");
                      }));
          json.array(
              "frameworks",
              frameworks,
              framework ->
                  json.object(
                      () -> {
                        outline(json, framework);
                        byFramework.get(framework.id()).write(json, "slave_ids");
                      }));
        });
  }

  private void roles(View view, JsonOut json) {
    json.object(
        () ->
            json.array(
                "roles",
                Roles.of(view.state),
                role ->
                    json.object(
                        () -> {
                          json.field("name", role.name());
                          json.field("weight", role.weight());
                          json.object("quota", () -> quota(json, view.state, role));
                          quantities(json, "resources", role.resources());
                          quantities(json, "allocated", role.allocated());
                          quantities(json, "offered", role.offered());
                          quantities(json, "reserved", role.reserved());
                          json.texts("frameworks", role.frameworks());
                        })));
  }

  private static void quota(JsonOut json, MasterState state, Roles.Role role) {
    var quota = state.quotas().get(role.name());
    json.field("role", role.name());
    quantities(json, "guarantee", quota == null ? Quantities.EMPTY : quota.guarantees());
    quantities(json, "limit", quota == null ? Quantities.EMPTY : quota.limits());
    quantities(json, "consumed", role.allocated());
  }

  private static void quantities(JsonOut json, String name, Quantities quantities) {
    json.object(
        name,
        () ->
            quantities.names().stream()
                .sorted()
                .forEach(each -> json.field(each, quantities.get(each) / 1000.0)));
  }

  private void weights(View view, JsonOut json) {
    json.array(
        () ->
            view.state.weights().entrySet().stream()
                .sorted(Map.Entry.comparingByKey())
                .forEach(
                    entry ->
                        json.object(
                            () -> {
                              json.field("role", entry.getKey());
                              json.field("weight", entry.getValue());
                            })));
  }
}
