package org.mezzo.master.endpoints;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.Descriptors.Descriptor;
import com.google.protobuf.Descriptors.FieldDescriptor;
import com.google.protobuf.Message;
import java.io.InputStream;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.mezzo.api.authorization.Action;
import org.mezzo.api.authorization.Authorizer;
import org.mezzo.daemon.border.Authorization;
import org.mezzo.daemon.border.Permission;
import org.mezzo.daemon.calls.ApiCall;
import org.mezzo.daemon.calls.CallDeclaration;
import org.mezzo.daemon.files.VirtualFiles;
import org.mezzo.daemon.logging.Verbosity;
import org.mezzo.daemon.loop.EventLoop;
import org.mezzo.daemon.loop.Workers;
import org.mezzo.daemon.metrics.MetricsRegistry;
import org.mezzo.flags.FlagDefinitions;
import org.mezzo.master.Master;
import org.mezzo.master.MasterFlags;
import org.mezzo.master.constraints.RegexLimits;
import org.mezzo.master.election.Leadership;
import org.mezzo.master.testing.TestAgent;
import org.mezzo.master.testing.TestCluster;
import org.mezzo.master.testing.TestScheduler;
import org.mezzo.modules.Kinds;
import org.mezzo.protocol.json.Json;
import org.mezzo.protocol.v1.CommandInfo;
import org.mezzo.protocol.v1.ExecutorID;
import org.mezzo.protocol.v1.ExecutorInfo;
import org.mezzo.protocol.v1.FrameworkID;
import org.mezzo.protocol.v1.FrameworkInfo;
import org.mezzo.protocol.v1.Offer;
import org.mezzo.protocol.v1.Resource;
import org.mezzo.protocol.v1.TaskID;
import org.mezzo.protocol.v1.TaskInfo;
import org.mezzo.protocol.v1.TaskState;
import org.mezzo.protocol.v1.Value;
import org.mezzo.protocol.v1.master.Call;
import org.mezzo.protocol.v1.scheduler.Event;

/**
 * Nothing can be added to the master that forgets to ask for permission: whatever is declared is
 * asked, and where the answer is no nothing of the cluster is shown. The names of everything that
 * is protected begin with {@code secret}.
 */
class EveryRowAsksTest {
  private static final String SECRET = "secret";

  /** What endpoints that take forms are posted, before the id of the framework. */
  private static final String FORM = "frameworkId=";

  private static final HttpClient CLIENT =
      HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();
  private static final Set<Action> ASKED = ConcurrentHashMap.newKeySet();

  /** Where files are asked about: only for paths that are attached, of which a master has none. */
  /** Asked about what is there and valid only (rule 268), which the calls made here are not. */
  private static final Set<Action> OF_RESOURCES =
      EnumSet.of(
          Action.RESERVE_RESOURCES,
          Action.UNRESERVE_RESOURCES,
          Action.CREATE_VOLUME,
          Action.DESTROY_VOLUME,
          Action.RESIZE_VOLUME);

  private static final Set<Action> OF_FILES =
      EnumSet.of(Action.ACCESS_SANDBOX, Action.ACCESS_MESOS_LOG);

  @TempDir static Path workDir;
  private static volatile boolean allow = true;
  private static TestCluster cluster;
  private static TestScheduler scheduler;
  private static MasterEndpoints rows;
  private static EventLoop loop;
  private static VirtualFiles files;
  private static Workers workers;
  private static Offer offer;

  @BeforeAll
  static void start() throws Exception {
    cluster = new TestCluster(workDir, "acls={}", "weights=secret-weight=2");
    Authorizer authorizer =
        (subject, actions) -> {
          ASKED.addAll(actions);
          return (action, object) -> allow;
        };
    cluster.modules.register(Kinds.AUTHORIZER, "local", authorizer);
    cluster.modules.awaitHolders();
    TestAgent agent = cluster.agent(5051, "cpus:4;mem:1000;disk:1000;cpus(secret-role):2");
    scheduler = TestScheduler.json(cluster.address()).subscribed(info().build());
    scheduler.accepted(launch("secret-task", nextOffer()));
    agent.await(event -> event.hasRunTask());
    scheduler.accepted(reserve(nextOffer()));
    offer = nextOffer();

    loop = new EventLoop("rows");
    files = new VirtualFiles("rows", Authorization.none());
    workers = new Workers("rows", 1);
    MasterFlags flags =
        MasterFlags.of(
            FlagDefinitions.read(Master.class.getResourceAsStream("/" + FlagDefinitions.RESOURCE))
                .parse(Map.of()));
    rows =
        new MasterEndpoints(
                (Leadership) cluster.master.cluster(),
                Authorization.none(),
                new MetricsRegistry(),
                workers)
            .scheduler(RegexLimits.DEFAULT, Optional.empty())
            .operator(
                flags.daemon(),
                flags.operator(),
                files,
                Verbosity.unchangeable(),
                loop,
                Instant.EPOCH);
  }

