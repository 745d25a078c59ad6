package org.mezzo.master;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.mezzo.daemon.metrics.PrometheusText;
import org.mezzo.fixtures.Await;
import org.mezzo.link.messages.MasterEvent;
import org.mezzo.master.testing.TestAgent;
import org.mezzo.master.testing.TestCluster;
import org.mezzo.master.testing.TestScheduler;
import org.mezzo.protocol.v1.CommandInfo;
import org.mezzo.protocol.v1.Offer;
import org.mezzo.protocol.v1.TaskID;
import org.mezzo.protocol.v1.TaskState;
import org.mezzo.protocol.v1.scheduler.Call;
import org.mezzo.protocol.v1.scheduler.Event;

/** Names that exporters look up. */
class MetricsTest {
  private static final String RESOURCES = "cpus:4;mem:4096;disk:10240;ports:[31000-32000]";

  @TempDir Path workDir;

  private static void launch(TestScheduler scheduler, TestAgent agent, String id) throws Exception {
    Offer offer = scheduler.await(Event.Type.OFFERS).getOffers().getOffers(0);
    Call.Builder call = Call.newBuilder().setType(Call.Type.ACCEPT);
    call.getAcceptBuilder()
        .addOfferIds(offer.getId())
        .addOperationsBuilder()
        .setType(Offer.Operation.Type.LAUNCH)
        .getLaunchBuilder()
        .addTaskInfosBuilder()
        .setName(id)
        .setTaskId(TaskID.newBuilder().setValue(id))
        .setAgentId(offer.getAgentId())
        .addResources(offer.getResources(0))
        .setCommand(CommandInfo.newBuilder().setValue("true"));
    scheduler.accepted(call);
    agent.await(MasterEvent::hasRunTask);
  }

  @Test
  void clusterNumbersAreThereFromTheStart() throws Exception {
    try (TestCluster cluster = new TestCluster(workDir)) {
      cluster.agent(25052, RESOURCES);
      Map<String, Double> all = cluster.master.metrics().snapshot();
      assertThat(all)
          .containsEntry("allocator/mesos/resources/cpus/total", 4.0)
          .containsEntry("allocator/mesos/resources/mem/total", 4096.0)
          .containsEntry("allocator/mesos/resources/disk/offered_or_allocated", 0.0)
          .containsEntry("master/http_cache_hits", 0.0)
          .containsEntry("master/event_queue_messages", 0.0)
          .containsEntry("master/event_queue_http_requests", 0.0)
          .containsEntry("master/valid_operation_status_updates", 0.0)
          .containsEntry("registrar/queued_operations", 0.0)
          .containsEntry("master/operations/pending", 0.0)
          .containsEntry("master/operations/grow_volume/gone_by_operator", 0.0)
          .containsKeys(
              "master/event_queue_dispatches",
              "allocator/event_queue_dispatches",
              "allocator/mesos/event_queue_dispatches",
              "registrar/state_fetch_ms",
              "registrar/state_store_ms",
              "registrar/state_store_ms/count",
              "registrar/state_store_ms/p99");
    }
  }

  @Test
  void aFrameworkHasItsOwnUntilItIsForgotten() throws Exception {
    try (TestCluster cluster = new TestCluster(workDir, "max_completed_frameworks=1")) {
      TestAgent agent = cluster.agent(25053, RESOURCES);
      TestScheduler scheduler =
          TestScheduler.json(cluster.address())
              .subscribed(TestScheduler.info("test").setName("a b/c").build());
      String prefix = "master/frameworks/a%20b%2Fc/" + scheduler.id + "/";
      launch(scheduler, agent, "t");
      agent.update("t", TaskState.TASK_RUNNING, null);
      scheduler.acknowledge(scheduler.await(Event.Type.UPDATE).getUpdate().getStatus());
      Await.until(
          () -> cluster.master.metrics().snapshot().get(prefix + "calls/acknowledge") == 1.0);
      assertThat(cluster.master.metrics().snapshot())
          .containsEntry(prefix + "subscribed", 1.0)
          .containsEntry(prefix + "calls", 3.0)
          .containsEntry(prefix + "calls/subscribe", 1.0)
          .containsEntry(prefix + "calls/accept", 1.0)
          .containsEntry(prefix + "calls/acknowledge", 1.0)
          .containsEntry(prefix + "calls/kill", 0.0)
          .containsEntry(prefix + "events/subscribed", 1.0)
          .containsEntry(prefix + "events/heartbeat", 1.0)
          .containsEntry(prefix + "events/update", 1.0)
          .containsEntry(prefix + "offers/accepted", 1.0)
          .containsEntry(prefix + "offers/declined", 0.0)
          .containsEntry(prefix + "operations/launch", 1.0)
          .containsEntry(prefix + "operations/reserve", 0.0)
          .containsEntry(prefix + "roles/test/suppressed", 0.0)
          .containsEntry(prefix + "tasks/active/task_running", 1.0)
          .containsEntry(prefix + "tasks/terminal/task_finished", 0.0);

      assertThat(PrometheusText.of(cluster.master.metrics()))
          .contains(
              "\nmaster_frameworks_calls_accept{framework_id=\""
                  + scheduler.id
                  + "\",framework_name=\"a b/c\"} 1\n");

      agent.update("t", TaskState.TASK_FINISHED, null);
      scheduler.acknowledge(scheduler.await(Event.Type.UPDATE).getUpdate().getStatus());
      scheduler.accepted(Call.newBuilder().setType(Call.Type.SUPPRESS));
      Await.until(
          () -> cluster.master.metrics().snapshot().get(prefix + "roles/test/suppressed") == 1.0);
      assertThat(cluster.master.metrics().snapshot())
          .containsEntry(prefix + "tasks/active/task_running", 0.0)
          .containsEntry(prefix + "tasks/terminal/task_finished", 1.0);

      scheduler.accepted(Call.newBuilder().setType(Call.Type.TEARDOWN));
      Await.until(() -> cluster.master.metrics().snapshot().get(prefix + "subscribed") == 0.0);
      assertThat(cluster.master.metrics().snapshot())
          .containsEntry(prefix + "calls/teardown", 1.0)
          .containsEntry("master/messages_launch_tasks", 1.0)
          .containsEntry("master/messages_suppress_offers", 1.0)
          .containsEntry("master/messages_unregister_framework", 0.0);
      TestScheduler other =
          TestScheduler.json(cluster.address()).subscribed(TestScheduler.info("test").build());
      other.accepted(Call.newBuilder().setType(Call.Type.TEARDOWN));
      Await.until(
          () ->
              cluster.master.metrics().snapshot().keySet().stream()
                  .noneMatch(name -> name.startsWith(prefix)));
      other.close();
      scheduler.close();
    }
  }
}
