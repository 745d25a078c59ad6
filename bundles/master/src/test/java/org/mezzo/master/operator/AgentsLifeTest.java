package org.mezzo.master.operator;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.Locale;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.mezzo.api.authorization.Action;
import org.mezzo.api.authorization.Authorizer;
import org.mezzo.fixtures.Await;
import org.mezzo.link.messages.MasterEvent;
import org.mezzo.master.testing.Operator;
import org.mezzo.master.testing.TestAgent;
import org.mezzo.master.testing.TestCluster;
import org.mezzo.master.testing.TestScheduler;
import org.mezzo.modules.Kinds;
import org.mezzo.protocol.v1.CommandInfo;
import org.mezzo.protocol.v1.DrainState;
import org.mezzo.protocol.v1.FrameworkID;
import org.mezzo.protocol.v1.Offer;
import org.mezzo.protocol.v1.TaskID;
import org.mezzo.protocol.v1.TaskInfo;
import org.mezzo.protocol.v1.TaskState;
import org.mezzo.protocol.v1.master.Call;
import org.mezzo.protocol.v1.master.Response;
import org.mezzo.protocol.v1.scheduler.Event;

/**
 * Deactivation, drain and the end of agents as operators order and see them (rules 152, 247 on).
 */
class AgentsLifeTest {
  @TempDir Path workDir;

  private static String about(String type, String agentId, String more) {
    return "{\"type\":\""
        + type
        + "\",\""
        + type.toLowerCase(Locale.ROOT)
        + "\":{\"agent_id\":{\"value\":\""
        + agentId
        + "\"}"
        + more
        + "}}";
  }

  private static Response.GetAgents.Agent shown(Operator operator) throws Exception {
    return Response.parseFrom(
            operator.call(Call.newBuilder().setType(Call.Type.GET_AGENTS).build()).body())
        .getGetAgents()
        .getAgents(0);
  }

  private static void failOver(TestCluster cluster) throws Exception {
    cluster.coordination.depose();
    Await.until(() -> cluster.master.cluster().state().isEmpty());
    cluster.coordination.elect();
    Await.until(() -> cluster.master.cluster().state().isPresent());
  }

  private static TestScheduler back(TestCluster cluster, TestScheduler before) throws Exception {
    FrameworkID id = FrameworkID.newBuilder().setValue(before.id).build();
    return TestScheduler.json(cluster.address())
        .subscribed(TestScheduler.info("a").setId(id).build());
  }

  @Test
  void aDeactivatedAgentIsNotOfferedUntilItIsReactivatedAlsoByAnotherLeader() throws Exception {
    try (TestCluster cluster = new TestCluster(workDir);
        TestScheduler scheduler =
            TestScheduler.json(cluster.address()).subscribed(TestScheduler.info("a").build())) {
      TestAgent agent = cluster.agent(5051, "cpus:400;mem:1000");
      Operator operator = new Operator(cluster);
      Offer offer = scheduler.await(Event.Type.OFFERS).getOffers().getOffers(0);
      assertThat(operator.call(about("DEACTIVATE_AGENT", "nope", "")))
          .isEqualTo("400 Unknown agent");
      assertThat(operator.call(about("REACTIVATE_AGENT", agent.id, "")))
          .isEqualTo("400 Agent is not deactivated");

      assertThat(operator.call(about("DEACTIVATE_AGENT", agent.id, ""))).isEqualTo("200");
      assertThat(scheduler.await(Event.Type.RESCIND).getRescind().getOfferId())
          .isEqualTo(offer.getId());
      assertThat(shown(operator).getActive()).isFalse();
      assertThat(shown(operator).getDeactivated()).isTrue();
      for (String path : new String[] {"/slaves", "/state"}) {
        assertThat(operator.request("GET", path, ""))
            .contains("\"active\":false,\"deactivated\":true")
            .doesNotContain("drain_info");
      }
      assertThat(operator.request("GET", "/registrar(1)/registry", ""))
          .contains("\"deactivated\":true");

      failOver(cluster);
      agent.connect(cluster.links).reregister();
      TestScheduler again = back(cluster, scheduler);
      assertThat(shown(operator).getDeactivated()).isTrue();
      assertThat(again.events).isEmpty();
      assertThat(operator.call(about("REACTIVATE_AGENT", agent.id, ""))).isEqualTo("200");
      again.next(Event.Type.OFFERS);
      assertThat(shown(operator).getActive()).isTrue();
      again.close();
    }
  }

