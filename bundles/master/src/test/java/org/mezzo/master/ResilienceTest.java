package org.mezzo.master;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.time.Clock;
import java.util.AbstractList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.mezzo.api.allocator.Proposal;
import org.mezzo.api.hook.Hook;
import org.mezzo.fixtures.Await;
import org.mezzo.link.messages.MasterEvent;
import org.mezzo.master.ledger.Account;
import org.mezzo.master.state.Agent;
import org.mezzo.master.state.Framework;
import org.mezzo.master.testing.SimpleAllocator;
import org.mezzo.master.testing.TestAgent;
import org.mezzo.master.testing.TestCluster;
import org.mezzo.master.testing.TestScheduler;
import org.mezzo.modules.Kinds;
import org.mezzo.protocol.v1.AgentID;
import org.mezzo.protocol.v1.AgentInfo;
import org.mezzo.protocol.v1.CommandInfo;
import org.mezzo.protocol.v1.FrameworkID;
import org.mezzo.protocol.v1.FrameworkInfo;
import org.mezzo.protocol.v1.Label;
import org.mezzo.protocol.v1.Labels;
import org.mezzo.protocol.v1.Offer;
import org.mezzo.protocol.v1.Resource;
import org.mezzo.protocol.v1.TaskID;
import org.mezzo.protocol.v1.TaskInfo;
import org.mezzo.protocol.v1.TaskState;
import org.mezzo.protocol.v1.TaskStatus;
import org.mezzo.protocol.v1.Value;
import org.mezzo.protocol.v1.scheduler.Call;
import org.mezzo.protocol.v1.scheduler.Event;
import org.mezzo.resources.Resources;

/** What happens when allocators, agents, frameworks and masters come and go. */
class ResilienceTest {
  private static final String RESOURCES = "cpus:4;mem:4096";

  @TempDir Path workDir;
  private TestCluster cluster;

  @AfterEach
  void stop() throws Exception {
    cluster.close();
  }

  private static Resource scalar(String name, double value) {
    return Resource.newBuilder()
        .setName(name)
        .setType(Value.Type.SCALAR)
        .setScalar(Value.Scalar.newBuilder().setValue(value))
        .build();
  }

  private static void launch(TestScheduler scheduler, Offer offer, String id) throws Exception {
    Call.Accept.Builder accept = Call.Accept.newBuilder().addOfferIds(offer.getId());
    accept
        .addOperationsBuilder()
        .setType(Offer.Operation.Type.LAUNCH)
        .getLaunchBuilder()
        .addTaskInfos(
            TaskInfo.newBuilder()
                .setName(id)
                .setTaskId(TaskID.newBuilder().setValue(id))
                .setAgentId(AgentID.newBuilder().setValue(offer.getAgentId().getValue()))
                .addResources(scalar("cpus", 1))
                .addResources(scalar("mem", 32))
                .setCommand(CommandInfo.newBuilder().setValue("true")));
    accept.getFiltersBuilder().setRefuseSeconds(0);
    scheduler.accepted(Call.newBuilder().setType(Call.Type.ACCEPT).setAccept(accept));
  }

  private static Offer offer(TestScheduler scheduler) throws Exception {
    return scheduler.await(Event.Type.OFFERS).getOffers().getOffers(0);
  }

  private static TaskStatus update(TestScheduler scheduler) throws Exception {
    return scheduler.await(Event.Type.UPDATE).getUpdate().getStatus();
  }

  private static void run(TestAgent agent, TestScheduler scheduler, String id) throws Exception {
    launch(scheduler, offer(scheduler), id);
    agent.await(MasterEvent::hasRunTask);
    agent.update(id, TaskState.TASK_RUNNING, null);
    scheduler.acknowledge(update(scheduler));
    agent.await(MasterEvent::hasAcknowledgeUpdate);
  }

  /** What is free, offered and allocated adds up to what there is. */
  private void balanced() {
    var state = cluster.state();
    for (Account account : state.ledger().accounts().values()) {
      Resources sum = account.free();
      sum = sum.plus(account.totalAllocated().unallocated());
      sum = sum.plus(account.totalOffered().unallocated());
      assertThat(sum).isEqualTo(account.total());
    }
    assertThat(state.ledger().accounts().keySet()).isEqualTo(state.agents().keySet());
  }