  @AfterAll
  static void stop() throws Exception {
    allow = true;
    scheduler.close();
    cluster.close();
    files.close();
    workers.close();
    loop.close();
  }

  private static FrameworkInfo.Builder info() {
    return TestScheduler.info("secret-role").setName("secret-name").setUser("secret-user");
  }

  private static Offer nextOffer() throws Exception {
    return scheduler.await(Event.Type.OFFERS).getOffers().getOffers(0);
  }

  private static org.mezzo.protocol.v1.scheduler.Call.Builder launch(String task, Offer on) {
    var call =
        org.mezzo.protocol.v1.scheduler.Call.newBuilder()
            .setType(org.mezzo.protocol.v1.scheduler.Call.Type.ACCEPT);
    call.getAcceptBuilder()
        .addOfferIds(on.getId())
        .addOperationsBuilder()
        .setType(Offer.Operation.Type.LAUNCH)
        .getLaunchBuilder()
        .addTaskInfos(
            TaskInfo.newBuilder()
                .setName(task)
                .setTaskId(TaskID.newBuilder().setValue(task))
                .setAgentId(on.getAgentId())
                .setExecutor(
                    ExecutorInfo.newBuilder()
                        .setExecutorId(ExecutorID.newBuilder().setValue("secret-executor"))
                        .setCommand(CommandInfo.newBuilder().setValue("true")))
                .addAllResources(
                    on.getResourcesList().stream()
                        .filter(resource -> resource.getName().equals("mem"))
                        .map(
                            resource -> {
                              var some = resource.toBuilder();
                              some.getScalarBuilder().setValue(32);
                              return some.build();
                            })
                        .toList()));
    call.getAcceptBuilder().getFiltersBuilder().setRefuseSeconds(0);
    return call;
  }

  /** An operation that its agent never answers. */
  private static org.mezzo.protocol.v1.scheduler.Call.Builder reserve(Offer on) {
    var call =
        org.mezzo.protocol.v1.scheduler.Call.newBuilder()
            .setType(org.mezzo.protocol.v1.scheduler.Call.Type.ACCEPT);
    call.getAcceptBuilder()
        .addOfferIds(on.getId())
        .addOperationsBuilder()
        .setType(Offer.Operation.Type.RESERVE)
        .getReserveBuilder()
        .addResourcesBuilder()
        .setName("disk")
        .setType(Value.Type.SCALAR)
        .setScalar(Value.Scalar.newBuilder().setValue(1))
        .addReservationsBuilder()
        .setType(Resource.ReservationInfo.Type.DYNAMIC)
        .setRole("secret-role");
    call.getAcceptBuilder().getFiltersBuilder().setRefuseSeconds(0);
    return call;
  }

  /** An answer as its client sees it; of a stream that does not end, how it begins. */
  private record Answer(int status, String body) {}

  private static Answer send(HttpRequest.Builder request) throws Exception {
    HttpResponse<InputStream> response =
        CLIENT.send(
            request.timeout(Duration.ofSeconds(60)).build(),
            HttpResponse.BodyHandlers.ofInputStream());
    try (InputStream in = response.body()) {
      boolean stream =
          response.headers().firstValue("Content-Length").isEmpty() && response.statusCode() == 200;
      if (!stream) {
        return new Answer(
            response.statusCode(), new String(in.readAllBytes(), StandardCharsets.UTF_8));
      }
      StringBuilder length = new StringBuilder();
      for (int next = in.read(); next >= '0' && next <= '9'; next = in.read()) {
        length.append((char) next);
      }
      return new Answer(
          200,
          new String(in.readNBytes(Integer.parseInt(length.toString())), StandardCharsets.UTF_8));
    }
  }

  private static HttpRequest.Builder to(String path) {
    return HttpRequest.newBuilder(
        URI.create("http://127.0.0.1:" + cluster.address().getPort() + path));
  }

  private static Answer post(String path, Message call, String... headers) throws Exception {
    HttpRequest.Builder request =
        to(path)
            .header("Content-Type", "application/json")
            .header("Accept", "application/json")
            .POST(HttpRequest.BodyPublishers.ofByteArray(Json.encode(call)));
    return send(headers.length == 0 ? request : request.headers(headers));
  }

