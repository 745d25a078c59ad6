package org.mezzo.agent.endpoints;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.Supplier;
import org.mezzo.agent.Agent;
import org.mezzo.agent.tasks.AgentTasks;
import org.mezzo.agent.tasks.AgentTasks.ExecutorView;
import org.mezzo.agent.tasks.AgentTasks.FrameworkView;
import org.mezzo.agent.updates.States;
import org.mezzo.containerizer.Containerizer;
import org.mezzo.daemon.Versions;
import org.mezzo.daemon.border.Access;
import org.mezzo.daemon.border.Authorization;
import org.mezzo.daemon.border.Router;
import org.mezzo.daemon.calls.CallEndpoint;
import org.mezzo.daemon.calls.CallExchange;
import org.mezzo.daemon.calls.RequiredMessages;
import org.mezzo.daemon.endpoints.CommonEndpoints;
import org.mezzo.daemon.files.FileException;
import org.mezzo.daemon.files.VirtualFiles;
import org.mezzo.daemon.json.JsonOut;
import org.mezzo.daemon.json.StateJson;
import org.mezzo.daemon.loop.EventLoop;
import org.mezzo.daemon.loop.Workers;
import org.mezzo.daemon.metrics.MetricsRegistry;
import org.mezzo.flags.Flags;
import org.mezzo.http.HttpExchange;
import org.mezzo.http.HttpResponse;
import org.mezzo.modules.ModuleLeases;
import org.mezzo.protocol.v1.AgentInfo;
import org.mezzo.protocol.v1.ContainerID;
import org.mezzo.protocol.v1.ContainerStatus;
import org.mezzo.protocol.v1.ExecutorID;
import org.mezzo.protocol.v1.FrameworkInfo;
import org.mezzo.protocol.v1.Resource;
import org.mezzo.protocol.v1.ResourceStatistics;
import org.mezzo.protocol.v1.Task;
import org.mezzo.protocol.v1.agent.Call;
import org.mezzo.protocol.v1.agent.Response;
import org.mezzo.resources.ResourceFormatException;
import org.mezzo.resources.Resources;

/** What the agent answers over HTTP. State is copied on the loop and written on workers. */
public final class AgentEndpoints {
  private static final Set<String> MESSAGE_OPTIONAL = Set.of("GET_CONTAINERS", "PRUNE_IMAGES");

  private final String name;
  private final double startTime;
  private final Flags flags;
  private final EventLoop loop;
  private final Workers workers;
  private final MetricsRegistry metrics;
  private final VirtualFiles files;
  private final ModuleLeases modules;
  private final Authorization authorization;
  private final Containerizer containerizer;
  private final AgentTasks tasks;
  private final Supplier<AgentInfo> info;
  private final Resources total;
  private final String pid;
  private final Supplier<Optional<InetSocketAddress>> leader;

  public AgentEndpoints(
      String name,
      double startTime,
      Flags flags,
      EventLoop loop,
      Workers workers,
      MetricsRegistry metrics,
      VirtualFiles files,
      ModuleLeases modules,
      Authorization authorization,
      Containerizer containerizer,
      AgentTasks tasks,
      Supplier<AgentInfo> info,
      Resources total,
      String pid,
      Supplier<Optional<InetSocketAddress>> leader) {
    this.name = name;
    this.startTime = startTime;
    this.flags = flags;
    this.loop = loop;
    this.workers = workers;
    this.metrics = metrics;
    this.files = files;
    this.modules = modules;
    this.authorization = authorization;
    this.containerizer = containerizer;
    this.tasks = tasks;
    this.info = info;
    this.total = total;
    this.pid = pid;
    this.leader = leader;
  }

  /** Adds the agent's routes. */
  public void install(Router router) {
    CommonEndpoints.install(
        router,
        new CommonEndpoints.Sources(
            name, flags, metrics, files, Optional.of(modules), authorization, workers));
    router
        .route(
            "/state",
            Access.READONLY,
            (it, who) -> json(it, tasks::view, view -> json -> state(json, view)))
        .route("/containers", Access.READONLY, (it, who) -> containers(it, true))
        .route("/monitor/statistics", Access.READONLY, (it, who) -> containers(it, false))
        .route(
            "/api/v1",
            Access.READWRITE,
            new CallEndpoint<>(Call.getDefaultInstance(), "agent::Call", workers, this::call)
                .validate(call -> RequiredMessages.missing(call, MESSAGE_OPTIONAL))
                .withRecordIo());
  }

  private <T> void json(
      HttpExchange exchange,
      Supplier<T> snapshot,
      java.util.function.Function<T, Consumer<JsonOut>> writer) {
    onLoop(snapshot)
        .thenAcceptAsync(
            taken ->
                Router.guard(exchange, it -> CommonEndpoints.respondJson(it, writer.apply(taken))),
            workers);
  }

