package org.mezzo.master.endpoints;

import static org.assertj.core.api.Assertions.assertThat;

import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.mezzo.api.authorization.Action;
import org.mezzo.api.authorization.Authorizer;
import org.mezzo.master.testing.TestAgent;
import org.mezzo.master.testing.TestCluster;
import org.mezzo.master.testing.TestScheduler;
import org.mezzo.modules.Kinds;
import org.mezzo.protocol.v1.CommandInfo;
import org.mezzo.protocol.v1.ExecutorID;
import org.mezzo.protocol.v1.ExecutorInfo;
import org.mezzo.protocol.v1.Offer;
import org.mezzo.protocol.v1.Resource;
import org.mezzo.protocol.v1.TaskID;
import org.mezzo.protocol.v1.TaskInfo;
import org.mezzo.protocol.v1.scheduler.Call;
import org.mezzo.protocol.v1.scheduler.Event;

/** Tasks and executors are seen by whoever may see those of the user that they run as. */
class TasksOfUsersTest {
  private static final HttpClient CLIENT = HttpClient.newHttpClient();

  @TempDir Path workDir;

  /** Users of whose tasks, or executors, nothing may be seen. */
  private final Set<String> hidden = ConcurrentHashMap.newKeySet();

  private final Authorizer authorizer =
      (subject, actions) ->
          (action, object) ->
              (action != Action.VIEW_TASK && action != Action.VIEW_EXECUTOR)
                  || !hidden.contains(action + " " + object.value().orElse(""));

  private TestCluster cluster() throws Exception {
    TestCluster cluster = new TestCluster(workDir, "acls={}");
    cluster.modules.register(Kinds.AUTHORIZER, "local", authorizer);
    cluster.modules.awaitHolders();
    return cluster;
  }

  private static TaskInfo.Builder task(String id, Offer on) {
    List<Resource> resources =
        on.getResourcesList().stream()
            .filter(resource -> resource.getName().equals("mem"))
            .map(
                resource -> {
                  Resource.Builder some = resource.toBuilder();
                  some.getScalarBuilder().setValue(32);
                  return some.build();
                })
            .toList();
    return TaskInfo.newBuilder()
        .setName(id)
        .setTaskId(TaskID.newBuilder().setValue(id))
        .setAgentId(on.getAgentId())
        .addAllResources(resources);
  }

  /** One task of the framework's user, one of another, one of an executor of a third. */
  private static void launch(TestCluster cluster, TestScheduler scheduler) throws Exception {
    TestAgent agent = cluster.agent(5051, "cpus:4;mem:1000;disk:1000");
    scheduler.subscribed(TestScheduler.info("r").setUser("fay").build());
    Offer on = scheduler.await(Event.Type.OFFERS).getOffers().getOffers(0);
    CommandInfo command = CommandInfo.newBuilder().setValue("true").build();
    Call.Builder call = Call.newBuilder().setType(Call.Type.ACCEPT);
    call.getAcceptBuilder()
        .addOfferIds(on.getId())
        .addOperationsBuilder()
        .setType(Offer.Operation.Type.LAUNCH)
        .getLaunchBuilder()
        .addTaskInfos(task("task-of-fay", on).setCommand(command))
        .addTaskInfos(task("task-of-gus", on).setCommand(command.toBuilder().setUser("gus")))
        .addTaskInfos(
            task("task-of-hal", on)
                .setExecutor(
                    ExecutorInfo.newBuilder()
                        .setExecutorId(ExecutorID.newBuilder().setValue("executor-of-hal"))
                        .addAllResources(task("", on).getResourcesList())
                        .setCommand(command.toBuilder().setUser("hal"))));
    scheduler.accepted(call);
    for (int i = 0; i < 3; i++) {
      agent.await(event -> event.hasRunTask());
    }
  }

  private static String get(TestCluster cluster, String path) throws Exception {
    return send(HttpRequest.newBuilder(uri(cluster, path)));
  }

  private static String call(TestCluster cluster, String type) throws Exception {
    return send(
        HttpRequest.newBuilder(uri(cluster, "/api/v1"))
            .header("Content-Type", "application/json")
            .header("Accept", "application/json")
            .POST(HttpRequest.BodyPublishers.ofString("{\"type\":\"" + type + "\"}")));
  }

  private static URI uri(TestCluster cluster, String path) {
    return URI.create("http://127.0.0.1:" + cluster.address().getPort() + path);
  }

  private static String send(HttpRequest.Builder request) throws Exception {
    HttpResponse<String> answer =
        CLIENT.send(request.build(), HttpResponse.BodyHandlers.ofString());
    assertThat(answer.statusCode()).as(answer.body()).isEqualTo(200);
    return answer.body();
  }

  @ParameterizedTest
  @ValueSource(strings = {"/state", "/tasks", "/frameworks", "GET_TASKS", "GET_STATE"})
  void ofATaskItsOwnUserCounts(String place) throws Exception {
    try (TestCluster cluster = cluster();
        TestScheduler scheduler = TestScheduler.json(cluster.address())) {
      launch(cluster, scheduler);
      assertThat(shown(cluster, place)).contains("task-of-fay", "task-of-gus", "task-of-hal");
      hidden.add("VIEW_TASK gus");
      assertThat(shown(cluster, place))
          .contains("task-of-fay", "task-of-hal")
          .doesNotContain("task-of-gus");
      hidden.clear();
      hidden.add("VIEW_TASK fay");
      assertThat(shown(cluster, place))
          .contains("task-of-gus", "task-of-hal")
          .doesNotContain("task-of-fay");
      hidden.add("VIEW_TASK hal");
      assertThat(shown(cluster, place)).doesNotContain("task-of-hal");
    }
  }

  @Test
  void ofAnExecutorTheUserOfItsCommandCounts() throws Exception {
    try (TestCluster cluster = cluster();
        TestScheduler scheduler = TestScheduler.json(cluster.address())) {
      launch(cluster, scheduler);
      hidden.add("VIEW_TASK hal");
      hidden.add("VIEW_EXECUTOR fay");
      for (String place : List.of("/state", "GET_EXECUTORS", "GET_STATE")) {
        assertThat(shown(cluster, place)).as(place).contains("executor-of-hal");
      }
      hidden.add("VIEW_EXECUTOR hal");
      for (String place : List.of("/state", "GET_EXECUTORS", "GET_STATE")) {
        assertThat(shown(cluster, place)).as(place).doesNotContain("executor-of-hal");
      }
    }
  }

  private static String shown(TestCluster cluster, String place) throws Exception {
    return place.startsWith("/") ? get(cluster, place) : call(cluster, place);
  }
}
