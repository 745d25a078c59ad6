package org.mezzo.master.endpoints;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.net.httpserver.HttpServer;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.mezzo.api.authorization.Action;
import org.mezzo.api.authorization.Authorizer;
import org.mezzo.daemon.border.Permission.Question;
import org.mezzo.fixtures.Await;
import org.mezzo.master.testing.TestAgent;
import org.mezzo.master.testing.TestCluster;
import org.mezzo.master.testing.TestScheduler;
import org.mezzo.modules.Kinds;
import org.mezzo.protocol.v1.CommandInfo;
import org.mezzo.protocol.v1.Offer;
import org.mezzo.protocol.v1.TaskID;
import org.mezzo.protocol.v1.TaskInfo;
import org.mezzo.protocol.v1.scheduler.Call;
import org.mezzo.protocol.v1.scheduler.Event;

/** Files of agents by way of the master: which agent is asked for what, and who may. */
@Timeout(60)
class AgentFilesTest {
  @TempDir Path workDir;
  private final Set<Question> asked = ConcurrentHashMap.newKeySet();
  private volatile boolean allow = true;
  private HttpServer files;
  private TestCluster cluster;
  private TestAgent agent;

  @BeforeEach
  void start() throws Exception {
    files = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    files.createContext(
        "/",
        exchange -> {
          byte[] body = exchange.getRequestURI().toString().getBytes(StandardCharsets.UTF_8);
          exchange.sendResponseHeaders(200, body.length);
          exchange.getResponseBody().write(body);
          exchange.close();
        });
    files.start();
    cluster = new TestCluster(workDir, "acls={}");
    Authorizer authorizer =
        (subject, actions) ->
            (action, object) -> {
              asked.add(new Question(action, object));
              return allow;
            };
    cluster.modules.register(Kinds.AUTHORIZER, "local", authorizer);
    cluster.modules.awaitHolders();
    agent = cluster.agent(files.getAddress().getPort(), "cpus:4;mem:1000;disk:1000");
  }

  @AfterEach
  void stop() throws Exception {
    cluster.close();
    files.stop(0);
  }

  private HttpResponse<String> get(String path) throws Exception {
    return HttpClient.newHttpClient()
        .send(
            HttpRequest.newBuilder(
                    URI.create("http://127.0.0.1:" + cluster.address().getPort() + path))
                .build(),
            HttpResponse.BodyHandlers.ofString());
  }

  private String of(String agentId, String rest) {
    return "/master/mezzo/agents/" + agentId + "/files/" + rest;
  }

  @Test
  void theAgentIsAskedForNothingButItsFiles() throws Exception {
    HttpResponse<String> read = get(of(agent.id, "read?path=/a%20b%26c&offset=3&other=x"));
    assertThat(read.statusCode()).isEqualTo(200);
    assertThat(read.body()).isEqualTo("/files/read?path=%2Fa+b%26c&offset=3");
    assertThat(get(of(agent.id, "debug?path=/x")).statusCode()).isEqualTo(404);
    assertThat(get(of(agent.id, "../api/v1?path=/x")).statusCode()).isNotEqualTo(200);
    assertThat(get(of(agent.id, "browse")).statusCode()).isEqualTo(400);
    assertThat(get(of(agent.id, "browse?path=/a/../b")).body()).contains("'..'");
  }

  @Test
  void anAgentThatIsNotThereIsNamed() throws Exception {
    HttpResponse<String> unknown = get(of("nobody", "browse?path=/"));
    assertThat(unknown.statusCode()).isEqualTo(404);
    assertThat(unknown.body()).isEqualTo("No agent 'nobody' is registered: see /slaves");
    agent.disconnect();
    Await.until(() -> !cluster.state().agents().get(agent.id).connected());
    HttpResponse<String> lost = get(of(agent.id, "browse?path=/"));
    assertThat(lost.statusCode()).isEqualTo(503);
    assertThat(lost.body()).contains(agent.id + " is not connected");
  }

  /** What is not known to be somebody's takes leave for everything. */
  @Test
  void leaveIsAskedAboutTheUserInTheSandbox() throws Exception {
    try (TestScheduler scheduler =
        TestScheduler.json(cluster.address()).subscribed(TestScheduler.info("anna").build())) {
      Offer offer = scheduler.await(Event.Type.OFFERS).getOffers().getOffers(0);
      Call.Builder launch = Call.newBuilder().setType(Call.Type.ACCEPT);
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
                  .setCommand(CommandInfo.newBuilder().setValue("true").setUser("web"))
                  .addAllResources(offer.getResourcesList()));
      scheduler.accepted(launch);
      agent.await(event -> event.hasRunTask());
      String sandbox = "/frameworks/" + scheduler.id + "/executors/t/runs/latest";
      asked.clear();
      assertThat(get(of(agent.id, "browse?path=" + sandbox)).statusCode()).isEqualTo(200);
      assertThat(get(of(agent.id, "read?path=/x" + sandbox + "/stdout")).statusCode())
          .isEqualTo(200);
      assertThat(asked)
          .allSatisfy(
              question -> {
                assertThat(question.action()).isEqualTo(Action.ACCESS_SANDBOX);
                assertThat(question.object().value()).isEqualTo(Optional.of("web"));
              })
          .isNotEmpty();
      for (String path :
          List.of("/frameworks/x/executors/t/runs/latest", "/frameworks", "/slave")) {
        asked.clear();
        get(of(agent.id, "browse?path=" + path));
        assertThat(asked)
            .singleElement()
            .satisfies(question -> assertThat(question.object().value()).isEmpty());
      }
      asked.clear();
      get(of(agent.id, "read?path=/slave/log"));
      assertThat(asked).extracting(Question::action).containsExactly(Action.ACCESS_MESOS_LOG);
      allow = false;
      HttpResponse<String> refused = get(of(agent.id, "browse?path=" + sandbox));
      assertThat(refused.statusCode()).isEqualTo(403);
      assertThat(get(of("nobody", "browse?path=/")).statusCode()).isEqualTo(403);
    }
  }
}
