package org.mezzo.master.operator;

import static org.assertj.core.api.Assertions.assertThat;

import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.mezzo.api.authorization.Action;
import org.mezzo.api.authorization.Authorizer;
import org.mezzo.daemon.border.Permission.Question;
import org.mezzo.fixtures.Await;
import org.mezzo.master.state.Framework;
import org.mezzo.master.testing.TestAgent;
import org.mezzo.master.testing.TestCluster;
import org.mezzo.master.testing.TestScheduler;
import org.mezzo.modules.Kinds;
import org.mezzo.protocol.v1.CommandInfo;
import org.mezzo.protocol.v1.FrameworkID;
import org.mezzo.protocol.v1.FrameworkInfo;
import org.mezzo.protocol.v1.Offer;
import org.mezzo.protocol.v1.TaskID;
import org.mezzo.protocol.v1.TaskInfo;
import org.mezzo.protocol.v1.TaskState;
import org.mezzo.protocol.v1.master.Call;
import org.mezzo.protocol.v1.scheduler.Event;

/** An operator ends frameworks, by call and by form. */
@Timeout(60)
class TeardownTest {
  private static final HttpClient CLIENT = HttpClient.newHttpClient();
  private static final String FORM = "application/x-www-form-urlencoded";
  private static final FrameworkInfo INFO =
      TestScheduler.info("test").setPrincipal("some-framework").setFailoverTimeout(3600).build();

  @TempDir Path workDir;
  private final Set<Question> asked = ConcurrentHashMap.newKeySet();
  private volatile boolean allow = true;
  private TestCluster cluster;
  private TestScheduler scheduler;

  @BeforeEach
  void start() throws Exception {
    cluster = new TestCluster(workDir, "acls={}");
    Authorizer authorizer =
        (subject, actions) ->
            (action, object) -> {
              asked.add(new Question(action, object));
              return allow;
            };
    cluster.modules.register(Kinds.AUTHORIZER, "local", authorizer);
    cluster.modules.awaitHolders();
    scheduler = TestScheduler.json(cluster.address()).subscribed(INFO);
    asked.clear();
  }

  @AfterEach
  void stop() throws Exception {
    scheduler.close();
    cluster.close();
  }

