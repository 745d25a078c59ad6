package org.mezzo.master.rollouts;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.mezzo.fixtures.Await;
import org.mezzo.link.messages.AgentCall;
import org.mezzo.link.messages.Hello;
import org.mezzo.link.messages.MasterEvent;
import org.mezzo.link.messages.ModuleReport;
import org.mezzo.link.messages.ModuleReport.State;
import org.mezzo.link.messages.ModuleStatus;
import org.mezzo.link.messages.WantedModules;
import org.mezzo.master.agents.Links;
import org.mezzo.master.testing.Operator;
import org.mezzo.master.testing.TestAgent;
import org.mezzo.master.testing.TestCluster;
import org.mezzo.master.testing.TestScheduler;
import org.mezzo.protocol.v1.Offer;
import org.mezzo.protocol.v1.Resource;
import org.mezzo.protocol.v1.TaskID;
import org.mezzo.protocol.v1.TaskInfo;
import org.mezzo.protocol.v1.TaskState;
import org.mezzo.protocol.v1.Value;
import org.mezzo.protocol.v1.scheduler.Call;
import org.mezzo.protocol.v1.scheduler.Event;

/** What becomes of agents and their tasks while the cluster wants modules of them. */
class RolloutAgentsTest {
  private static final String MODULE = "org.example";
  private static final Pattern STATE = Pattern.compile("\"rollout\":\\{\"state\":\"(\\w+)\"");
  private static final String RESOURCES = "cpus:64;mem:65536";

  @TempDir Path workDir;
  private final List<Offer> offers = new ArrayList<>();
  private TestCluster cluster;
  private TestScheduler scheduler;
  private Operator operator;

  @BeforeEach
  void start() throws Exception {
    cluster = new TestCluster(workDir, "allocation_interval=20ms");
    operator = new Operator(cluster);
    scheduler =
        TestScheduler.json(cluster.address()).subscribed(TestScheduler.info("test").build());
  }

  @AfterEach
  void end() throws Exception {
    scheduler.close();
    cluster.close();
  }

  private TestAgent agent(int port) throws Exception {
    return link(new TestAgent(port, RESOURCES)).register();
  }

  private TestAgent link(TestAgent agent) {
    return agent.connect(
        cluster.links,
        Hello.newBuilder()
            .setMajor(1)
            .setMinor(2)
            .addCapabilities(Links.ModuleCalls.CAPABILITY)
            .build());
  }

  private static void says(TestAgent agent, long generation, State state, String problem) {
    agent.call(
        AgentCall.newBuilder()
            .setModuleStatus(
                ModuleStatus.newBuilder()
                    .setGeneration(generation)
                    .setHostId("process-" + agent.id)
                    .addModules(
                        ModuleReport.newBuilder()
                            .setSymbolicName(MODULE)
                            .setState(state)
                            .setProblem(problem))));
  }

  private static WantedModules wanted(TestAgent agent, long generation)
      throws InterruptedException {
    return agent.await(event -> wants(event, generation)).getWantedModules();
  }

  private static boolean wants(MasterEvent event, long generation) {
    return event.hasWantedModules() && event.getWantedModules().getGeneration() == generation;
  }

  private void roll(String version, String how) throws Exception {
    var answer = operator.upload("/mezzo/rollouts?" + how, RolloutsTest.jar(version, 10).content());
    assertThat(answer.statusCode()).as(Operator.text(answer)).isEqualTo(200);
  }

  private String report() throws Exception {
    return operator.request("GET", "/mezzo/rollouts", "");
  }

  private String state() throws Exception {
    Matcher state = STATE.matcher(report());
    return state.find() ? state.group(1) : "";
  }

  private Optional<String> awaits(TestAgent agent) {
    return cluster.state().agents().get(agent.id).awaits();
  }

  /** The next offer of an agent; those of others are kept for later. */
  private Offer offer(TestAgent agent) throws InterruptedException {
    while (true) {
      for (Offer offer : offers) {
        if (offer.getAgentId().getValue().equals(agent.id)) {
          offers.remove(offer);
          return offer;
        }
      }
      offers.addAll(scheduler.await(Event.Type.OFFERS).getOffers().getOffersList());
    }
  }

  /** Has a generation that an agent took over; gives the agent. */
  private TestAgent generation() throws Exception {
    TestAgent first = agent(5001);
    roll("1.0.0", "pause=0secs");
    wanted(first, 1);
    says(first, 1, State.ACTIVE, "");
    Await.until("the first generation is there", () -> state().equals("DONE"));
    return first;
  }

