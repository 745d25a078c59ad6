package org.mezzo.master.transitions;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.ByteString;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.mezzo.link.messages.MasterEvent;
import org.mezzo.link.messages.StatusUpdate;
import org.mezzo.master.state.Happening;
import org.mezzo.master.state.MasterState;
import org.mezzo.master.state.Task;
import org.mezzo.protocol.v1.TaskState;
import org.mezzo.protocol.v1.TaskStatus;

class StatusesTest {
  private final Given given = new Given(new MasterState.Limits(2, 3, 3, 3));
  private final String agent = given.agentOn(1, "cpus:4");
  private final String framework = given.partitionAware("r");
  private final Task task = given.launched(framework, agent, "t", "cpus:1");

  /** Rule 48. */
  @Test
  void anUpdateGoesToTheFrameworkWithItsAgent() {
    given.updated(task, TaskState.TASK_RUNNING);
    TaskStatus status = given.update(framework);
    assertThat(status.getUuid()).isEqualTo(Given.uuid(TaskState.TASK_RUNNING));
    assertThat(status.getAgentId().getValue()).isEqualTo(agent);
    assertThat(status.getSource()).isEqualTo(TaskStatus.Source.SOURCE_EXECUTOR);
    assertThat(given.happenings()).singleElement().isInstanceOf(Happening.TaskUpdated.class);
    assertThat(given.counted())
        .containsExactly("master/messages_status_update", "master/valid_status_updates");
    assertThat(given.task(framework, "t").state()).isEqualTo(TaskState.TASK_RUNNING);
  }

  /** Rules 103 and 104. */
  @Test
  void theLatestStateCountsAtOnceAndTheOneSentIsKeptBeside() {
    StatusUpdate late =
        Given.saying(task, TaskState.TASK_RUNNING).setLatestState(TaskState.TASK_FINISHED).build();
    given.run(tx -> Statuses.update(tx, agent, late));
    Task now = given.task(framework, "t");
    assertThat(now.state()).isEqualTo(TaskState.TASK_FINISHED);
    assertThat(now.message().getStatusUpdateState()).isEqualTo(TaskState.TASK_RUNNING);
    assertThat(given.account(agent).free()).isEqualTo(given.account(agent).total());
  }

  /** Rule 105. */
  @Test
  void ofEqualStatesTheLastIsKeptWithoutItsData() {
    for (String data : new String[] {"a", "b"}) {
      StatusUpdate.Builder update = Given.saying(task, TaskState.TASK_RUNNING);
      update.getStatusBuilder().setData(ByteString.copyFromUtf8(data)).setMessage(data);
      given.run(tx -> Statuses.update(tx, agent, update.build()));
      assertThat(given.update(framework).getData().toStringUtf8()).isEqualTo(data);
    }
    assertThat(given.task(framework, "t").message().getStatusesList())
        .singleElement()
        .satisfies(
            status -> {
              assertThat(status.getMessage()).isEqualTo("b");
              assertThat(status.hasData()).isFalse();
            });
    assertThat(given.happenings()).isEmpty();
  }

  /** Rules 94, 106 and 107. */
  @ParameterizedTest
  @EnumSource(
      value = TaskState.class,
      names = {
        "TASK_FINISHED",
        "TASK_FAILED",
        "TASK_KILLED",
        "TASK_ERROR",
        "TASK_LOST",
        "TASK_DROPPED",
        "TASK_GONE",
        "TASK_GONE_BY_OPERATOR"
      })
  void theFirstEndIsTheLastAndFreesTheResourcesOnce(TaskState end) {
    given.updated(task, end);
    assertThat(given.account(agent).free()).isEqualTo(given.account(agent).total());
    assertThat(given.toldAllocator()).containsExactly("released");
    assertThat(given.task(framework, "t").released()).isTrue();
    assertThat(given.counted())
        .contains(
            "master/" + end.name().toLowerCase(java.util.Locale.ROOT).replace("task_", "tasks_"));
    TaskState other =
        end == TaskState.TASK_FAILED ? TaskState.TASK_FINISHED : TaskState.TASK_FAILED;
    given.updated(task, other);
    assertThat(given.task(framework, "t").state()).isEqualTo(end);
    assertThat(given.toldAllocator()).isEmpty();
    assertThat(given.updates(framework)).hasSize(1);
  }

