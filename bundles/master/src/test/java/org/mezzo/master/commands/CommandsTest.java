package org.mezzo.master.commands;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.mezzo.fixtures.Await;
import org.mezzo.link.messages.MasterEvent;
import org.mezzo.master.testing.TestAgent;
import org.mezzo.master.testing.TestCluster;
import org.mezzo.master.testing.TestScheduler;
import org.mezzo.protocol.v1.CommandInfo;
import org.mezzo.protocol.v1.Offer;
import org.mezzo.protocol.v1.TaskID;
import org.mezzo.protocol.v1.TaskInfo;
import org.mezzo.protocol.v1.scheduler.Call;
import org.mezzo.protocol.v1.scheduler.Event;

/** What somebody in a master's shell sees of the cluster, and has the master do. */
@Timeout(60)
class CommandsTest {
  @TempDir Path workDir;

  /** The rows below the titles that have a text in some cell. */
  private static List<String> having(List<List<String>> rows, String text) {
    return rows.stream()
        .skip(1)
        .map(row -> String.join("|", row))
        .filter(row -> row.contains(text))
        .toList();
  }

  private static void launch(TestScheduler scheduler, String task) throws Exception {
    Offer offer = scheduler.await(Event.Type.OFFERS).getOffers().getOffers(0);
    Call.Builder call = Call.newBuilder().setType(Call.Type.ACCEPT);
    call.getAcceptBuilder()
        .addOfferIds(offer.getId())
        .addOperationsBuilder()
        .setType(Offer.Operation.Type.LAUNCH)
        .getLaunchBuilder()
        .addTaskInfos(
            TaskInfo.newBuilder()
                .setName("the " + task)
                .setTaskId(TaskID.newBuilder().setValue(task))
                .setAgentId(offer.getAgentId())
                .setCommand(CommandInfo.newBuilder().setValue("true"))
                .addAllResources(offer.getResourcesList()));
    scheduler.accepted(call);
  }

  @Test
  void theClusterIsShownAsItIs() throws Exception {
    try (TestCluster cluster = new TestCluster(workDir);
        TestScheduler scheduler =
            TestScheduler.json(cluster.address())
                .subscribed(TestScheduler.info("a").addRoles("b").build())) {
      TestAgent agent = cluster.agent(5051, "cpus:400;mem:1000");
      ClusterCommands commands = cluster.master.clusterCommands();
      Await.until(() -> !cluster.state().offers().isEmpty());
      assertThat(having(commands.offers(), scheduler.id))
          .hasSize(1)
          .first()
          .asString()
          .contains(agent.id, "cpus:400 mem:1000");
      launch(scheduler, "t");
      agent.await(MasterEvent::hasRunTask);

      assertThat(commands.cluster())
          .anyMatch(row -> row.get(0).equals("agents") && row.get(1).startsWith("1 registered, 1"))
          .anyMatch(row -> row.get(1).equals("1 TASK_STAGING"))
          .contains(List.of("resources", "cpus:400 mem:1000"))
          .contains(List.of("of them used", "cpus:400 mem:1000"));
      assertThat(having(commands.agents(), agent.id))
          .hasSize(1)
          .first()
          .asString()
          .contains("|active|1|cpus:400 mem:1000|");
      assertThat(having(commands.frameworks(), scheduler.id))
          .hasSize(1)
          .first()
          .asString()
          .contains("|active|a,b|1|cpus:400 mem:1000|");
      for (List<List<String>> tasks :
          List.of(commands.tasks(), commands.tasks(scheduler.id), commands.tasks(agent.id))) {
        assertThat(having(tasks, "t|the t|TASK_STAGING|" + scheduler.id)).hasSize(1);
      }
      assertThat(having(commands.roles(), "b|1.0|1|")).hasSize(1);
      assertThat(commands.quota()).hasSize(1);
      assertThat(commands.apply(List.of("tasks")))
          .containsExactlyInAnyOrder(scheduler.id, agent.id);
      assertThatThrownBy(() -> commands.tasks("nobody"))
          .hasMessageContaining("the id 'nobody'")
          .hasMessageContaining("mezzo:frameworks");
    }
  }

  @Test
  void aMasterThatDoesNotLeadSaysWhoDoes() throws Exception {
    try (TestCluster cluster = new TestCluster(workDir)) {
      cluster.coordination.depose();
      Await.until(() -> cluster.master.cluster().state().isEmpty());
      assertThatThrownBy(() -> cluster.master.clusterCommands().agents())
          .hasMessageContaining("does not lead")
          .hasMessageContaining("nobody does now");
      OperatorCommands commands = cluster.master.operatorCommands();
      assertThatThrownBy(() -> commands.drain("S1")).hasMessage("No leader elected");
      assertThatThrownBy(commands::rollouts).hasMessage("No leader elected");
      assertThat(commands.apply(List.of("drain"))).isEmpty();
    }
  }

  @Test
  void agentsAreDrainedAndComeBackAsOverHttp() throws Exception {
    try (TestCluster cluster = new TestCluster(workDir)) {
      TestAgent agent = cluster.agent(5051, "cpus:4;mem:1000");
      ClusterCommands shown = cluster.master.clusterCommands();
      OperatorCommands commands = cluster.master.operatorCommands();
      assertThat(commands.apply(List.of("drain"))).containsExactly(agent.id);
      assertThatThrownBy(() -> commands.drain("nope")).hasMessage("Unknown agent");
      assertThatThrownBy(() -> commands.drain(agent.id, "soon"))
          .hasMessageContaining("'soon'")
          .hasMessageContaining("30secs");
      assertThatThrownBy(() -> commands.reactivate(agent.id))
          .hasMessage("Agent is not deactivated");

      assertThat(commands.deactivate(agent.id)).contains("Nothing of agent " + agent.id);
      assertThat(having(shown.agents(), "|deactivated|")).hasSize(1);
      assertThat(commands.reactivate(agent.id)).contains("is offered again");
      assertThat(having(shown.agents(), "|active|")).hasSize(1);

      assertThat(commands.drain(agent.id, "2secs")).contains("gives up its tasks");
      assertThat(
              agent
                  .await(MasterEvent::hasDrain)
                  .getDrain()
                  .getConfig()
                  .getMaxGracePeriod()
                  .getNanoseconds())
          .isEqualTo(2_000_000_000L);
      Await.until(
          () ->
              !having(shown.agents(), "|draining|").isEmpty()
                  || !having(shown.agents(), "|drained|").isEmpty());
    }
  }

  @Test
  void rolloutsAreShownAndOrdersThatMeanNothingAreNot() throws Exception {
    try (TestCluster cluster = new TestCluster(workDir)) {
      TestAgent agent = cluster.agent(5051, "cpus:4;mem:1000");
      OperatorCommands commands = cluster.master.operatorCommands();
      assertThat(commands.rollouts().get(1)).containsExactly("(wanted)", "", "0", "nothing");
      assertThat(having(commands.rollouts(), agent.id)).hasSize(1);
      assertThatThrownBy(() -> commands.rollout("pause")).hasMessage("No rollout is under way");
      assertThatThrownBy(() -> commands.rollout("begin"))
          .hasMessageContaining("'begin'")
          .hasMessageContaining("pause, resume, abort, rollback")
          .hasMessageContaining("mezzo module rollout");
      assertThat(commands.apply(List.of("rollout")))
          .containsExactly("pause", "resume", "abort", "rollback");
    }
  }
}