  /** A call with what it has to carry, filled as far as it must be. */
  @SuppressWarnings("unchecked")
  private static <C extends Message> C call(C prototype, CallDeclaration<C> declaration) {
    Descriptor descriptor = prototype.getDescriptorForType();
    Message.Builder call = prototype.newBuilderForType();
    call.setField(descriptor.findFieldByName("type"), declaration.type().getValueDescriptor());
    declaration
        .message()
        .map(descriptor::findFieldByName)
        .ifPresent(field -> call.setField(field, filled(call.newBuilderForField(field))));
    return (C) call.build();
  }

  private static Message filled(Message.Builder builder) {
    if (builder instanceof FrameworkID.Builder id) {
      return id.setValue(scheduler.id).build();
    }
    for (FieldDescriptor field : builder.getDescriptorForType().getFields()) {
      if (field.isRequired()) {
        builder.setField(
            field,
            switch (field.getJavaType()) {
              case MESSAGE -> filled(builder.newBuilderForField(field));
              case STRING -> "x";
              case ENUM -> field.getEnumType().getValues().get(0);
              case INT -> 0;
              case LONG -> 0L;
              case DOUBLE -> 0.0;
              case FLOAT -> 0f;
              case BOOLEAN -> false;
              case BYTE_STRING -> com.google.protobuf.ByteString.EMPTY;
            });
      }
    }
    return builder.build();
  }

  /** What needs nobody's leave says why; of the rest nothing is seen by whom it is refused. */
  private static void check(Permission<?> permission, Ask ask) throws Exception {
    if (permission.actions().isEmpty()) {
      assertThat(permission.toString())
          .startsWith("nothing: ")
          .hasSizeGreaterThan("nothing: ".length());
      assertThat(ask.send().body).doesNotContain(SECRET);
      return;
    }
    boolean shows =
        permission.actions().stream()
            .anyMatch(
                action ->
                    action.name().startsWith("VIEW_")
                        && action != Action.VIEW_FLAGS
                        && action != Action.VIEW_MODULES);
    allow = true;
    if (shows) {
      Answer allowed = ask.send();
      assertThat(allowed.status).isEqualTo(200);
      assertThat(allowed.body).contains(SECRET);
    }
    allow = false;
    try {
      ASKED.clear();
      Answer refused = ask.send();
      if (refused.status == 403) {
        assertThat(refused.body).isEqualTo("403 Forbidden.");
      }
      assertThat(refused.body).doesNotContain(SECRET);
      Set<Action> asked = EnumSet.noneOf(Action.class);
      asked.addAll(permission.actions());
      asked.removeAll(OF_FILES);
      asked.removeAll(OF_RESOURCES);
      assertThat(ASKED).containsAll(asked);
    } finally {
      allow = true;
    }
  }

  private interface Ask {
    Answer send() throws Exception;
  }

  static Stream<String> operatorCalls() {
    return Arrays.stream(Call.Type.values())
        .filter(type -> type != Call.Type.UNKNOWN)
        .map(Enum::name);
  }

  @ParameterizedTest
  @MethodSource("operatorCalls")
  void anOperatorCallAsksAndShowsNothingWithoutLeave(String type) throws Exception {
    CallDeclaration<Call> declaration = declaration(rows.operatorCalls(), type);
    check(
        declaration.permission(),
        () -> post("/api/v1", call(Call.getDefaultInstance(), declaration)));
  }

  private static <C extends Message> CallDeclaration<C> declaration(
      List<ApiCall<C>> calls, String type) {
    return calls.stream()
        .map(ApiCall::declaration)
        .filter(declaration -> declaration.name().equals(type))
        .findFirst()
        .orElseThrow(() -> new AssertionError(type + " has no row"));
  }

  static Stream<String> paths() {
    return Stream.of(
        "/api/v1",
        "/api/v1/scheduler",
        "/state",
        "/state-summary",
        "/slaves",
        "/frameworks",
        "/tasks",
        "/roles",
        "/weights",
        "/teardown",
        "/quota",
        "/maintenance/schedule",
        "/maintenance/status",
        "/machine/down",
        "/machine/up",
        "/mezzo/frameworks/readmit",
        "/mezzo/agents",
        "/mezzo/rollouts",
        "/mezzo/rollouts/pause",
        "/mezzo/rollouts/resume",
        "/mezzo/rollouts/abort",
        "/mezzo/rollouts/rollback",
        "/reserve",
        "/unreserve",
        "/create-volumes",
        "/destroy-volumes",
        "/registrar(1)/registry",
        "/mezzo/offers/explain",
        "/allocator/offer_constraints_debug",
        "/redirect");
  }