  @Test
  void nothingOfANewAgentIsOfferedBeforeItHasWhatIsWanted() throws Exception {
    TestAgent first = generation();
    offer(first);
    TestAgent second = agent(5002);
    assertThat(wanted(second, 1).getModules(0).getSymbolicName()).isEqualTo(MODULE);
    assertThat(awaits(second)).hasValueSatisfying(it -> assertThat(it).contains("generation 1"));
    says(second, 1, State.PENDING, "");
    Await.until("it says why", () -> awaits(second).orElse("").contains("not active there yet"));
    says(second, 1, State.FAILED, "no room");
    Await.until("it has failed", () -> awaits(second).orElse("").endsWith(": no room"));

    // One that comes later and has it is offered first.
    TestAgent third = agent(5003);
    says(third, 1, State.ACTIVE, "");
    offer(third);
    assertThat(cluster.state().account(second.id).offers()).isEmpty();
    assertThat(report()).containsPattern("\"no_offers\":\"[^\"]*: no room\"");
    assertThat(operator.request("GET", "/metrics/snapshot", ""))
        .contains("\"master/mezzo/modules/agents_waiting\":1");

    says(second, 1, State.ACTIVE, "");
    offer(second);
    // It goes on from then on, whatever becomes of the module.
    says(second, 1, State.UNHEALTHY, "quarantined");
    Await.until("the master has heard it", () -> report().contains("\"problem\":\"quarantined"));
    assertThat(awaits(second)).isEmpty();
  }

  @Test
  void agentThatComesBackKeepsItsTasksWhileItWaits() throws Exception {
    TestAgent agent = generation();
    launch(agent, "t");
    agent.disconnect();
    Await.until("it is away", () -> !cluster.state().agents().get(agent.id).connected());
    link(agent).reregister();
    Await.until("it waits", () -> awaits(agent).isPresent());
    assertThat(cluster.state().frameworks().get(scheduler.id).tasks()).containsKey("t");
    assertThat(scheduler.events).noneMatch(Event::hasUpdate);

    says(agent, 1, State.ACTIVE, "");
    offer(agent);
    assertThat(awaits(agent)).isEmpty();
  }

  @Test
  void agentThatTakesNoModulesIsOfferedAsBefore() throws Exception {
    generation();
    TestAgent old = new TestAgent(5004, RESOURCES).connect(cluster.links).register();

    offer(old);
  }

  @Test
  void tasksThatFailOnceChangedUndoTheRollout() throws Exception {
    TestAgent first = agent(5001);
    TestAgent second = agent(5002);
    says(first, 0, State.ACTIVE, "");
    says(second, 0, State.ACTIVE, "");
    for (TestAgent agent : List.of(first, second)) {
      for (int i = 0; i < 10; i++) {
        launch(agent, agent.id + "-before-" + i);
        end(agent, agent.id + "-before-" + i, TaskState.TASK_FINISHED);
      }
    }
    roll("1.0.0", "pause=1hrs");
    Await.until(
        "one is told",
        () ->
            first.received.stream().anyMatch(it -> wants(it, 1))
                || second.received.stream().anyMatch(it -> wants(it, 1)));
    TestAgent touched = report().contains("\"touched\":[\"" + first.id) ? first : second;
    wanted(touched, 1);
    says(touched, 1, State.ACTIVE, "");

    for (int i = 0; i < 5; i++) {
      assertThat(state()).isEqualTo("RUNNING");
      launch(touched, "after-" + i);
      end(touched, "after-" + i, TaskState.TASK_FAILED);
    }
    Await.until("it goes back", () -> state().equals("ROLLING_BACK"));
    assertThat(report()).contains("5 of 5 tasks that ended since failed, and 0 of 20 before");
    wanted(touched, 0);
  }

  private void launch(TestAgent agent, String task) throws Exception {
    Offer offer = offer(agent);
    TaskInfo.Builder info =
        TaskInfo.newBuilder()
            .setName(task)
            .setTaskId(TaskID.newBuilder().setValue(task))
            .setAgentId(offer.getAgentId());
    for (Resource resource : offer.getResourcesList()) {
      info.addResources(
          resource.toBuilder().setScalar(Value.Scalar.newBuilder().setValue(1)).build());
    }
    info.getCommandBuilder().setValue("true");
    Call.Builder accept = Call.newBuilder().setType(Call.Type.ACCEPT);
    accept.getAcceptBuilder().addOfferIds(offer.getId()).getFiltersBuilder().setRefuseSeconds(0);
    accept
        .getAcceptBuilder()
        .addOperationsBuilder()
        .setType(Offer.Operation.Type.LAUNCH)
        .getLaunchBuilder()
        .addTaskInfos(info);
    scheduler.accepted(accept);
    Await.until(task + " is to run", () -> agent.tasks.containsKey(task));
  }

  private void end(TestAgent agent, String task, TaskState state) throws Exception {
    byte[] uuid = agent.update(task, state, null);
    scheduler.await(
        event ->
            event.hasUpdate() && event.getUpdate().getStatus().getTaskId().getValue().equals(task));
    scheduler.acknowledge(agent.id, task, uuid);
  }
}
