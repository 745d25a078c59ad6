package org.mezzo.master;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.mezzo.fixtures.Await;
import org.mezzo.link.messages.MasterEvent;
import org.mezzo.master.testing.TestAgent;
import org.mezzo.master.testing.TestCluster;
import org.mezzo.master.testing.TestScheduler;
import org.mezzo.protocol.v1.AgentID;
import org.mezzo.protocol.v1.CommandInfo;
import org.mezzo.protocol.v1.Offer;
import org.mezzo.protocol.v1.Resource;
import org.mezzo.protocol.v1.TaskID;
import org.mezzo.protocol.v1.TaskInfo;
import org.mezzo.protocol.v1.TaskState;
import org.mezzo.protocol.v1.TaskStatus;
import org.mezzo.protocol.v1.Value;
import org.mezzo.protocol.v1.scheduler.Call;
import org.mezzo.protocol.v1.scheduler.Event;

/** A whole session of a framework, as a real master was seen to answer it. */
class SessionTest {
  private static final String RESOURCES = "cpus:4;mem:4096;disk:10240;ports:[31000-32000]";

  @TempDir Path workDir;
  private TestCluster cluster;
  private TestAgent agent;
  private TestScheduler scheduler;

  @BeforeEach
  void start() throws Exception {
    cluster = new TestCluster(workDir);
    agent = cluster.agent(25051, RESOURCES);
    scheduler =
        TestScheduler.json(cluster.address()).subscribed(TestScheduler.info("test").build());
  }

  @AfterEach
  void stop() throws Exception {
    scheduler.close();
    cluster.close();
  }

  private static Resource scalar(String name, double value) {
    return Resource.newBuilder()
        .setName(name)
        .setType(Value.Type.SCALAR)
        .setScalar(Value.Scalar.newBuilder().setValue(value))
        .build();
  }

  private TaskInfo.Builder task(String id) {
    return TaskInfo.newBuilder()
        .setName("n-" + id)
        .setTaskId(TaskID.newBuilder().setValue(id))
        .setAgentId(AgentID.newBuilder().setValue(agent.id))
        .addResources(scalar("cpus", 0.1))
        .addResources(scalar("mem", 32))
        .setCommand(CommandInfo.newBuilder().setValue("true"));
  }

  private Offer offer() throws Exception {
    Event event = scheduler.await(Event.Type.OFFERS);
    assertThat(event.getOffers().getOffersCount()).isEqualTo(1);
    return event.getOffers().getOffers(0);
  }

  private void launch(Offer offer, TaskInfo... tasks) throws Exception {
    Call.Accept.Builder accept = Call.Accept.newBuilder().addOfferIds(offer.getId());
    accept
        .addOperationsBuilder()
        .setType(Offer.Operation.Type.LAUNCH)
        .getLaunchBuilder()
        .addAllTaskInfos(List.of(tasks));
    accept.getFiltersBuilder().setRefuseSeconds(0);
    scheduler.accepted(Call.newBuilder().setType(Call.Type.ACCEPT).setAccept(accept));
  }

  private TaskStatus update() throws Exception {
    return scheduler.await(Event.Type.UPDATE).getUpdate().getStatus();
  }

  private void run(String id) throws Exception {
    launch(offer(), task(id).build());
    agent.await(MasterEvent::hasRunTask);
    agent.update(id, TaskState.TASK_STARTING, null);
    scheduler.acknowledge(update());
    agent.update(id, TaskState.TASK_RUNNING, null);
    scheduler.acknowledge(update());
  }

  @Test
  void aTaskRunsAndItsResourcesComeBack() throws Exception {
    Offer offer = offer();
    assertThat(offer.getId().getValue()).isEqualTo(cluster.state().self().getId() + "-O0");
    assertThat(offer.getAllocationInfo().getRole()).isEqualTo("test");
    assertThat(offer.getUrl().getPath()).isEqualTo("/slave(1)");
    launch(offer, task("t1").build());
    var run = agent.await(MasterEvent::hasRunTask).getRunTask();
    assertThat(run.getLaunchExecutor()).isTrue();
    assertThat(run.getTasks(0).getResources(0).getAllocationInfo().getRole()).isEqualTo("test");

    byte[] uuid = agent.update("t1", TaskState.TASK_RUNNING, null);
    TaskStatus status = update();
    assertThat(status.getState()).isEqualTo(TaskState.TASK_RUNNING);
    assertThat(status.getUuid().toByteArray()).isEqualTo(uuid);
    scheduler.acknowledge(status);
    assertThat(agent.await(MasterEvent::hasAcknowledgeUpdate).getAcknowledgeUpdate().getUuid())
        .isEqualTo(status.getUuid());
    Offer rest = offer();
    assertThat(rest.getResourcesList())
        .anySatisfy(it -> assertThat(it.getScalar().getValue()).isEqualTo(3.9));

    agent.update("t1", TaskState.TASK_FINISHED, "Command exited with status 0");
    TaskStatus last = update();
    assertThat(last.getMessage()).isEqualTo("Command exited with status 0");
    scheduler.acknowledge(last);
    agent.await(MasterEvent::hasAcknowledgeUpdate);
    var framework = cluster.state().frameworks().get(scheduler.id);
    assertThat(framework.tasks()).isEmpty();
    assertThat(framework.completedTasks()).hasSize(1);
    assertThat(cluster.state().ledger().allocatedTo(scheduler.id)).isEmpty();
    assertThat(offer().getResourcesList())
        .anySatisfy(it -> assertThat(it.getScalar().getValue()).isEqualTo(0.1));
  }

