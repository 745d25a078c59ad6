package org.mezzo.master;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.mezzo.link.messages.MasterEvent;
import org.mezzo.link.messages.RunTask;
import org.mezzo.master.testing.TestAgent;
import org.mezzo.master.testing.TestCluster;
import org.mezzo.master.testing.TestScheduler;
import org.mezzo.protocol.v1.FrameworkInfo;
import org.mezzo.protocol.v1.Offer;
import org.mezzo.protocol.v1.TaskInfo;
import org.mezzo.protocol.v1.TaskState;
import org.mezzo.protocol.v1.TaskStatus;
import org.mezzo.protocol.v1.scheduler.Call;
import org.mezzo.protocol.v1.scheduler.Event;

/** {@code --no-root_submissions} keeps root out under each of its names, also of single tasks. */
class RootSubmissionsTest {
  @TempDir Path workDir;

  private static FrameworkInfo info(String user) {
    return TestScheduler.info("test").setUser(user).build();
  }

  @ParameterizedTest
  @ValueSource(strings = {"root", "0"})
  void frameworksOfRootAreRefused(String user) throws Exception {
    try (TestCluster cluster = new TestCluster(workDir, "root_submissions=false");
        TestScheduler scheduler = TestScheduler.json(cluster.address()).subscribe(info(user))) {
      assertThat(scheduler.await(Event.Type.ERROR).getError().getMessage())
          .isEqualTo(
              "User '"
                  + user
                  + "' is not allowed to run frameworks without --root_submissions set");
    }
  }

  @Test
  void tasksOfRootAreRefusedAndAgentsAreTold() throws Exception {
    try (TestCluster cluster = new TestCluster(workDir, "root_submissions=false");
        TestScheduler scheduler =
            TestScheduler.json(cluster.address()).subscribed(info("nobody"))) {
      TestAgent agent = cluster.agent(25052, "cpus:4;mem:4096");
      Offer offer = scheduler.await(Event.Type.OFFERS).getOffers().getOffers(0);
      Call.Accept.Builder accept = Call.Accept.newBuilder().addOfferIds(offer.getId());
      Offer.Operation.Builder launch =
          accept.addOperationsBuilder().setType(Offer.Operation.Type.LAUNCH);
      for (String user : new String[] {"root", "0", "daemon"}) {
        TaskInfo.Builder task = launch.getLaunchBuilder().addTaskInfosBuilder();
        task.setName("t").getTaskIdBuilder().setValue("as-" + user);
        task.setAgentId(offer.getAgentId());
        task.getCommandBuilder().setValue("id").setUser(user);
        task.addResourcesBuilder()
            .setName("cpus")
            .setType(org.mezzo.protocol.v1.Value.Type.SCALAR)
            .setScalar(org.mezzo.protocol.v1.Value.Scalar.newBuilder().setValue(1))
            .getAllocationInfoBuilder()
            .setRole("test");
      }
      scheduler.accepted(Call.newBuilder().setType(Call.Type.ACCEPT).setAccept(accept));
      for (String user : new String[] {"root", "0"}) {
        TaskStatus status = scheduler.await(Event.Type.UPDATE).getUpdate().getStatus();
        assertThat(status.getTaskId().getValue()).isEqualTo("as-" + user);
        assertThat(status.getState()).isEqualTo(TaskState.TASK_ERROR);
        assertThat(status.getReason()).isEqualTo(TaskStatus.Reason.REASON_TASK_INVALID);
        assertThat(status.getMessage()).contains("'" + user + "'", "--root_submissions");
      }
      RunTask run = agent.await(MasterEvent::hasRunTask).getRunTask();
      assertThat(run.getTasks(0).getTaskId().getValue()).isEqualTo("as-daemon");
      assertThat(run.getRootRefused()).isTrue();
    }
  }
}