  private HttpResponse<String> post(String path, String contentType, byte[] body) throws Exception {
    return CLIENT.send(
        HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + cluster.address().getPort() + path))
            .timeout(Duration.ofSeconds(60))
            .header("Content-Type", contentType)
            .POST(HttpRequest.BodyPublishers.ofByteArray(body))
            .build(),
        HttpResponse.BodyHandlers.ofString());
  }

  private HttpResponse<String> post(String path, String contentType, String body) throws Exception {
    return post(path, contentType, body.getBytes(StandardCharsets.UTF_8));
  }

  private static String call(String frameworkId) {
    return "{\"type\":\"TEARDOWN\",\"teardown\":{\"framework_id\":{\"value\":\""
        + frameworkId
        + "\"}}}";
  }

  private void gone() {
    assertThat(cluster.state().frameworks()).isEmpty();
    assertThat(cluster.state().completedFrameworks().stream().map(Framework::id))
        .containsExactly(scheduler.id);
  }

  @Test
  void aFrameworkEndsWithItsTasks() throws Exception {
    TestAgent agent = cluster.agent(5051, "cpus:4;mem:1000;disk:1000");
    Offer offer = scheduler.await(Event.Type.OFFERS).getOffers().getOffers(0);
    var launch =
        org.mezzo.protocol.v1.scheduler.Call.newBuilder()
            .setType(org.mezzo.protocol.v1.scheduler.Call.Type.ACCEPT);
    launch
        .getAcceptBuilder()
        .addOfferIds(offer.getId())
        .addOperationsBuilder()
        .setType(Offer.Operation.Type.LAUNCH)
        .getLaunchBuilder()
        .addTaskInfos(
            TaskInfo.newBuilder()
                .setName("t")
                .setTaskId(TaskID.newBuilder().setValue("t"))
                .setAgentId(offer.getAgentId())
                .setCommand(CommandInfo.newBuilder().setValue("true"))
                .addAllResources(offer.getResourcesList()));
    scheduler.accepted(launch);
    agent.await(event -> event.hasRunTask());

    HttpResponse<String> answer = post("/api/v1", "application/json", call(scheduler.id));
    assertThat(answer.statusCode()).isEqualTo(200);
    assertThat(answer.body()).isEmpty();
    gone();
    assertThat(cluster.state().completedFrameworks().iterator().next().completedTasks())
        .allMatch(task -> task.state() == TaskState.TASK_KILLED)
        .hasSize(1);
    agent.await(
        event -> event.getShutdownFramework().getFrameworkId().getValue().equals(scheduler.id));
    Await.until("the stream ends", scheduler::ended);
    HttpResponse<String> again = post("/api/v1", "application/json", call(scheduler.id));
    assertThat(again.statusCode()).isEqualTo(400);
    assertThat(again.body()).isEqualTo("No framework found with specified ID");
  }

  @Test
  void aCallInProtobufEndsAFrameworkThatIsNotConnected() throws Exception {
    scheduler.close();
    Await.until(
        "the master notices", () -> !cluster.state().frameworks().get(scheduler.id).connected());
    Call.Builder call = Call.newBuilder().setType(Call.Type.TEARDOWN);
    call.getTeardownBuilder().setFrameworkId(FrameworkID.newBuilder().setValue(scheduler.id));
    assertThat(post("/api/v1", "application/x-protobuf", call.build().toByteArray()).statusCode())
        .isEqualTo(200);
    gone();
  }

  @Test
  void aFormDoesTheSame() throws Exception {
    HttpResponse<String> answer = post("/master/teardown", FORM, "frameworkId=" + scheduler.id);
    assertThat(answer.statusCode()).isEqualTo(200);
    assertThat(answer.body()).isEmpty();
    gone();
    Await.until("the stream ends", scheduler::ended);
  }

  @Test
  void leaveIsAskedAboutTheFramework() throws Exception {
    allow = false;
    for (HttpResponse<String> answer :
        List.of(
            post("/api/v1", "application/json", call(scheduler.id)),
            post("/teardown", FORM, "frameworkId=" + scheduler.id))) {
      assertThat(answer.statusCode()).isEqualTo(403);
      assertThat(answer.body()).isEqualTo("403 Forbidden.");
    }
    assertThat(cluster.state().frameworks()).containsOnlyKeys(scheduler.id);
    assertThat(asked)
        .singleElement()
        .satisfies(
            question -> {
              assertThat(question.action()).isEqualTo(Action.TEARDOWN_FRAMEWORK);
              assertThat(question.object().value()).isEqualTo(Optional.of("some-framework"));
              assertThat(question.object().frameworkInfo().orElseThrow().getId().getValue())
                  .isEqualTo(scheduler.id);
            });
  }

  @Test
  void whoWasRemovedSubscribesAgainWhenAnOperatorAllowsIt() throws Exception {
    String body = "frameworkId=" + scheduler.id;
    String path = "/master/mezzo/frameworks/readmit";
    HttpResponse<String> early = post(path, FORM, body);
    assertThat(early.statusCode()).isEqualTo(400);
    assertThat(early.body())
        .isEqualTo(
            "Framework %s has not been removed: nothing keeps it from subscribing", scheduler.id);
    assertThat(post("/teardown", FORM, body).statusCode()).isEqualTo(200);
    FrameworkInfo again =
        INFO.toBuilder().setId(FrameworkID.newBuilder().setValue(scheduler.id)).build();
    try (TestScheduler locked = TestScheduler.json(cluster.address()).subscribe(again)) {
      assertThat(locked.next(Event.Type.ERROR).getError().getMessage())
          .startsWith("Framework has been removed: " + scheduler.id + " was removed at ")
          .contains("by TEARDOWN of an operator", body + " to /mezzo/frameworks/readmit");
    }

    allow = false;
    asked.clear();
    assertThat(post(path, FORM, body).statusCode()).isEqualTo(403);
    assertThat(asked)
        .singleElement()
        .satisfies(
            question ->
                assertThat(question.object().value()).isEqualTo(Optional.of("some-framework")));
    allow = true;
    assertThat(post(path, FORM, body).statusCode()).isEqualTo(200);
    assertThat(post(path, FORM, body).statusCode()).isEqualTo(200);
    try (TestScheduler back = TestScheduler.json(cluster.address()).subscribed(again)) {
      assertThat(back.id).isEqualTo(scheduler.id);
      assertThat(cluster.state().completedFrameworks()).isEmpty();
    }
    HttpResponse<String> other = post(path, FORM, "frameworkId=other");
    assertThat(other.statusCode()).isEqualTo(400);
    assertThat(other.body()).startsWith("No removed framework 'other' is remembered (the last 50");
    assertThat(post("/mezzo/frameworks/readmit", FORM, "").statusCode()).isEqualTo(400);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = ';',
      quoteCharacter = '`',
      value = {
        "/api/v1;application/json;{\"type\":\"TEARDOWN\"};"
            + "Failed to validate master::Call: Expecting 'teardown' to be present",
        "/api/v1;application/json;{\"type\":\"TEARDOWN\",\"teardown\":{}};Failed to convert JSON"
            + " into Call protobuf: Missing required fields: teardown.framework_id",
        "/api/v1;application/json;"
            + "{\"type\":\"TEARDOWN\",\"teardown\":{\"framework_id\":{\"value\":\"other\"}}};"
            + "No framework found with specified ID",
        "/teardown;" + FORM + ";``;Missing 'frameworkId' query parameter in the request body",
        "/teardown;" + FORM + ";frameworkId=;No framework found with specified ID",
        "/teardown;" + FORM + ";frameworkId=other;No framework found with specified ID",
        "/teardown;"
            + FORM
            + ";frameworkId=%;Unable to decode query string: URLDecoder: "
            + "Incomplete trailing escape (%) pattern",
        "/teardown?frameworkId=x;"
            + FORM
            + ";other=x;"
            + "Missing 'frameworkId' query parameter in the request body"
      })
  void saysWhatIsWrong(String path, String contentType, String body, String message)
      throws Exception {
    HttpResponse<String> answer = post(path, contentType, body);
    assertThat(answer.statusCode()).isEqualTo(400);
    assertThat(answer.body()).isEqualTo(message);
    assertThat(cluster.state().frameworks()).containsOnlyKeys(scheduler.id);
  }
}