  @Test
  void offersOutliveTheirAllocatorAndASuccessorKnowsEverything() throws Exception {
    cluster = new TestCluster(workDir);
    TestAgent agent = cluster.agent(25061, RESOURCES);
    try (TestScheduler scheduler =
        TestScheduler.json(cluster.address()).subscribed(TestScheduler.info("test").build())) {
      run(agent, scheduler, "t1");
      Offer before = offer(scheduler);
      cluster.registered.close();
      Await.until(() -> cluster.master.metrics().snapshot().get("allocator/mezzo/present") == 0);
      launch(scheduler, before, "t2");
      agent.await(MasterEvent::hasRunTask);
      agent.update("t2", TaskState.TASK_RUNNING, null);
      assertThat(update(scheduler).getState()).isEqualTo(TaskState.TASK_RUNNING);
      balanced();

      SimpleAllocator successor = new SimpleAllocator(Clock.systemUTC());
      cluster.modules.register(Kinds.ALLOCATOR, "hierarchical", successor);
      Offer after = offer(scheduler);
      assertThat(successor.started.agents()).hasSize(1);
      assertThat(successor.started.agents().get(0).used().get(scheduler.id).scalar("cpus"))
          .isEqualTo(2000);
      assertThat(after.getResourcesList())
          .anySatisfy(it -> assertThat(it.getScalar().getValue()).isEqualTo(2));
      assertThat(scheduler.events).isEmpty();
      assertThat(scheduler.ended()).isFalse();
      balanced();
    }
  }

  @Test
  void anAllocatorThatIsSelectedWhileATermRecoversServesInThatTerm() throws Exception {
    cluster = new TestCluster(workDir);
    SimpleAllocator other = new SimpleAllocator(Clock.systemUTC());
    cluster.modules.register(Kinds.ALLOCATOR, "other", other);
    cluster.coordination.depose();
    Await.until(() -> !cluster.master.cluster().leading());
    cluster.coordination.readable = new CompletableFuture<>();
    cluster.coordination.elect();
    Await.until(
        () -> cluster.master.cluster().leading() && cluster.master.cluster().state().isEmpty());
    cluster.master.selectAllocator("other");
    CompletableFuture<Void> reached = new CompletableFuture<>();
    cluster.master.loop().execute(() -> reached.complete(null));
    reached.get();
    cluster.coordination.readable.complete(null);
    Await.until(() -> other.started != null);
  }

  @Test
  void aLyingAllocatorGetsNothingByIt() throws Exception {
    cluster = new TestCluster(workDir);
    TestAgent agent = cluster.agent(25062, RESOURCES);
    try (TestScheduler scheduler =
        TestScheduler.json(cluster.address()).subscribed(TestScheduler.info("test").build())) {
      Offer offer = offer(scheduler);
      Resources much = Resources.parse("cpus:100", "*").allocatedTo("test");
      Resources some = Resources.parse("cpus:1", "*");
      List<Proposal> lies =
          List.of(
              new Proposal(scheduler.id, "test", agent.id, much),
              new Proposal(scheduler.id, "test", "nobody", some.allocatedTo("test")),
              new Proposal("nobody", "test", agent.id, some.allocatedTo("test")),
              new Proposal(scheduler.id, "other", agent.id, some.allocatedTo("other")),
              new Proposal(scheduler.id, "test", agent.id, some),
              new Proposal(scheduler.id, "test", agent.id, Resources.EMPTY));
      cluster.allocator.lies.addAll(lies);
      Await.until(
          () ->
              cluster.master.metrics().snapshot().get("allocator/mezzo/proposals_dropped")
                  >= lies.size());
      assertThat(cluster.state().offers().keySet()).containsExactly(offer.getId().getValue());
      balanced();
    }
  }

