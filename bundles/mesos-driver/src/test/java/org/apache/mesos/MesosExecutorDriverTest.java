package org.apache.mesos;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.protobuf.ByteString;
import com.google.protobuf.InvalidProtocolBufferException;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.apache.mesos.v1.Protos.AgentID;
import org.apache.mesos.v1.Protos.AgentInfo;
import org.apache.mesos.v1.Protos.CommandInfo;
import org.apache.mesos.v1.Protos.ExecutorID;
import org.apache.mesos.v1.Protos.ExecutorInfo;
import org.apache.mesos.v1.Protos.FrameworkInfo;
import org.apache.mesos.v1.Protos.TaskID;
import org.apache.mesos.v1.Protos.TaskInfo;
import org.apache.mesos.v1.executor.Protos.Call;
import org.apache.mesos.v1.executor.Protos.Event;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@Timeout(60)
class MesosExecutorDriverTest {
  private final ToldExecutor executor = new ToldExecutor();
  private final CountDownLatch ended = new CountDownLatch(1);

  /** Counted down instead of the end of this process. */
  private final CountDownLatch exited = new CountDownLatch(1);

  private final MesosExecutorDriver driver =
      new MesosExecutorDriver(executor) {
        @Override
        void exit() {
          exited.countDown();
        }
      };
  private final Map<String, String> environment = new HashMap<>();
  private ScriptedServer agent;

  @BeforeEach
  void open() throws Exception {
    agent = ScriptedServer.agent();
    environment.put("MESOS_SLAVE_PID", "slave(1)@" + agent.address());
    environment.put("MESOS_FRAMEWORK_ID", "f-1");
    environment.put("MESOS_EXECUTOR_ID", "e-1");
    environment.put("MESOS_CHECKPOINT", "1");
    environment.put("MESOS_RECOVERY_TIMEOUT", "15mins");
    environment.put("MESOS_EXECUTOR_SHUTDOWN_GRACE_PERIOD", "100ms");
  }

  @AfterEach
  void close() throws Exception {
    ended.countDown();
    agent.close();
    driver.stop();
  }

  private static byte[] subscribed() {
    return Event.newBuilder()
        .setType(Event.Type.SUBSCRIBED)
        .setSubscribed(
            Event.Subscribed.newBuilder()
                .setExecutorInfo(
                    ExecutorInfo.newBuilder()
                        .setExecutorId(ExecutorID.newBuilder().setValue("e-1"))
                        .setCommand(CommandInfo.newBuilder().setValue("x")))
                .setFrameworkInfo(FrameworkInfo.newBuilder().setUser("u").setName("tested"))
                .setAgentInfo(AgentInfo.newBuilder().setHostname("h")))
        .build()
        .toByteArray();
  }

  private static byte[] launch(String id) {
    return Event.newBuilder()
        .setType(Event.Type.LAUNCH)
        .setLaunch(
            Event.Launch.newBuilder()
                .setTask(
                    TaskInfo.newBuilder()
                        .setName(id)
                        .setTaskId(TaskID.newBuilder().setValue(id))
                        .setAgentId(AgentID.newBuilder().setValue("a1"))))
        .build()
        .toByteArray();
  }

  private static byte[] event(Event.Builder event) {
    return event.build().toByteArray();
  }

  private static byte[] acknowledged(Call.Update update) {
    return event(
        Event.newBuilder()
            .setType(Event.Type.ACKNOWLEDGED)
            .setAcknowledged(
                Event.Acknowledged.newBuilder()
                    .setTaskId(update.getStatus().getTaskId())
                    .setUuid(update.getStatus().getUuid())));
  }

  private ScriptedServer.Script telling(byte[]... events) {
    return subscription -> {
      subscription.open();
      subscription.events(events);
      ended.await();
    };
  }

  private static Protos.TaskStatus status(String id, Protos.TaskState state) {
    return Protos.TaskStatus.newBuilder()
        .setTaskId(Protos.TaskID.newBuilder().setValue(id))
        .setState(state)
        .build();
  }