  @Test
  void aDrainEndsTasksThenTheAgentAndOutlivesTheLeader() throws Exception {
    try (TestCluster cluster = new TestCluster(workDir);
        TestScheduler scheduler =
            TestScheduler.json(cluster.address()).subscribed(TestScheduler.info("a").build())) {
      TestAgent agent = cluster.agent(5051, "cpus:400;mem:1000");
      Operator operator = new Operator(cluster);
      launch(scheduler, "t");
      agent.await(MasterEvent::hasRunTask);

      assertThat(operator.call(about("DRAIN_AGENT", agent.id, ",\"max_grace_period\":\"2secs\"")))
          .isEqualTo(
              "400 Failed to convert JSON into Call protobuf: Not expecting a JSON string for field"
                  + " 'max_grace_period'");
      assertThat(
              operator.call(
                  about("DRAIN_AGENT", agent.id, ",\"max_grace_period\":{\"seconds\":-1}")))
          .isEqualTo(
              "400 Failed to validate master::Call: Expecting 'max_grace_period' to be"
                  + " non-negative");
      assertThat(
              operator.call(
                  about("DRAIN_AGENT", agent.id, ",\"max_grace_period\":{\"seconds\":2}")))
          .isEqualTo("200");
      assertThat(
              agent
                  .await(MasterEvent::hasDrain)
                  .getDrain()
                  .getConfig()
                  .getMaxGracePeriod()
                  .getNanoseconds())
          .isEqualTo(2_000_000_000L);
      assertThat(operator.request("GET", "/slaves", ""))
          .containsPattern(
              "\"drain_info\":\\{\"state\":\"DRAINING\",\"config\":\\{\"max_grace_period\":\\{"
                  + "\"nanoseconds\":2000000000\\},\"mark_gone\":false\\}\\},"
                  + "\"estimated_drain_start_time_seconds\":[0-9.E]+");
      Response.GetAgents.Agent draining = shown(operator);
      assertThat(draining.getDrainInfo().getState()).isEqualTo(DrainState.DRAINING);
      assertThat(draining.getDeactivated()).isTrue();
      assertThat(draining.getEstimatedDrainStartTime().getNanoseconds() % 1_000_000_000).isZero();
      assertThat(operator.call(about("REACTIVATE_AGENT", agent.id, ""))).startsWith("400 ");

      failOver(cluster);
      agent.connect(cluster.links).reregister();
      agent.await(MasterEvent::hasDrain);
      TestScheduler again = back(cluster, scheduler);
      agent.update("t", TaskState.TASK_KILLED, null);
      again.acknowledge(again.await(Event.Type.UPDATE).getUpdate().getStatus());
      Await.until(() -> shown(operator).getDrainInfo().getState() == DrainState.DRAINED);
      assertThat(again.events).noneMatch(Event::hasOffers);

      assertThat(operator.call(about("DRAIN_AGENT", agent.id, ",\"mark_gone\":true")))
          .isEqualTo("200");
      assertThat(agent.await(MasterEvent::hasShutdown).getShutdown().getMessage())
          .isEqualTo("Agent has been marked gone");
      Await.until(agent::isClosed);
      assertThat(operator.request("GET", "/slaves", ""))
          .isEqualTo("200 {\"slaves\":[],\"recovered_slaves\":[]}");
      assertThat(operator.call(about("MARK_AGENT_GONE", agent.id, ""))).isEqualTo("200");
      assertThat(operator.call(about("MARK_AGENT_GONE", "nope", "")))
          .isEqualTo("404 Agent 'nope' not found");
      assertThat(operator.request("GET", "/registrar(1)/registry", ""))
          .contains("\"gone\":{\"slaves\":[{\"id\":{\"value\":\"" + agent.id + "\"}");
      agent.connect(cluster.links).requestReregistration();
      assertThat(agent.await(MasterEvent::hasShutdown).getShutdown().getMessage())
          .isEqualTo("Agent has been marked gone");
      again.close();
    }
  }

  @Test
  void eachNeedsItsLeave() throws Exception {
    try (TestCluster cluster = new TestCluster(workDir, "acls={}")) {
      Authorizer authorizer =
          (subject, actions) ->
              (action, object) ->
                  Set.of(Action.REGISTER_AGENT, Action.DRAIN_AGENT, Action.DEACTIVATE_AGENT)
                      .contains(action);
      cluster.modules.register(Kinds.AUTHORIZER, "local", authorizer);
      cluster.modules.awaitHolders();
      Operator operator = new Operator(cluster);
      // Nothing is allowed before the authorizer is there, and this agent asks only once.
      Await.until(
          () -> operator.call(about("DEACTIVATE_AGENT", "nope", "")).equals("400 Unknown agent"));
      TestAgent agent = cluster.agent(5051, "cpus:4;mem:1000");
      String refused = "403 403 Forbidden.";
      assertThat(operator.call(about("MARK_AGENT_GONE", agent.id, ""))).isEqualTo(refused);
      assertThat(operator.call(about("DRAIN_AGENT", agent.id, ",\"mark_gone\":true")))
          .isEqualTo(refused);
      assertThat(operator.call(about("DEACTIVATE_AGENT", agent.id, ""))).isEqualTo("200");
      assertThat(operator.call(about("REACTIVATE_AGENT", agent.id, ""))).isEqualTo(refused);
      assertThat(operator.call(about("DRAIN_AGENT", agent.id, ""))).isEqualTo("200");
    }
  }

  private static void launch(TestScheduler scheduler, String task) throws Exception {
    Offer offer = scheduler.await(Event.Type.OFFERS).getOffers().getOffers(0);
    var call =
        org.mezzo.protocol.v1.scheduler.Call.newBuilder()
            .setType(org.mezzo.protocol.v1.scheduler.Call.Type.ACCEPT);
    call.getAcceptBuilder()
        .addOfferIds(offer.getId())
        .addOperationsBuilder()
        .setType(Offer.Operation.Type.LAUNCH)
        .getLaunchBuilder()
        .addTaskInfos(
            TaskInfo.newBuilder()
                .setName(task)
                .setTaskId(TaskID.newBuilder().setValue(task))
                .setAgentId(offer.getAgentId())
                .setCommand(CommandInfo.newBuilder().setValue("true"))
                .addAllResources(offer.getResourcesList()));
    scheduler.accepted(call);
  }
}