  private void reconcile(String taskId, String agentId) throws Exception {
    Call.Reconcile.Builder reconcile = Call.Reconcile.newBuilder();
    if (taskId != null) {
      var asked = reconcile.addTasksBuilder().setTaskId(TaskID.newBuilder().setValue(taskId));
      if (agentId != null) {
        asked.setAgentId(AgentID.newBuilder().setValue(agentId));
      }
    }
    scheduler.accepted(Call.newBuilder().setType(Call.Type.RECONCILE).setReconcile(reconcile));
  }

  private void expect(TaskState state, String message) throws Exception {
    TaskStatus status = update();
    assertThat(status.getState()).isEqualTo(state);
    assertThat(status.getMessage()).isEqualTo("Reconciliation: " + message);
    assertThat(status.getSource()).isEqualTo(TaskStatus.Source.SOURCE_MASTER);
    assertThat(status.getReason()).isEqualTo(TaskStatus.Reason.REASON_RECONCILIATION);
    assertThat(status.hasUuid()).isFalse();
  }

  @Test
  void reconciliationAnswersAsTheRealOne() throws Exception {
    run("t3");
    reconcile(null, null);
    expect(TaskState.TASK_RUNNING, "Latest task state");
    reconcile("t3", agent.id);
    expect(TaskState.TASK_RUNNING, "Latest task state");
    reconcile("t3", null);
    expect(TaskState.TASK_RUNNING, "Latest task state");
    reconcile("tX", agent.id);
    expect(TaskState.TASK_GONE, "Task is unknown to the agent");
    reconcile("tX", null);
    expect(TaskState.TASK_UNKNOWN, "Task is unknown");
    reconcile("t3x", "nope-S9");
    expect(TaskState.TASK_UNKNOWN, "Task is unknown");
  }

  private void kill(String taskId, String agentId) throws Exception {
    Call.Kill.Builder kill = Call.Kill.newBuilder().setTaskId(TaskID.newBuilder().setValue(taskId));
    if (agentId != null) {
      kill.setAgentId(AgentID.newBuilder().setValue(agentId));
    }
    scheduler.accepted(Call.newBuilder().setType(Call.Type.KILL).setKill(kill));
  }

  @Test
  void killsAreForwardedOrAnswered() throws Exception {
    run("t3");
    kill("t3", agent.id);
    assertThat(agent.await(MasterEvent::hasKillTask).getKillTask().getTaskId().getValue())
        .isEqualTo("t3");
    kill("zz", null);
    expect(TaskState.TASK_UNKNOWN, "Task is unknown");
    kill("zz", agent.id);
    expect(TaskState.TASK_GONE, "Task is unknown to the agent");
  }

  @Test
  void aDeclinedOfferComesBackWhenItsFilterIsOver() throws Exception {
    Offer first = offer();
    scheduler.decline(first.getId().getValue(), 0.2);
    Offer second = offer();
    assertThat(second.getId()).isNotEqualTo(first.getId());
  }

  @Test
  void suppressAndRevive() throws Exception {
    Offer first = offer();
    scheduler.accepted(Call.newBuilder().setType(Call.Type.SUPPRESS));
    scheduler.decline(first.getId().getValue(), 3600);
    reconcile("tX", null);
    assertThat(scheduler.next(Event.Type.UPDATE)).isNotNull();
    scheduler.accepted(Call.newBuilder().setType(Call.Type.REVIVE));
    scheduler.next(Event.Type.OFFERS);
  }

  @Test
  void failoverTeardownAndAfter() throws Exception {
    offer();
    var again =
        TestScheduler.info("test")
            .setId(org.mezzo.protocol.v1.FrameworkID.newBuilder().setValue(scheduler.id))
            .build();
    try (TestScheduler second = TestScheduler.protobuf(cluster.address()).subscribed(again)) {
      assertThat(second.id).isEqualTo(scheduler.id);
      assertThat(scheduler.await(Event.Type.ERROR).getError().getMessage())
          .isEqualTo("Framework failed over");
      Await.until(scheduler::ended);
      second.await(Event.Type.OFFERS);
      var stale = scheduler.send(Call.newBuilder().setType(Call.Type.SUPPRESS));
      assertThat(stale.statusCode()).isEqualTo(400);
      assertThat(stale.body())
          .isEqualTo(
              "The stream ID '"
                  + scheduler.streamId
                  + "' included in this request didn't match the stream ID currently associated"
                  + " with framework ID "
                  + scheduler.id);
      second.accepted(Call.newBuilder().setType(Call.Type.TEARDOWN));
      Await.until(second::ended);
      var late = second.send(Call.newBuilder().setType(Call.Type.REVIVE));
      assertThat(late.statusCode()).isEqualTo(400);
      assertThat(late.body()).isEqualTo("Framework cannot be found");
    }
    try (TestScheduler third = TestScheduler.json(cluster.address()).subscribe(again)) {
      assertThat(third.next(Event.Type.ERROR).getError().getMessage())
          .startsWith("Framework has been removed: ");
      Await.until(third::ended);
    }
  }
}
