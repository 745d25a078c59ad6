package org.mezzo.master;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.function.Predicate;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.mezzo.link.LinkClient;
import org.mezzo.link.Links;
import org.mezzo.link.messages.AgentCall;
import org.mezzo.link.messages.Hello;
import org.mezzo.link.messages.MasterEvent;
import org.mezzo.link.messages.Pong;
import org.mezzo.link.messages.Refusal;
import org.mezzo.link.messages.Register;
import org.mezzo.link.messages.Reregister;
import org.mezzo.link.messages.Unregister;
import org.mezzo.link.messages.Welcome;
import org.mezzo.master.testing.InMemoryCoordination;
import org.mezzo.master.testing.TestCluster;
import org.mezzo.master.testing.TestScheduler;
import org.mezzo.protocol.v1.Address;
import org.mezzo.protocol.v1.AgentID;
import org.mezzo.protocol.v1.AgentInfo;
import org.mezzo.protocol.v1.CommandInfo;
import org.mezzo.protocol.v1.Offer;
import org.mezzo.protocol.v1.TaskID;
import org.mezzo.protocol.v1.TaskInfo;
import org.mezzo.protocol.v1.scheduler.Call;
import org.mezzo.protocol.v1.scheduler.Event;
import org.mezzo.resources.Resources;

/** A machine that was copied with its agent while the agent runs (rule 136), over real links. */
class CloneTest {
  @TempDir Path workDir;

  @Test
  void theCloneIsToldToEndAndTheGenuineAgentKeepsItsTasks() throws Exception {
    try (Links.Server server = Links.server();
        Links.Client client = Links.client();
        TestCluster cluster = new TestCluster(workDir, new InMemoryCoordination(), server)) {
      Agent genuine = new Agent(client, cluster, "p", 3);
      genuine.register("10.0.0.1", "h");
      String id = genuine.await(MasterEvent::hasRegistered).getRegistered().getAgentId().getValue();
      try (TestScheduler scheduler =
          TestScheduler.json(cluster.address()).subscribed(TestScheduler.info("test").build())) {
        launch(scheduler, "t");
        genuine.await(MasterEvent::hasRunTask);

        // It has the memory of the other: the same process, and the next connection.
        Agent clone = new Agent(client, cluster, "p", 5);
        clone.reregister(id, "10.0.0.2", "h2");
        assertThat(clone.await(MasterEvent::hasShutdown).getShutdown().getMessage())
            .contains("different IP / hostname");
        // What it says of the other's behalf is not heard.
        clone.link.send(AgentCall.newBuilder().setUnregister(Unregister.getDefaultInstance()));
        scheduler.accepted(
            Call.newBuilder()
                .setType(Call.Type.KILL)
                .setKill(Call.Kill.newBuilder().setTaskId(TaskID.newBuilder().setValue("t"))));
        assertThat(genuine.await(MasterEvent::hasKillTask).getKillTask().getTaskId().getValue())
            .isEqualTo("t");

        clone.link.close();
        clone.awaitClosed();
        scheduler.accepted(
            Call.newBuilder()
                .setType(Call.Type.KILL)
                .setKill(Call.Kill.newBuilder().setTaskId(TaskID.newBuilder().setValue("t"))));
        genuine.await(MasterEvent::hasKillTask);
        assertThat(genuine.closed).isEmpty();
        assertThat(clone.received).noneMatch(MasterEvent::hasKillTask);
        assertThat(cluster.state().agents().get(id).connected()).isTrue();
        assertThat(cluster.state().frameworks().get(scheduler.id).tasks()).containsKey("t");
        assertThat(scheduler.events)
            .noneMatch(event -> event.hasUpdate() || event.hasFailure() || event.hasRescind());
      }
    }
  }