  @Test
  void theListOfProposalsIsNotTouchedOnTheLoop() throws Exception {
    cluster = new TestCluster(workDir);
    Set<Thread> cycles = ConcurrentHashMap.newKeySet();
    Set<Thread> readers = ConcurrentHashMap.newKeySet();
    cluster.allocator.answer =
        proposals -> {
          cycles.add(Thread.currentThread());
          return new AbstractList<>() {
            @Override
            public Proposal get(int index) {
              readers.add(Thread.currentThread());
              return proposals.get(index);
            }

            @Override
            public int size() {
              readers.add(Thread.currentThread());
              return proposals.size();
            }
          };
        };
    cluster.agent(25071, RESOURCES);
    try (TestScheduler scheduler =
        TestScheduler.json(cluster.address()).subscribed(TestScheduler.info("test").build())) {
      offer(scheduler);
      // Another cycle may be under way, whose list is read a little later.
      Await.until("only cycles read", () -> readers.equals(cycles));
    }
  }

  @Test
  void aSilentAgentBecomesUnreachableAndComesBack() throws Exception {
    cluster = new TestCluster(workDir, "agent_ping_timeout=1secs", "max_agent_ping_timeouts=1");
    TestAgent agent = cluster.agent(25063, RESOURCES);
    try (TestScheduler scheduler =
        TestScheduler.json(cluster.address()).subscribed(TestScheduler.info("test").build())) {
      run(agent, scheduler, "t1");
      Offer open = offer(scheduler);
      agent.pongs = false;
      TaskStatus status = update(scheduler);
      assertThat(status.getState()).isEqualTo(TaskState.TASK_UNREACHABLE);
      assertThat(status.getReason()).isEqualTo(TaskStatus.Reason.REASON_AGENT_REMOVED);
      assertThat(status.hasUnreachableTime()).isTrue();
      assertThat(scheduler.await(Event.Type.RESCIND).getRescind().getOfferId())
          .isEqualTo(open.getId());
      assertThat(scheduler.await(Event.Type.FAILURE).getFailure().getAgentId().getValue())
          .isEqualTo(agent.id);
      assertThat(cluster.coordination.stored).containsKey("unreachable/" + agent.id);
      assertThat(cluster.state().frameworks().get(scheduler.id).unreachableTasks()).hasSize(1);
      Await.until(agent::isClosed);

      agent.pongs = true;
      agent.connect(cluster.links).reregister();
      TaskStatus back = update(scheduler);
      assertThat(back.getState()).isEqualTo(TaskState.TASK_RUNNING);
      assertThat(back.getReason()).isEqualTo(TaskStatus.Reason.REASON_AGENT_REREGISTERED);
      assertThat(back.hasUuid()).isFalse();
      offer(scheduler);
      assertThat(cluster.coordination.stored)
          .containsKey("agents/" + agent.id)
          .doesNotContainKey("unreachable/" + agent.id);
      balanced();
    }
  }

  @Test
  void aLostLinkCostsOnlyUncheckpointedTasks() throws Exception {
    cluster = new TestCluster(workDir);
    TestAgent agent = cluster.agent(25064, RESOURCES);
    FrameworkInfo bare = TestScheduler.info("test").setCheckpoint(false).build();
    try (TestScheduler careless = TestScheduler.json(cluster.address()).subscribed(bare)) {
      run(agent, careless, "t1");
      Offer open = offer(careless);
      agent.disconnect();
      TaskStatus status = update(careless);
      assertThat(status.getState()).isEqualTo(TaskState.TASK_LOST);
      assertThat(status.getReason()).isEqualTo(TaskStatus.Reason.REASON_AGENT_DISCONNECTED);
      assertThat(careless.await(Event.Type.RESCIND).getRescind().getOfferId())
          .isEqualTo(open.getId());
      agent.connect(cluster.links).reregister();
      assertThat(agent.await(MasterEvent::hasKillTask).getKillTask().getTaskId().getValue())
          .isEqualTo("t1");
      offer(careless);
      balanced();
    }
  }