  /** Rule 101. */
  @Test
  void anAcknowledgedEndMakesTheTaskACompletedOne() {
    given.updated(task, TaskState.TASK_RUNNING).acknowledge(task, TaskState.TASK_RUNNING);
    assertThat(given.toldAgent(agent)).hasSize(1).allMatch(MasterEvent::hasAcknowledgeUpdate);
    assertThat(given.framework(framework).tasks()).containsOnlyKeys("t");
    given.updated(task, TaskState.TASK_FINISHED).acknowledge(task, TaskState.TASK_RUNNING);
    assertThat(given.framework(framework).tasks()).as("another uuid").containsOnlyKeys("t");
    given.acknowledge(task, TaskState.TASK_FINISHED);
    assertThat(given.framework(framework).tasks()).isEmpty();
    assertThat(given.framework(framework).completedTasks())
        .extracting(Task::id)
        .containsExactly("t");
    assertThat(given.agent(agent).tasks()).isEmpty();
  }

  @Test
  void completedTasksAreRememberedUpToTheLimit() {
    for (int i = 0; i < 4; i++) {
      Task next = given.launched(framework, agent, "t" + i, "cpus:1");
      given.updated(next, TaskState.TASK_FINISHED).acknowledge(next, TaskState.TASK_FINISHED);
    }
    assertThat(given.framework(framework).completedTasks())
        .extracting(Task::id)
        .containsExactly("t1", "t2", "t3");
  }

  /** Rule 101: dropped. */
  @Test
  void anAcknowledgementForAnAgentThatIsAwayIsDropped() {
    given.updated(task, TaskState.TASK_FINISHED);
    given.run(
        tx -> {
          tx.put(tx.agent(agent).connected(false));
          AllocatorFeed.tellUpdated(tx, agent);
        });
    given.acknowledge(task, TaskState.TASK_FINISHED);
    assertThat(given.effects()).isEmpty();
    assertThat(given.counted()).containsExactly("master/invalid_status_update_acknowledgements");
    assertThat(given.framework(framework).tasks()).containsOnlyKeys("t");
  }

  @Test
  void anAcknowledgementOfNothingSentIsDropped() {
    given.acknowledge(task, TaskState.TASK_RUNNING);
    assertThat(given.effects()).isEmpty();
    assertThat(given.counted()).containsExactly("master/invalid_status_update_acknowledgements");
  }

  /** Rule 111 and those of strangers. */
  @Test
  void updatesOfTasksTheMasterDoesNotKnowGoThroughAndChangeNothing() {
    StatusUpdate.Builder unknown = Given.saying(task, TaskState.TASK_DROPPED);
    unknown.getStatusBuilder().setTaskId(Given.id("x"));
    MasterState before = given.state();
    given.run(tx -> Statuses.update(tx, agent, unknown.build()));
    assertThat(given.updates(framework)).hasSize(1);
    assertThat(given.state()).isEqualTo(before);
    assertThat(given.counted()).contains("master/invalid_status_updates");

    String other = given.agentOn(2, "cpus:1");
    given.run(tx -> Statuses.update(tx, other, Given.saying(task, TaskState.TASK_LOST).build()));
    assertThat(given.task(framework, "t").state()).isEqualTo(TaskState.TASK_STAGING);

    StatusUpdate.Builder strange = Given.saying(task, TaskState.TASK_LOST);
    strange.getFrameworkIdBuilder().setValue("x");
    given.run(tx -> Statuses.update(tx, agent, strange.build()));
    assertThat(given.effects()).isEmpty();
  }

  /** Rule 40. */
  @Test
  void aFrameworkThatIsAwayIsSentNothing() {
    given.disconnect(framework);
    given.updated(task, TaskState.TASK_RUNNING);
    assertThat(given.effects(Effect.Send.class)).isEmpty();
    assertThat(given.task(framework, "t").state()).isEqualTo(TaskState.TASK_RUNNING);
  }

  /** An update without uuid is not acknowledged: its end completes the task. */
  @Test
  void anEndThatNobodyAcknowledgesCompletesTheTask() {
    StatusUpdate.Builder update = Given.saying(task, TaskState.TASK_LOST);
    update.getStatusBuilder().clearUuid();
    given.run(tx -> Statuses.update(tx, agent, update.build()));
    assertThat(given.framework(framework).tasks()).isEmpty();
    assertThat(given.framework(framework).completedTasks()).hasSize(1);
  }
}