  @Test
  void thePathsAreAllThatAMasterServesByItself() {
    assertThat(rows.endpoints().stream().map(endpoint -> endpoint.declaration().path()))
        .containsExactlyInAnyOrderElementsOf(paths().toList());
  }

  @ParameterizedTest
  @MethodSource("paths")
  void anEndpointAsksAndShowsNothingWithoutLeave(String path) throws Exception {
    var declaration =
        rows.endpoints().stream()
            .map(endpoint -> endpoint.declaration())
            .filter(one -> one.path().equals(path))
            .findFirst()
            .orElseThrow();
    assertThat(declaration.help().summary()).isNotBlank();
    check(declaration.permission(), () -> everyWay(path, declaration.methods()));
  }

  /** Asks for changes of nothing, where a path changes something, and then reads. */
  private static Answer everyWay(String path, Set<String> methods) throws Exception {
    if (path.startsWith("/machine/")) {
      Answer none = send(to(path).POST(HttpRequest.BodyPublishers.ofString("[]")));
      assertThat(none.status).isEqualTo(400);
      return none;
    }
    if (path.equals("/maintenance/schedule")) {
      Answer changed = send(to(path).POST(HttpRequest.BodyPublishers.ofString("{}")));
      assertThat(changed.status).isEqualTo(allow ? 200 : 403);
    }
    if (methods.equals(Set.of("POST"))) {
      return send(to(path).POST(HttpRequest.BodyPublishers.ofString(FORM + scheduler.id)));
    }
    if (path.equals("/weights")) {
      Answer changed = send(to(path).PUT(HttpRequest.BodyPublishers.ofString("[]")));
      assertThat(changed.status).isEqualTo(allow ? 200 : 403);
    }
    if (path.equals("/mezzo/rollouts")) {
      Answer nothing = send(to(path).POST(HttpRequest.BodyPublishers.noBody()));
      assertThat(nothing.status).isEqualTo(allow ? 400 : 403);
    }
    if (path.equals("/quota")) {
      assertThat(send(to(path + "/x").DELETE()).status).isEqualTo(400);
    }
    if (path.equals("/mezzo/offers/explain")) {
      return send(to(path + "?framework_id=" + scheduler.id + "&role=secret-role"));
    }
    return send(to(path));
  }

  static Stream<String> schedulerCalls() {
    return Arrays.stream(org.mezzo.protocol.v1.scheduler.Call.Type.values()).map(Enum::name);
  }

  @ParameterizedTest
  @MethodSource("schedulerCalls")
  void aSchedulerCallActsOnlyWithLeave(String type) throws Exception {
    var declaration = declaration(rows.schedulerCalls(), type);
    Permission<?> permission = declaration.permission();
    if (permission.actions().isEmpty()) {
      assertThat(permission.toString())
          .startsWith("nothing: ")
          .hasSizeGreaterThan("nothing: ".length());
      return;
    }
    allow = false;
    try {
      ASKED.clear();
      refused(type);
      assertThat(ASKED).containsAll(permission.actions());
    } finally {
      allow = true;
    }
  }

  private static void refused(String type) throws Exception {
    var call = org.mezzo.protocol.v1.scheduler.Call.newBuilder();
    switch (type) {
      case "SUBSCRIBE" -> {
        call.setType(org.mezzo.protocol.v1.scheduler.Call.Type.SUBSCRIBE)
            .getSubscribeBuilder()
            .setFrameworkInfo(TestScheduler.info("other"));
        Answer answer = post("/api/v1/scheduler", call.build());
        assertThat(answer.body)
            .contains("\"type\":\"ERROR\"", "Not authorized to use role 'other'");
      }
      case "UPDATE_FRAMEWORK" -> {
        call.setType(org.mezzo.protocol.v1.scheduler.Call.Type.UPDATE_FRAMEWORK)
            .getUpdateFrameworkBuilder()
            .setFrameworkInfo(
                info().setId(FrameworkID.newBuilder().setValue(scheduler.id)).addRoles("other"));
        HttpResponse<String> answer = scheduler.send(call);
        assertThat(answer.statusCode()).isEqualTo(403);
        assertThat(answer.body()).startsWith("Not authorized to use role");
      }
      case "ACCEPT" -> {
        scheduler.accepted(launch("refused", offer));
        Event update =
            scheduler.await(
                event -> event.getUpdate().getStatus().getTaskId().getValue().equals("refused"));
        assertThat(update.getUpdate().getStatus().getState()).isEqualTo(TaskState.TASK_ERROR);
      }
      default -> throw new AssertionError("Say here how " + type + " is refused");
    }
  }
}