  @Test
  void tasksOfACheckpointingFrameworkSurviveALostLink() throws Exception {
    cluster = new TestCluster(workDir);
    TestAgent agent = cluster.agent(25065, RESOURCES);
    try (TestScheduler scheduler =
        TestScheduler.json(cluster.address()).subscribed(TestScheduler.info("test").build())) {
      run(agent, scheduler, "t1");
      agent.disconnect();
      agent.connect(cluster.links).reregister();
      agent.update("t1", TaskState.TASK_FINISHED, null);
      assertThat(update(scheduler).getState()).isEqualTo(TaskState.TASK_FINISHED);
      balanced();
    }
  }

  @Test
  void aMasterThatLosesAndWinsAgainFindsTheTasksRunning() throws Exception {
    cluster = new TestCluster(workDir);
    TestAgent agent = cluster.agent(25066, RESOURCES);
    FrameworkInfo info = TestScheduler.info("test").setFailoverTimeout(60).build();
    TestScheduler first = TestScheduler.json(cluster.address()).subscribed(info);
    run(agent, first, "t1");
    cluster.coordination.depose();
    Await.until(first::ended);
    Await.until(agent::isClosed);
    Await.until(() -> !cluster.master.cluster().leading());
    cluster.coordination.elect();
    Await.until(() -> cluster.master.cluster().state().isPresent());
    assertThat(cluster.state().recoveredAgents()).containsKey(agent.id);
    agent.connect(cluster.links).reregister();
    Await.until(() -> cluster.state().frameworks().containsKey(first.id));
    assertThat(cluster.state().frameworks().get(first.id).phase())
        .isEqualTo(Framework.Phase.RECOVERED);
    FrameworkInfo again =
        info.toBuilder().setId(FrameworkID.newBuilder().setValue(first.id)).build();
    try (TestScheduler second = TestScheduler.json(cluster.address()).subscribed(again)) {
      assertThat(offer(second).getResourcesList())
          .anySatisfy(it -> assertThat(it.getScalar().getValue()).isEqualTo(3));
      agent.update("t1", TaskState.TASK_FINISHED, null);
      TaskStatus status = update(second);
      second.acknowledge(status);
      agent.await(MasterEvent::hasAcknowledgeUpdate);
      assertThat(cluster.state().frameworks().get(first.id).completedTasks()).hasSize(1);
      balanced();
    }
  }

  @Test
  void agentsThatDoNotComeBackAfterAFailoverAreCounted() throws Exception {
    cluster = new TestCluster(workDir, "agent_reregister_timeout=1secs");
    TestAgent agent = cluster.agent(25068, RESOURCES);
    cluster.coordination.depose();
    Await.until(agent::isClosed);
    cluster.coordination.elect();
    Await.until(
        () -> cluster.master.metrics().snapshot().get("master/recovery_slave_removals") == 1);
    assertThat(cluster.state().recoveredAgents()).isEmpty();
    assertThat(cluster.state().unreachableAgents()).containsOnlyKeys(agent.id);
    // Those are of agents that had registered.
    assertThat(cluster.master.metrics().snapshot())
        .containsEntry("master/slave_removals", 0.0)
        .containsEntry("master/slave_removals/reason_unhealthy", 0.0);
  }

  @Test
  void aMasterThatLosesLeavesNoTimerOfItsTermBehind() throws Exception {
    cluster = new TestCluster(workDir, "offer_timeout=1weeks", "agent_reregister_timeout=1weeks");
    TestAgent agent = cluster.agent(25069, RESOURCES);
    TestScheduler scheduler =
        TestScheduler.json(cluster.address())
            .subscribed(TestScheduler.info("test").setFailoverTimeout(604_800).build());
    Offer offer = offer(scheduler);
    double before = mostTimers();
    // An offer that is gone needs no timer; its successor has one.
    scheduler.decline(offer.getId().getValue(), 0);
    offer(scheduler);
    assertThat(mostTimers()).isEqualTo(before);
    scheduler.close();
    agent.disconnect();
    Await.until(
        () ->
            cluster.state().frameworks().values().stream().noneMatch(Framework::connected)
                && cluster.state().agents().values().stream().noneMatch(Agent::connected));
    assertThat(timers()).isPositive();
    cluster.coordination.depose();
    Await.until(() -> timers() == 0);
    assertThat(cluster.master.metrics().snapshot())
        .containsEntry("allocator/event_queue_dispatches", 0.0);
  }