  private <T> CompletionStage<T> onLoop(Supplier<T> snapshot) {
    CompletableFuture<T> taken = new CompletableFuture<>();
    loop.execute(
        () -> {
          try {
            taken.complete(snapshot.get());
          } catch (RuntimeException e) {
            taken.completeExceptionally(e);
          }
        });
    return taken;
  }

  // The unversioned API.

  private void state(JsonOut json, AgentTasks.View view) {
    AgentInfo agent = info.get();
    Resources allocated = allocated(view);
    json.object(
        () -> {
          json.field("version", Versions.MESOS);
          json.field("build_date", Versions.BUILD_DATE);
          json.field("build_time", Versions.BUILD_TIME);
          json.field("build_user", Versions.BUILD_USER);
          json.field("start_time", startTime);
          json.field("id", agent.getId().getValue());
          json.field("pid", pid);
          json.field("hostname", agent.getHostname());
          json.texts("capabilities", Agent.CAPABILITIES.stream().map(Enum::name).toList());
          if (agent.hasDomain()) {
            StateJson.domain(json, "domain", agent.getDomain());
          }
          StateJson.resources(json, "resources", total);
          StateJson.resourcesByRole(json, "reserved_resources", total.reserved());
          StateJson.resources(json, "unreserved_resources", total.unreserved());
          StateJson.fullResourcesByRole(json, "reserved_resources_full", total.reserved());
          StateJson.fullResources(json, "unreserved_resources_full", total.unreserved());
          StateJson.resourcesByRole(json, "reserved_resources_allocated", allocated.reserved());
          StateJson.resources(json, "unreserved_resources_allocated", allocated.unreserved());
          json.array("resource_providers", () -> {});
          StateJson.attributes(json, "attributes", agent.getAttributesList());
          leader.get().ifPresent(at -> json.field("master_hostname", at.getHostString()));
          flags.text("log_dir").ifPresent(folder -> json.field("log_dir", folder));
          json.object("flags", () -> flags.shown().forEach(json::field));
          json.array("frameworks", view.frameworks(), framework -> framework(json, framework));
          json.array(
              "completed_frameworks", view.completed(), framework -> framework(json, framework));
        });
  }