  private Call sent() throws Exception {
    return Call.parseFrom(agent.call().body());
  }

  private static Call call(ScriptedServer.Request request) throws InvalidProtocolBufferException {
    return Call.parseFrom(request.body());
  }

  @Test
  void whatTheAgentSaysIsTold() throws Exception {
    agent.then(
        telling(
            subscribed(),
            launch("t1"),
            event(
                Event.newBuilder()
                    .setType(Event.Type.KILL)
                    .setKill(
                        Event.Kill.newBuilder().setTaskId(TaskID.newBuilder().setValue("t1")))),
            event(
                Event.newBuilder()
                    .setType(Event.Type.MESSAGE)
                    .setMessage(
                        Event.Message.newBuilder().setData(ByteString.copyFromUtf8("hello")))),
            event(Event.newBuilder().setType(Event.Type.HEARTBEAT)),
            event(Event.newBuilder().setType(Event.Type.SHUTDOWN))));
    environment.put("MESOS_EXECUTOR_AUTHENTICATION_TOKEN", "token");
    assertThat(driver.start(environment)).isEqualTo(Protos.Status.DRIVER_RUNNING);
    assertThat(executor.next()).isEqualTo("registered e-1 of tested on h");
    assertThat(executor.next()).isEqualTo("launch t1");
    assertThat(executor.next()).isEqualTo("kill t1");
    assertThat(executor.next()).isEqualTo("message hello");
    assertThat(executor.next()).isEqualTo("shutdown");
    assertThat(driver.join()).isEqualTo(Protos.Status.DRIVER_ABORTED);
    assertThat(exited.await(30, TimeUnit.SECONDS)).as("it goes on for no longer").isTrue();
    ScriptedServer.Request subscription = agent.subscriptions.take();
    assertThat(subscription.path()).isEqualTo("/api/v1/executor");
    assertThat(subscription.headers()).containsEntry("authorization", "Bearer token");
    assertThat(call(subscription).getFrameworkId().getValue()).isEqualTo("f-1");
    assertThat(call(subscription).getExecutorId().getValue()).isEqualTo("e-1");
    assertThat(call(subscription).hasSubscribe()).isTrue();
  }

  @Test
  void updatesAndMessagesAreSentInTheirOrder() throws Exception {
    agent.then(telling(subscribed()));
    driver.start(environment);
    executor.next();
    driver.sendStatusUpdate(status("t1", Protos.TaskState.TASK_RUNNING));
    driver.sendFrameworkMessage(new byte[] {7});
    driver.sendStatusUpdate(status("t1", Protos.TaskState.TASK_FINISHED));
    assertThat(driver.stop()).isEqualTo(Protos.Status.DRIVER_STOPPED);
    Call first = sent();
    assertThat(first.getUpdate().getStatus().getState().name()).isEqualTo("TASK_RUNNING");
    assertThat(first.getUpdate().getStatus().getUuid().size()).isEqualTo(16);
    assertThat(first.getUpdate().getStatus().getSource().name()).isEqualTo("SOURCE_EXECUTOR");
    assertThat(first.getUpdate().getStatus().getExecutorId().getValue()).isEqualTo("e-1");
    assertThat(first.getUpdate().getStatus().getTimestamp()).isPositive();
    assertThat(sent().getMessage().getData().toByteArray()).containsExactly(7);
    Call last = sent();
    assertThat(last.getUpdate().getStatus().getState().name()).isEqualTo("TASK_FINISHED");
    assertThat(last.getUpdate().getStatus().getUuid())
        .isNotEqualTo(first.getUpdate().getStatus().getUuid());
  }