  @Test
  void anOldConnectionOfAnAgentIsRefused() throws Exception {
    try (Links.Server server = Links.server();
        Links.Client client = Links.client();
        TestCluster cluster = new TestCluster(workDir, new InMemoryCoordination(), server)) {
      Agent newer = new Agent(client, cluster, "p", 3);
      newer.register("10.0.0.1", "h");
      String id = newer.await(MasterEvent::hasRegistered).getRegistered().getAgentId().getValue();

      Agent older = new Agent(client, cluster, "p", 2);
      older.reregister(id, "10.0.0.1", "h");
      assertThat(older.refusals.poll(60, TimeUnit.SECONDS).getReason())
          .isEqualTo("This agent was admitted on a newer connection");
      older.awaitClosed();
      Agent first = new Agent(client, cluster, "p", 1);
      first.register("10.0.0.1", "h");
      assertThat(first.refusals.poll(60, TimeUnit.SECONDS)).isNotNull();
      assertThat(newer.closed).isEmpty();

      Agent next = new Agent(client, cluster, "p", 4);
      next.reregister(id, "10.0.0.1", "h");
      next.await(MasterEvent::hasReregistered);
      newer.awaitClosed();
      assertThat(cluster.state().agents().get(id).connected()).isTrue();
    }
  }

  private static void launch(TestScheduler scheduler, String id) throws Exception {
    Offer offer = scheduler.await(Event.Type.OFFERS).getOffers().getOffers(0);
    Call.Accept.Builder accept = Call.Accept.newBuilder().addOfferIds(offer.getId());
    accept
        .addOperationsBuilder()
        .setType(Offer.Operation.Type.LAUNCH)
        .getLaunchBuilder()
        .addTaskInfos(
            TaskInfo.newBuilder()
                .setName(id)
                .setTaskId(TaskID.newBuilder().setValue(id))
                .setAgentId(offer.getAgentId())
                .addAllResources(offer.getResourcesList())
                .setCommand(CommandInfo.newBuilder().setValue("true")));
    scheduler.accepted(Call.newBuilder().setType(Call.Type.ACCEPT).setAccept(accept));
  }

  /** The agent's end of a real link. */
  private static final class Agent implements LinkClient.Listener {
    final BlockingQueue<MasterEvent> received = new LinkedBlockingQueue<>();
    final BlockingQueue<Refusal> refusals = new LinkedBlockingQueue<>();
    final BlockingQueue<String> closed = new LinkedBlockingQueue<>();
    final LinkClient.Connection link;

    Agent(LinkClient client, TestCluster cluster, String process, long epoch) {
      link =
          client.connect(
              cluster.address(),
              Hello.newBuilder().setProcessId(process).setConnectionEpoch(epoch).build(),
              this);
    }

    private static AgentInfo.Builder info(String hostname) throws Exception {
      return AgentInfo.newBuilder()
          .setHostname(hostname)
          .addAllResources(
              Resources.parse("cpus:1;mem:100", "*").toMessages(Resources.Format.POST_REFINEMENT));
    }

    void register(String ip, String hostname) throws Exception {
      link.send(
          AgentCall.newBuilder()
              .setRegister(
                  Register.newBuilder()
                      .setAgent(info(hostname))
                      .setVersion("1.12.0")
                      .setResourceVersionUuid("v")
                      .addCapabilities(
                          AgentInfo.Capability.newBuilder()
                              .setType(AgentInfo.Capability.Type.MULTI_ROLE))
                      .setAddress(Address.newBuilder().setIp(ip).setPort(5051))));
    }

    void reregister(String id, String ip, String hostname) throws Exception {
      link.send(
          AgentCall.newBuilder()
              .setReregister(
                  Reregister.newBuilder()
                      .setAgent(info(hostname).setId(AgentID.newBuilder().setValue(id)))
                      .setVersion("1.12.0")
                      .setResourceVersionUuid("v")
                      .setAddress(Address.newBuilder().setIp(ip).setPort(5051))));
    }

    MasterEvent await(Predicate<MasterEvent> wanted) throws Exception {
      while (true) {
        MasterEvent event = received.poll(60, TimeUnit.SECONDS);
        assertThat(event).as("an event").isNotNull();
        if (wanted.test(event)) {
          return event;
        }
      }
    }

    void awaitClosed() throws Exception {
      assertThat(closed.poll(60, TimeUnit.SECONDS)).as("the end of the link").isNotNull();
    }

    @Override
    public void opened(Welcome welcome) {}

    @Override
    public void refused(Refusal refusal) {
      refusals.add(refusal);
    }

    @Override
    public void event(MasterEvent event) {
      if (event.hasPing()) {
        link.send(AgentCall.newBuilder().setPong(Pong.getDefaultInstance()));
      } else {
        received.add(event);
      }
    }

    @Override
    public void closed(String reason) {
      closed.add(reason);
    }
  }
}