  /** Those that recur as well, each of which is missing while its turn waits or runs. */
  private double mostTimers() throws InterruptedException {
    double most = 0;
    for (int i = 0; i < 100; i++) {
      most = Math.max(most, timers());
      Thread.sleep(2);
    }
    return most;
  }

  private double timers() {
    return cluster.master.metrics().snapshot().get("master/event_timers");
  }

  @Test
  void aFrameworkThatDoesNotComeBackIsRemoved() throws Exception {
    cluster = new TestCluster(workDir);
    TestAgent agent = cluster.agent(25067, RESOURCES);
    TestScheduler scheduler =
        TestScheduler.json(cluster.address())
            .subscribed(TestScheduler.info("test").setFailoverTimeout(0.1).build());
    run(agent, scheduler, "t1");
    scheduler.close();
    assertThat(
            agent
                .await(MasterEvent::hasShutdownFramework)
                .getShutdownFramework()
                .getFrameworkId()
                .getValue())
        .isEqualTo(scheduler.id);
    Await.until(() -> cluster.state().completedFrameworks().size() == 1);
    var removed = cluster.state().completedFrameworks().get(0);
    assertThat(removed.completedTasks().get(0).state()).isEqualTo(TaskState.TASK_KILLED);
    balanced();
    assertThat(cluster.state().account(agent.id).free())
        .isEqualTo(cluster.state().account(agent.id).total());
  }

  @Test
  void legacyFrameworksGetLegacyOffers() throws Exception {
    cluster = new TestCluster(workDir);
    cluster.agent(25068, RESOURCES);
    FrameworkInfo legacy = FrameworkInfo.newBuilder().setUser("u").setName("old").build();
    try (TestScheduler scheduler = TestScheduler.json(cluster.address()).subscribed(legacy)) {
      Offer offer = offer(scheduler);
      assertThat(offer.hasAllocationInfo()).isFalse();
      assertThat(offer.getResourcesList())
          .allSatisfy(
              it -> {
                assertThat(it.hasAllocationInfo()).isFalse();
                assertThat(it.getRole()).isEqualTo("*");
              });
      launch(scheduler, offer, "t1");
      Await.until(() -> cluster.state().frameworks().get(scheduler.id).tasks().containsKey("t1"));
      balanced();
    }
  }

  @Test
  void anIndexNeverDriftsFromTheLedger() throws Exception {
    cluster = new TestCluster(workDir);
    TestAgent agent = cluster.agent(25069, RESOURCES);
    try (TestScheduler scheduler =
        TestScheduler.json(cluster.address()).subscribed(TestScheduler.info("test").build())) {
      for (int i = 0; i < 20; i++) {
        run(agent, scheduler, "t" + i);
        agent.update("t" + i, TaskState.TASK_FINISHED, null);
        scheduler.acknowledge(update(scheduler));
        agent.await(MasterEvent::hasAcknowledgeUpdate);
        if (i % 3 == 0) {
          scheduler.decline(offer(scheduler).getId().getValue(), 0);
        }
      }
      balanced();
      Map<String, Resources> ledger = new HashMap<>();
      Await.until(
          () -> {
            var now = cluster.state().account(agent.id);
            ledger.clear();
            ledger.putAll(now.offered());
            now.allocated().forEach((id, held) -> ledger.merge(id, held, Resources::plus));
            synchronized (cluster.allocator) {
              return ledger.equals(cluster.allocator.held.get(agent.id));
            }
          });
    }
  }