  @Test
  void anAgentThatComesBackIsToldWhatItDoesNotKnow() throws Exception {
    CountDownLatch cut = new CountDownLatch(1);
    agent
        .then(
            subscription -> {
              subscription.open();
              subscription.events(subscribed(), launch("t1"), launch("t2"));
              subscription.events(acknowledged(call(agent.call()).getUpdate()));
              subscription.events(
                  event(
                      Event.newBuilder()
                          .setType(Event.Type.MESSAGE)
                          .setMessage(
                              Event.Message.newBuilder().setData(ByteString.copyFromUtf8("m")))));
              cut.await();
              throw new IllegalStateException("cut");
            })
        .then(telling(subscribed()));
    driver.start(environment);
    executor.next();
    executor.next();
    executor.next();
    driver.sendStatusUpdate(status("t1", Protos.TaskState.TASK_RUNNING));
    assertThat(executor.next()).isEqualTo("message m");
    CountDownLatch held = new CountDownLatch(1);
    executor.then =
        (driver, what) -> {
          if (what.equals("disconnected")) {
            driver.sendStatusUpdate(status("t1", Protos.TaskState.TASK_FINISHED));
            held.countDown();
          }
        };
    cut.countDown();
    assertThat(executor.next()).isEqualTo("disconnected");
    assertThat(held.await(30, TimeUnit.SECONDS)).isTrue();
    assertThat(executor.next()).isEqualTo("reregistered on h");
    agent.subscriptions.take();
    Call again = call(agent.subscriptions.take());
    assertThat(again.getSubscribe().getUnacknowledgedTasksList())
        .extracting(it -> it.getTaskId().getValue())
        .containsExactly("t2");
    assertThat(again.getSubscribe().getUnacknowledgedUpdatesList())
        .extracting(it -> it.getStatus().getState().name())
        .containsExactly("TASK_FINISHED");
    assertThat(sent().getUpdate().getStatus().getUuid())
        .as("the same, so that the agent knows it")
        .isEqualTo(again.getSubscribe().getUnacknowledgedUpdates(0).getStatus().getUuid());
  }

  @Test
  void anAgentThatDoesNotComeBackInTimeIsNotWaitedFor() throws Exception {
    environment.put("MESOS_RECOVERY_TIMEOUT", "200ms");
    agent.then(
        subscription -> {
          subscription.open();
          subscription.events(subscribed());
          throw new IllegalStateException("cut");
        });
    driver.start(environment);
    executor.next();
    assertThat(executor.next()).isEqualTo("disconnected");
    assertThat(executor.next()).isEqualTo("shutdown");
    assertThat(driver.join()).isEqualTo(Protos.Status.DRIVER_ABORTED);
    assertThat(exited.await(30, TimeUnit.SECONDS)).isTrue();
  }

  @Test
  void withoutCheckpointsNobodyWaitsForAnAgent() throws Exception {
    environment.put("MESOS_CHECKPOINT", "0");
    agent.then(
        subscription -> {
          subscription.open();
          subscription.events(subscribed());
          throw new IllegalStateException("cut");
        });
    driver.start(environment);
    executor.next();
    assertThat(executor.next()).isEqualTo("disconnected");
    assertThat(executor.next()).isEqualTo("shutdown");
    assertThat(exited.await(30, TimeUnit.SECONDS)).isTrue();
  }

  @Test
  void statusesAreThoseOfTheOriginal() throws Exception {
    assertThat(driver.stop()).isEqualTo(Protos.Status.DRIVER_NOT_STARTED);
    assertThat(driver.abort()).isEqualTo(Protos.Status.DRIVER_NOT_STARTED);
    assertThat(driver.join()).isEqualTo(Protos.Status.DRIVER_NOT_STARTED);
    Protos.TaskStatus running = status("t1", Protos.TaskState.TASK_RUNNING);
    assertThat(driver.sendStatusUpdate(running)).isEqualTo(Protos.Status.DRIVER_NOT_STARTED);
    assertThat(driver.sendFrameworkMessage(new byte[0]))
        .isEqualTo(Protos.Status.DRIVER_NOT_STARTED);
    agent.then(telling(subscribed()));
    driver.start(environment);
    executor.next();
    assertThat(driver.start(environment)).isEqualTo(Protos.Status.DRIVER_RUNNING);
    assertThat(driver.abort()).isEqualTo(Protos.Status.DRIVER_ABORTED);
    assertThat(driver.sendStatusUpdate(running)).isEqualTo(Protos.Status.DRIVER_ABORTED);
    assertThat(driver.sendFrameworkMessage(new byte[0])).isEqualTo(Protos.Status.DRIVER_ABORTED);
    assertThat(driver.stop()).isEqualTo(Protos.Status.DRIVER_ABORTED);
    assertThat(driver.stop()).isEqualTo(Protos.Status.DRIVER_STOPPED);
    assertThat(agent.calls).isEmpty();
  }

