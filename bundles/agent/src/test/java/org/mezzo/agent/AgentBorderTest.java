package org.mezzo.agent;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import java.io.IOException;
import java.lang.reflect.Proxy;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Base64;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Predicate;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.mezzo.api.authorization.Action;
import org.mezzo.api.authorization.Authorizer;
import org.mezzo.daemon.border.Permission.Question;
import org.mezzo.daemon.logging.Verbosity;
import org.mezzo.link.messages.MasterEvent;
import org.mezzo.link.messages.RunTask;
import org.mezzo.protocol.v1.AgentID;
import org.mezzo.protocol.v1.CommandInfo;
import org.mezzo.protocol.v1.FrameworkID;
import org.mezzo.protocol.v1.FrameworkInfo;
import org.mezzo.protocol.v1.Resource;
import org.mezzo.protocol.v1.TaskID;
import org.mezzo.protocol.v1.TaskInfo;
import org.mezzo.protocol.v1.TaskState;
import org.mezzo.protocol.v1.Value;
import org.osgi.service.log.admin.LoggerContext;

/**
 * What an agent with {@code --acls} shows to whom: everything it declares, as {@code /help} lists.
 */
class AgentBorderTest extends RunningAgent {
  private static final String USER = System.getProperty("user.name");
  private static final String OUTPUT = "printed-by-the-task";
  private static final String SANDBOX = "/frameworks/f-hidden/executors/t-hidden/runs/latest";

  /** Only shown to those who may see something. */
  private static final List<String> SECRETS =
      List.of(
          "f-hidden",
          "t-hidden",
          "n-hidden",
          "r-hidden",
          OUTPUT,
          Base64.getEncoder().encodeToString((OUTPUT + "\n").getBytes(StandardCharsets.UTF_8)),
          "runtime_dir",
          "slave/cpus_total",
          "slave_cpus_total",
          "\"kind\":\"authorizer\"");

  private static final Map<String, String> QUERIES =
      Map.of(
          "/files/browse", "?path=" + SANDBOX,
          "/files/read", "?offset=0&path=" + SANDBOX + "/stdout",
          "/files/download", "?path=" + SANDBOX + "/stdout");

  private static final Map<String, String> MESSAGES =
      Map.of(
          "get_metrics",
          "{}",
          "list_files",
          "{\"path\":\"" + SANDBOX + "\"}",
          "read_file",
          "{\"path\":\"" + SANDBOX + "/stdout\",\"offset\":0}",
          "set_logging_level",
          "{\"level\":1,\"duration\":{\"nanoseconds\":3600000000000}}");

  /** Calls that do something and show nothing. */
  private static final Set<String> DOING =
      Set.of(
          "SET_LOGGING_LEVEL",
          "PRUNE_IMAGES",
          "/slave(1)/__processes__",
          "/slave(1)/containerizer/debug");

  /** Calls about containers, which have a test of their own. */
  private static final String ABOUT_CONTAINERS =
      "(LAUNCH|WAIT|KILL|REMOVE)_(NESTED_)?CONTAINER|LAUNCH_NESTED_CONTAINER_SESSION"
          + "|ATTACH_CONTAINER_(INPUT|OUTPUT)";

  /** Of no log. */
  private final Verbosity verbosity =
      new Verbosity(
          name ->
              (LoggerContext)
                  Proxy.newProxyInstance(
                      AgentBorderTest.class.getClassLoader(),
                      new Class<?>[] {LoggerContext.class},
                      (proxy, method, arguments) -> null));

  private final Set<Question> asked = ConcurrentHashMap.newKeySet();
  private volatile Predicate<Question> allows = question -> true;

  @Override
  Verbosity verbosity() {
    return verbosity;
  }

  @BeforeEach
  void open() throws Exception {
    flags.put("resources", "cpus:4;cpus(r-hidden):2;mem:4096;disk:10240;ports:[31000-32000]");
    flags.put("acls", "{}");
    modules.register(
        Authorizer.class,
        Authorizer.KIND,
        "local",
        () ->
            (subject, actions) ->
                (action, object) -> {
                  Question question = new Question(action, object);
                  asked.add(question);
                  return allows.test(question);
                });
    start();
    master.send(
        MasterEvent.newBuilder()
            .setRunTask(
                RunTask.newBuilder()
                    .setFramework(
                        FrameworkInfo.newBuilder()
                            .setId(FrameworkID.newBuilder().setValue("f-hidden"))
                            .setName("n-hidden")
                            .setUser(USER))
                    .addTasks(
                        TaskInfo.newBuilder()
                            .setName("n-hidden")
                            .setTaskId(TaskID.newBuilder().setValue("t-hidden"))
                            .setAgentId(AgentID.newBuilder().setValue("m-S0"))
                            .addResources(
                                Resource.newBuilder()
                                    .setName("cpus")
                                    .setType(Value.Type.SCALAR)
                                    .setScalar(Value.Scalar.newBuilder().setValue(0.1)))
                            .setCommand(
                                CommandInfo.newBuilder()
                                    .setShell(true)
                                    .setValue("echo " + OUTPUT + "; sleep 100")))));
    master.next(TaskState.TASK_STARTING);
    master.next(TaskState.TASK_RUNNING);
    master.send(
        MasterEvent.newBuilder()
            .setApplyOperation(
                Made.apply(
                    "a", Made.named(Made.reserve(Made.scalar("cpus", 1, "r-hidden")), "op"))));
    master.outcome();
    String read = "/files/read?offset=0&path=" + SANDBOX + "/stdout";
    while (!get(read).body().contains(OUTPUT)) {
      Thread.onSpinWait();
    }
    asked.clear();
  }