  @Test
  void hooksDecorateLaunchesAndKillsOvertakeThem() throws Exception {
    CountDownLatch gate = new CountDownLatch(1);
    cluster = new TestCluster(workDir, "hooks=labels");
    TestAgent agent = cluster.agent(25070, RESOURCES);
    try (TestScheduler scheduler =
        TestScheduler.json(cluster.address()).subscribed(TestScheduler.info("test").build())) {
      // Nobody has registered the hook yet: launches go on without it.
      run(agent, scheduler, "t1");
      Offer second = offer(scheduler);
      cluster.modules.register(
          Kinds.HOOK,
          "labels",
          new Hook() {
            @Override
            public Labels masterLaunchTaskLabels(
                TaskInfo task, FrameworkInfo framework, AgentInfo info) {
              try {
                gate.await();
              } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
              }
              return Labels.newBuilder()
                  .addLabels(Label.newBuilder().setKey("by").setValue("hook"))
                  .build();
            }
          });
      cluster.modules.awaitHolders();
      launch(scheduler, second, "t2");
      Await.until(() -> cluster.state().pendingTasks().size() == 1);
      scheduler.accepted(
          Call.newBuilder().setType(Call.Type.RECONCILE).setReconcile(Call.Reconcile.newBuilder()));
      assertThat(update(scheduler).getState()).isEqualTo(TaskState.TASK_STAGING);
      assertThat(update(scheduler).getState()).isEqualTo(TaskState.TASK_RUNNING);
      scheduler.accepted(
          Call.newBuilder()
              .setType(Call.Type.KILL)
              .setKill(Call.Kill.newBuilder().setTaskId(TaskID.newBuilder().setValue("t2"))));
      gate.countDown();
      TaskStatus killed = update(scheduler);
      assertThat(killed.getState()).isEqualTo(TaskState.TASK_KILLED);
      assertThat(killed.getReason()).isEqualTo(TaskStatus.Reason.REASON_TASK_KILLED_DURING_LAUNCH);
      launch(scheduler, offer(scheduler), "t3");
      assertThat(
              agent
                  .await(MasterEvent::hasRunTask)
                  .getRunTask()
                  .getTasks(0)
                  .getLabels()
                  .getLabels(0)
                  .getValue())
          .isEqualTo("hook");
      balanced();
    }
  }

  @Test
  void aLaunchOfManyTasksIsWhole() throws Exception {
    cluster = new TestCluster(workDir);
    TestAgent agent = cluster.agent(25071, "cpus:100;mem:100000");
    try (TestScheduler scheduler =
        TestScheduler.json(cluster.address()).subscribed(TestScheduler.info("test").build())) {
      Offer offer = offer(scheduler);
      Call.Accept.Builder accept = Call.Accept.newBuilder().addOfferIds(offer.getId());
      Offer.Operation.Launch.Builder launch =
          accept.addOperationsBuilder().setType(Offer.Operation.Type.LAUNCH).getLaunchBuilder();
      for (int i = 0; i < 333; i++) {
        launch.addTaskInfos(
            TaskInfo.newBuilder()
                .setName("n")
                .setTaskId(TaskID.newBuilder().setValue("t" + i))
                .setAgentId(offer.getAgentId())
                .addResources(scalar("cpus", 0.1))
                .setCommand(CommandInfo.newBuilder().setValue("true")));
      }
      scheduler.accepted(Call.newBuilder().setType(Call.Type.ACCEPT).setAccept(accept));
      for (int i = 0; i < 333; i++) {
        assertThat(
                agent
                    .await(MasterEvent::hasRunTask)
                    .getRunTask()
                    .getTasks(0)
                    .getTaskId()
                    .getValue())
            .isEqualTo("t" + i);
      }
      Await.until(() -> cluster.state().pendingTasks().isEmpty());
      assertThat(cluster.state().frameworks().get(scheduler.id).tasks()).hasSize(333);
      balanced();
    }
  }

  @Test
  void aMasterThatCannotWriteItsRegistryGivesUp() throws Exception {
    cluster = new TestCluster(workDir);
    cluster.coordination.broken = true;
    cluster.coordination.electAtOnce = false;
    TestAgent agent = new TestAgent(25072, RESOURCES).connect(cluster.links);
    agent.requestRegistration();
    Await.until(() -> !cluster.master.cluster().leading());
    assertThat(agent.received).isEmpty();
  }
}