  @Test
  void stagingIsNotForExecutorsToSay() throws Exception {
    agent.then(telling(subscribed()));
    driver.start(environment);
    executor.next();
    driver.sendStatusUpdate(status("t1", Protos.TaskState.TASK_STAGING));
    assertThat(executor.next()).startsWith("error ").contains("TASK_STAGING");
    assertThat(driver.join()).isEqualTo(Protos.Status.DRIVER_ABORTED);
    assertThat(agent.calls).isEmpty();
  }

  @Test
  void anAgentThatRefusesEndsTheDriver() throws Exception {
    agent.then(subscription -> subscription.status(400, "", "Executor cannot be found"));
    driver.start(environment);
    assertThat(executor.next()).startsWith("error ").contains("cannot be found", "status 400");
    assertThat(driver.join()).isEqualTo(Protos.Status.DRIVER_ABORTED);
  }

  @Test
  void redirectsThatGoInACircleAreLeftAndTheAgentIsAskedAgain() throws Exception {
    for (int i = 0; i < 6; i++) {
      agent.then(
          subscription ->
              subscription.status(
                  307, "Location: //" + agent.address() + "/api/v1/executor\r\n", ""));
    }
    agent.then(telling(subscribed()));
    driver.start(environment);
    assertThat(executor.next()).startsWith("registered ");
    assertThat(agent.subscriptions).hasSize(7);
  }

  @Test
  void taskGroupsAreNotForExecutorsOfThisApi() throws Exception {
    agent.then(telling(subscribed(), event(Event.newBuilder().setType(Event.Type.LAUNCH_GROUP))));
    driver.start(environment);
    executor.next();
    assertThat(executor.next()).startsWith("error ").contains("task group");
  }

  @ParameterizedTest
  @ValueSource(strings = {"MESOS_SLAVE_PID", "MESOS_FRAMEWORK_ID", "MESOS_EXECUTOR_ID"})
  void whatAnAgentWouldSetIsNamedWhereItIsMissing(String name) throws Exception {
    environment.remove(name);
    assertThat(driver.start(environment)).isEqualTo(Protos.Status.DRIVER_ABORTED);
    assertThat(executor.next())
        .contains("Expecting '" + name + "' to be set in the environment", "started by an agent");
    assertThat(driver.join()).isEqualTo(Protos.Status.DRIVER_ABORTED);
  }

  @Test
  void durationsThatAreNoneAreNamed() throws Exception {
    environment.put("MESOS_RECOVERY_TIMEOUT", "soon");
    assertThat(driver.start(environment)).isEqualTo(Protos.Status.DRIVER_ABORTED);
    assertThat(executor.next()).contains("MESOS_RECOVERY_TIMEOUT is 'soon'");
    assertThatThrownBy(() -> new MesosExecutorDriver(null)).hasMessageContaining("executor");
  }

  @Test
  void aCallbackThatThrowsAborts() throws Exception {
    executor.then =
        (driver, what) -> {
          throw new IllegalArgumentException("no");
        };
    agent.then(telling(subscribed(), launch("t1")));
    driver.start(environment);
    assertThat(driver.join()).isEqualTo(Protos.Status.DRIVER_ABORTED);
    assertThat(List.copyOf(executor.told)).containsExactly("registered e-1 of tested on h");
  }
}