  /** Something that can be asked of the agent, as its help describes it. */
  private interface Ask {
    HttpResponse<String> now() throws Exception;
  }

  /** Everything that the agent declares and that needs somebody's leave, by name. */
  private Map<String, Ask> guarded(Set<String> reasons) throws Exception {
    Map<String, Ask> all = new LinkedHashMap<>();
    Map<?, ?> help = (Map<?, ?>) json(get("/help?format=json").body());
    for (Object process : (List<?>) help.get("processes")) {
      for (Object endpoint : (List<?>) ((Map<?, ?>) process).get("endpoints")) {
        Map<?, ?> described = (Map<?, ?>) endpoint;
        String path = (String) described.get("path");
        String full = path + QUERIES.getOrDefault(path, "");
        add(all, reasons, path, described, () -> get(full));
        if (described.get("calls") instanceof List<?> calls) {
          for (Object call : calls) {
            Map<?, ?> one = (Map<?, ?>) call;
            String type = (String) one.get("type");
            if (type.matches(ABOUT_CONTAINERS)) {
              continue;
            }
            String message = (String) one.get("message");
            String body =
                "{\"type\":\""
                    + type
                    + "\""
                    + (message == null
                        ? ""
                        : ",\"" + message + "\":" + MESSAGES.getOrDefault(message, "{}"))
                    + "}";
            add(all, reasons, type, one, () -> call(body));
          }
        }
      }
    }
    return all;
  }

  private static void add(
      Map<String, Ask> all, Set<String> reasons, String name, Map<?, ?> described, Ask ask) {
    String authorization = (String) described.get("authorization");
    if (authorization.startsWith("nothing: ")) {
      reasons.add(name + authorization.substring("nothing".length()));
    } else {
      all.put(name, ask);
    }
  }

  @Test
  void whoMayNothingIsShownNothing() throws Exception {
    Set<String> reasons = new HashSet<>();
    Map<String, Ask> guarded = guarded(reasons);
    assertThat(guarded.keySet())
        .contains("/slave(1)/state", "/slave(1)/containers", "/slave(1)/monitor/statistics")
        .contains("/slave(1)/flags", "/files/read", "/files/browse", "/files/download")
        .contains("GET_FLAGS", "GET_STATE", "GET_TASKS", "GET_EXECUTORS", "GET_FRAMEWORKS")
        .contains(
            "GET_CONTAINERS", "GET_OPERATIONS", "LIST_FILES", "READ_FILE", "SET_LOGGING_LEVEL");
    assertThat(reasons)
        .allMatch(reason -> reason.matches("[^:]+: .{5,}"))
        .anyMatch(reason -> reason.startsWith("/slave(1)/health: "))
        .anyMatch(reason -> reason.startsWith("GET_HEALTH: "));
    for (Map.Entry<String, Ask> one : guarded.entrySet()) {
      allows = question -> true;
      var shown = one.getValue().now();
      assertThat(shown.statusCode()).as(one.getKey()).isEqualTo(200);
      if (!DOING.contains(one.getKey())) {
        assertThat(SECRETS).as(one.getKey()).anyMatch(shown.body()::contains);
      }
      allows = question -> false;
      var refused = one.getValue().now();
      assertThat(refused.statusCode()).as(one.getKey()).isIn(200, 403);
      assertThat(SECRETS).as(one.getKey()).noneMatch(refused.body()::contains);
    }
  }

  @Test
  void setsTheVerbosityOfTheLogForThoseWhoMay() throws Exception {
    String set =
        "{\"type\":\"SET_LOGGING_LEVEL\",\"set_logging_level\":"
            + MESSAGES.get("set_logging_level")
            + "}";
    allows = question -> question.action() != Action.SET_LOG_LEVEL;
    assertThat(call(set).statusCode()).isEqualTo(403);
    assertThat(verbosity.level()).isZero();
    allows = question -> true;
    var done = call(set);
    assertThat(done.statusCode()).isEqualTo(200);
    assertThat(done.body()).isEmpty();
    assertThat(call("{\"type\":\"GET_LOGGING_LEVEL\"}").body())
        .isEqualTo("{\"type\":\"GET_LOGGING_LEVEL\",\"get_logging_level\":{\"level\":1}}");
    var wrong = call(set.replace("\"level\":1", "\"level\":4"));
    assertThat(wrong.statusCode()).isEqualTo(400);
    assertThat(wrong.body())
        .isEqualTo("Failed to validate agent::Call: Invalid level '4': write a number from 0 to 3");
    assertThat(verbosity.level()).isEqualTo(1);
  }