  private static Resources allocated(AgentTasks.View view) {
    List<Resource> all = new ArrayList<>();
    for (FrameworkView framework : view.frameworks()) {
      for (ExecutorView executor : framework.executors()) {
        executor.tasks().forEach(task -> all.addAll(task.getResourcesList()));
      }
    }
    try {
      return Resources.of(all).unallocated();
    } catch (ResourceFormatException e) {
      throw new IllegalStateException("A running task has unreadable resources", e);
    }
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
          json.field("name", executor.name());
          json.field("source", executor.id());
          json.field("container", executor.containerId());
          json.field("directory", executor.sandbox().toString());
          List<Resource> resources = new ArrayList<>();
          executor.tasks().forEach(task -> resources.addAll(task.getResourcesList()));
          StateJson.resources(json, "resources", resources);
          List<Task> any =
              executor.tasks().isEmpty() ? executor.completedTasks() : executor.tasks();
          if (!any.isEmpty()) {
            json.field("role", StateJson.role(any.get(0).getResourcesList()));
          }
          json.array("tasks", executor.tasks(), task -> StateJson.task(json, task));
          json.array("queued_tasks", () -> {});
          json.array(
              "completed_tasks", executor.completedTasks(), task -> StateJson.task(json, task));
        });
  }

  /** One executor with what its container says. */
  private record Looked(
      String framework,
      ExecutorView executor,
      ContainerStatus status,
      Optional<ResourceStatistics> usage) {}

  private CompletionStage<List<Looked>> look() {
    return onLoop(tasks::view)
        .thenCompose(
            view -> {
              CompletionStage<List<Looked>> all =
                  CompletableFuture.completedStage(new ArrayList<>());
              for (FrameworkView framework : view.frameworks()) {
                for (ExecutorView executor : framework.executors()) {
                  if (executor.tasks().isEmpty()) {
                    continue;
                  }
                  CompletionStage<Looked> looked =
                      containerizer
                          .usage(executor.containerId())
                          .thenCombine(
                              containerizer.status(executor.containerId()),
                              (usage, status) ->
                                  new Looked(
                                      framework.info().getId().getValue(),
                                      executor,
                                      status,
                                      usage));
                  all =
                      all.thenCombine(
                          looked,
                          (list, one) -> {
                            list.add(one);
                            return list;
                          });
                }
              }
              return all;
            });
  }

  private void containers(HttpExchange exchange, boolean withStatus) {
    Map<String, String> query = exchange.query();
    boolean container = query.containsKey("container_id");
    boolean framework = query.containsKey("framework_id");
    if (query.containsKey("executor_id") && !framework || container && framework) {
      exchange.respond(
          HttpResponse.text(
              400, "Expecting one of container_id; framework_id; framework_id and executor_id"));
      return;
    }
    look()
        .whenCompleteAsync(
            (all, failure) ->
                Router.guard(
                    exchange,
                    it -> {
                      if (failure != null) {
                        throw new IOException("Containers cannot be looked at", failure);
                      }
                      CommonEndpoints.respondJson(
                          it,
                          json ->
                              json.array(
                                  () ->
                                      all.stream()
                                          .filter(one -> wanted(one, query))
                                          .filter(one -> withStatus || one.usage().isPresent())
                                          .forEach(one -> looked(json, one, withStatus))));
                    }),
            workers);
  }

  private static boolean wanted(Looked one, Map<String, String> query) {
    return query
            .getOrDefault("container_id", one.executor().containerId())
            .equals(one.executor().containerId())
        && query.getOrDefault("framework_id", one.framework()).equals(one.framework())
        && query.getOrDefault("executor_id", one.executor().id()).equals(one.executor().id());
  }

  private static void looked(JsonOut json, Looked one, boolean withStatus) {
    json.object(
        () -> {
          if (withStatus) {
            json.field("container_id", one.executor().containerId());
          }
          json.field("executor_id", one.executor().id());
          json.field("executor_name", one.executor().name());
          json.field("framework_id", one.framework());
          json.field("source", one.executor().id());
          one.usage().ifPresent(usage -> json.message("statistics", usage));
          if (withStatus) {
            json.message("status", one.status());
          }
        });
  }

  // The v1 API.

  private void call(Call call, CallExchange exchange) {
    switch (call.getType()) {
      case GET_HEALTH ->
          exchange.respond(
              response(Response.Type.GET_HEALTH)
                  .setGetHealth(Response.GetHealth.newBuilder().setHealthy(true))
                  .build());
      case GET_FLAGS ->
          exchange.respond(
              response(Response.Type.GET_FLAGS)
                  .setGetFlags(
                      Response.GetFlags.newBuilder()
                          .addAllFlags(CommonEndpoints.flagMessages(flags)))
                  .build());
      case GET_VERSION ->
          exchange.respond(
              response(Response.Type.GET_VERSION)
                  .setGetVersion(Response.GetVersion.newBuilder().setVersionInfo(Versions.info()))
                  .build());
      case GET_METRICS ->
          exchange.respond(
              response(Response.Type.GET_METRICS)
                  .setGetMetrics(
                      Response.GetMetrics.newBuilder()
                          .addAllMetrics(CommonEndpoints.metricMessages(metrics)))
                  .build());
      case GET_AGENT ->
          exchange.respond(
              response(Response.Type.GET_AGENT)
                  .setGetAgent(Response.GetAgent.newBuilder().setAgentInfo(info.get()))
                  .build());
      case GET_STATE ->
          withView(
              exchange,
              view ->
                  response(Response.Type.GET_STATE)
                      .setGetState(
                          Response.GetState.newBuilder()
                              .setGetTasks(getTasks(view))
                              .setGetExecutors(getExecutors(view))
                              .setGetFrameworks(getFrameworks(view))));
      case GET_TASKS ->
          withView(exchange, view -> response(Response.Type.GET_TASKS).setGetTasks(getTasks(view)));
      case GET_EXECUTORS ->
          withView(
              exchange,
              view -> response(Response.Type.GET_EXECUTORS).setGetExecutors(getExecutors(view)));
      case GET_FRAMEWORKS ->
          withView(
              exchange,
              view -> response(Response.Type.GET_FRAMEWORKS).setGetFrameworks(getFrameworks(view)));
      case GET_CONTAINERS -> getContainers(exchange);
      case LIST_FILES -> listFiles(exchange, call.getListFiles());
      case READ_FILE -> readFile(exchange, call.getReadFile());
      default -> exchange.notServed(call.getType());
    }
  }

  private static Response.Builder response(Response.Type type) {
    return Response.newBuilder().setType(type);
  }

  private void withView(
      CallExchange exchange,
      java.util.function.Function<AgentTasks.View, Response.Builder> answer) {
    onLoop(tasks::view)
        .whenCompleteAsync(
            (view, failure) ->
                Router.guard(exchange.http(), it -> exchange.respond(answer.apply(view).build())),
            workers);
  }

  private static Response.GetTasks getTasks(AgentTasks.View view) {
    Response.GetTasks.Builder tasks = Response.GetTasks.newBuilder();
    for (FrameworkView framework : view.frameworks()) {
      for (ExecutorView executor : framework.executors()) {
        tasks.addAllLaunchedTasks(executor.tasks());
        tasks.addAllTerminatedTasks(executor.completedTasks());
      }
    }
    completed(view).forEach(executor -> tasks.addAllCompletedTasks(executor.completedTasks()));
    return tasks.build();
  }

  private static List<ExecutorView> completed(AgentTasks.View view) {
    List<ExecutorView> executors = new ArrayList<>();
    view.frameworks().forEach(framework -> executors.addAll(framework.completedExecutors()));
    view.completed().forEach(framework -> executors.addAll(framework.completedExecutors()));
    return executors;
  }

  private static Response.GetExecutors getExecutors(AgentTasks.View view) {
    Response.GetExecutors.Builder executors = Response.GetExecutors.newBuilder();
    for (FrameworkView framework : view.frameworks()) {
      for (ExecutorView executor : framework.executors()) {
        executors.addExecutorsBuilder().setExecutorInfo(executorInfo(framework, executor));
      }
      for (ExecutorView executor : framework.completedExecutors()) {
        executors.addCompletedExecutorsBuilder().setExecutorInfo(executorInfo(framework, executor));
      }
    }
    for (FrameworkView framework : view.completed()) {
      for (ExecutorView executor : framework.completedExecutors()) {
        executors.addCompletedExecutorsBuilder().setExecutorInfo(executorInfo(framework, executor));
      }
    }
    return executors.build();
  }

  private static org.mezzo.protocol.v1.ExecutorInfo executorInfo(
      FrameworkView framework, ExecutorView executor) {
    return org.mezzo.protocol.v1.ExecutorInfo.newBuilder()
        .setExecutorId(ExecutorID.newBuilder().setValue(executor.id()))
        .setFrameworkId(framework.info().getId())
        .setName(executor.name())
        .setSource(executor.id())
        .build();
  }

  private static Response.GetFrameworks getFrameworks(AgentTasks.View view) {
    Response.GetFrameworks.Builder frameworks = Response.GetFrameworks.newBuilder();
    view.frameworks()
        .forEach(framework -> frameworks.addFrameworksBuilder().setFrameworkInfo(framework.info()));
    view.completed()
        .forEach(
            framework ->
                frameworks.addCompletedFrameworksBuilder().setFrameworkInfo(framework.info()));
    return frameworks.build();
  }

  private void getContainers(CallExchange exchange) {
    look()
        .whenCompleteAsync(
            (all, failure) ->
                Router.guard(
                    exchange.http(),
                    it -> {
                      if (failure != null) {
                        throw new IOException("Containers cannot be looked at", failure);
                      }
                      Response.GetContainers.Builder containers =
                          Response.GetContainers.newBuilder();
                      for (Looked one : all) {
                        var container =
                            containers
                                .addContainersBuilder()
                                .setExecutorId(
                                    ExecutorID.newBuilder().setValue(one.executor().id()))
                                .setExecutorName(one.executor().name())
                                .setContainerId(
                                    ContainerID.newBuilder().setValue(one.executor().containerId()))
                                .setContainerStatus(one.status());
                        container.getFrameworkIdBuilder().setValue(one.framework());
                        one.usage().ifPresent(container::setResourceStatistics);
                      }
                      Response.Builder response = response(Response.Type.GET_CONTAINERS);
                      if (!all.isEmpty()) {
                        response.setGetContainers(containers);
                      }
                      exchange.respond(response.build());
                    }),
            workers);
  }

  /** Answers with what files say to those who may see the path. */
  private <T> void file(
      CallExchange exchange,
      String path,
      Supplier<CompletionStage<T>> read,
      Function<T, Response> answer) {
    files
        .onBehalfOf(exchange.principal(), path, read)
        .whenCompleteAsync(
            (found, failure) ->
                Router.guard(
                    exchange.http(),
                    it -> {
                      if (failure == null) {
                        exchange.respond(answer.apply(found));
                        return;
                      }
                      FileException reason = FileException.of(failure);
                      if (reason == null) {
                        throw new IllegalStateException("A file could not be read", failure);
                      }
                      exchange.reject(reason.status(), reason.getMessage());
                    }),
            workers);
  }

  private void listFiles(CallExchange exchange, Call.ListFiles call) {
    file(
        exchange,
        call.getPath(),
        () -> files.browse(call.getPath()),
        infos ->
            response(Response.Type.LIST_FILES)
                .setListFiles(Response.ListFiles.newBuilder().addAllFileInfos(infos))
                .build());
  }

  private void readFile(CallExchange exchange, Call.ReadFile call) {
    file(
        exchange,
        call.getPath(),
        () ->
            files.read(call.getPath(), call.getOffset(), call.hasLength() ? call.getLength() : -1),
        chunk ->
            response(Response.Type.READ_FILE)
                .setReadFile(
                    Response.ReadFile.newBuilder()
                        .setSize(chunk.size())
                        .setData(com.google.protobuf.ByteString.copyFrom(chunk.data())))
                .build());
  }
}