  @Test
  void prunesImagesOfWhichThereAreNoneForThoseWhoMay() throws Exception {
    String prune = "{\"type\":\"PRUNE_IMAGES\"}";
    allows = question -> question.action() != Action.PRUNE_IMAGES;
    assertThat(call(prune).statusCode()).isEqualTo(403);
    allows = question -> true;
    assertThat(call(prune).statusCode()).isEqualTo(200);
    assertThat(call(prune).body()).isEmpty();
  }

  @Test
  void asksAboutWhatIsToBeShown() throws Exception {
    for (Ask one : guarded(new HashSet<>()).values()) {
      one.now();
    }
    for (Action action :
        List.of(
            Action.VIEW_FRAMEWORK,
            Action.VIEW_EXECUTOR,
            Action.VIEW_TASK,
            Action.VIEW_CONTAINER,
            Action.ACCESS_SANDBOX)) {
      assertThat(objects(action)).as(action.name()).containsExactly(Optional.of(USER));
    }
    assertThat(objects(Action.VIEW_ROLE)).containsExactly(Optional.of("r-hidden"));
    assertThat(objects(Action.VIEW_FLAGS)).containsExactly(Optional.empty());
    assertThat(objects(Action.GET_ENDPOINT_WITH_PATH))
        .containsExactlyInAnyOrder(
            Optional.of("/containers"),
            Optional.of("/containerizer/debug"),
            Optional.of("/monitor/statistics"),
            Optional.of("/metrics/snapshot"),
            Optional.of("/files/debug"),
            Optional.of("/mezzo/modules"));
  }

  private Set<Optional<String>> objects(Action action) {
    Set<Optional<String>> objects = new HashSet<>();
    asked.stream()
        .filter(it -> it.action() == action)
        .forEach(it -> objects.add(it.object().value()));
    return objects;
  }

  @Test
  void leavesOutWhatMayNotBeSeenAndKeepsTheRest() throws Exception {
    allows = question -> question.action() != Action.VIEW_TASK;
    assertThat(get("/state").body())
        .contains("\"flags\":{")
        .contains("\"executors\":[{\"id\":\"t-hidden\"")
        .contains("\"tasks\":[]")
        .containsPattern("\"unreserved_resources_allocated\":\\{[^}]*\"cpus\":0.1");
    assertThat(call("{\"type\":\"GET_TASKS\"}").body()).doesNotContain("t-hidden");
    assertThat(call("{\"type\":\"GET_EXECUTORS\"}").body()).contains("t-hidden");
    allows = question -> question.action() != Action.VIEW_EXECUTOR;
    assertThat(get("/state").body()).contains("\"id\":\"f-hidden\"", "\"executors\":[]");
    assertThat(call("{\"type\":\"GET_TASKS\"}").body()).doesNotContain("t-hidden");
    allows = question -> question.action() != Action.VIEW_FLAGS;
    assertThat(get("/state").body()).contains("t-hidden").doesNotContain("\"flags\"");
    var flags = call("{\"type\":\"GET_FLAGS\"}");
    assertThat(flags.statusCode()).isEqualTo(403);
    assertThat(flags.body()).isEqualTo("403 Forbidden.");
    assertThat(get("/state").body())
        .contains("\"reserved_resources\":{\"r-hidden\":{")
        .contains("\"reserved_resources_full\":{\"r-hidden\":[");
    allows = question -> question.action() != Action.VIEW_ROLE;
    assertThat(get("/state").body())
        .contains("t-hidden")
        .contains("\"reserved_resources\":{}")
        .contains("\"reserved_resources_full\":{}");
    allows = question -> question.action() != Action.VIEW_CONTAINER;
    assertThat(get("/containers").body()).isEqualTo("[]");
    assertThat(get("/monitor/statistics").body()).isEqualTo("[]");
    assertThat(get("/state").body()).contains("t-hidden");
    allows = question -> question.action() != Action.ACCESS_SANDBOX;
    assertThat(get("/files/download?path=" + SANDBOX + "/stdout").statusCode()).isEqualTo(403);
    assertThat(get("/files/read?offset=0&path=" + folder.resolve("work")).statusCode())
        .isEqualTo(404);
  }

  private static Object json(String text) throws IOException {
    try (JsonParser parser = new JsonFactory().createParser(text)) {
      parser.nextToken();
      return value(parser);
    }
  }

  private static Object value(JsonParser parser) throws IOException {
    if (parser.currentToken() == JsonToken.START_OBJECT) {
      Map<String, Object> object = new LinkedHashMap<>();
      while (parser.nextToken() != JsonToken.END_OBJECT) {
        String name = parser.currentName();
        parser.nextToken();
        object.put(name, value(parser));
      }
      return object;
    }
    if (parser.currentToken() == JsonToken.START_ARRAY) {
      List<Object> array = new ArrayList<>();
      while (parser.nextToken() != JsonToken.END_ARRAY) {
        array.add(value(parser));
      }
      return array;
    }
    return parser.getText();
  }
}
