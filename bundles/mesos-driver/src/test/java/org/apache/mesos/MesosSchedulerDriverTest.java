package org.apache.mesos;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.protobuf.ByteString;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.text.MessageFormat;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import org.apache.mesos.v1.Protos.AgentID;
import org.apache.mesos.v1.Protos.TaskState;
import org.apache.mesos.v1.scheduler.Protos.Call;
import org.apache.mesos.v1.scheduler.Protos.Event;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@Timeout(60)
class MesosSchedulerDriverTest {
  private static final Protos.FrameworkInfo INFO =
      Protos.FrameworkInfo.newBuilder().setUser("").setName("tested").setRole("r").build();
  private static final org.apache.mesos.v1.Protos.FrameworkID ID =
      org.apache.mesos.v1.Protos.FrameworkID.newBuilder().setValue("f-1").build();
  private static final Protos.OfferID OFFER = Protos.OfferID.newBuilder().setValue("o1").build();
  private static final Protos.SlaveID AGENT = Protos.SlaveID.newBuilder().setValue("a1").build();
  private static final Protos.TaskID TASK = Protos.TaskID.newBuilder().setValue("t1").build();

  @TempDir Path folder;
  private final ToldScheduler scheduler = new ToldScheduler();
  private final CountDownLatch ended = new CountDownLatch(1);
  private final List<SchedulerDriver> drivers = new ArrayList<>();
  private ScriptedServer master;

  @BeforeEach
  void open() throws Exception {
    master = ScriptedServer.master();
  }

  @AfterEach
  void close() throws Exception {
    ended.countDown();
    master.close();
    drivers.forEach(it -> it.stop(true));
  }

  private MesosSchedulerDriver driver(boolean implicit) {
    return kept(new MesosSchedulerDriver(scheduler, INFO, master.address(), implicit));
  }

  private <T extends SchedulerDriver> T kept(T driver) {
    drivers.add(driver);
    return driver;
  }

  private static byte[] subscribed(String id, double heartbeat) {
    return Event.newBuilder()
        .setType(Event.Type.SUBSCRIBED)
        .setSubscribed(
            Event.Subscribed.newBuilder()
                .setFrameworkId(ID)
                .setHeartbeatIntervalSeconds(heartbeat)
                .setMasterInfo(
                    org.apache.mesos.v1.Protos.MasterInfo.newBuilder()
                        .setId(id)
                        .setIp(1)
                        .setPort(5050)))
        .build()
        .toByteArray();
  }

  private static byte[] update(String task, String uuid) {
    org.apache.mesos.v1.Protos.TaskStatus.Builder status =
        org.apache.mesos.v1.Protos.TaskStatus.newBuilder()
            .setTaskId(org.apache.mesos.v1.Protos.TaskID.newBuilder().setValue(task))
            .setAgentId(AgentID.newBuilder().setValue("a1"))
            .setState(TaskState.TASK_RUNNING);
    if (!uuid.isEmpty()) {
      status.setUuid(ByteString.copyFromUtf8(uuid));
    }
    return Event.newBuilder()
        .setType(Event.Type.UPDATE)
        .setUpdate(Event.Update.newBuilder().setStatus(status))
        .build()
        .toByteArray();
  }

  private static byte[] error(String message) {
    return Event.newBuilder()
        .setType(Event.Type.ERROR)
        .setError(Event.Error.newBuilder().setMessage(message))
        .build()
        .toByteArray();
  }

  /** Subscribes, tells events, and leaves the stream open. */
  private ScriptedServer.Script telling(byte[]... events) {
    return subscription -> {
      subscription.open();
      subscription.events(events);
      ended.await();
    };
  }

  private static ScriptedServer.Script refusing(int status, String headers, String body) {
    return subscription -> subscription.status(status, headers, body);
  }

  private MesosSchedulerDriver registered(boolean implicit) throws Exception {
    master.then(telling(subscribed("m1", 15)));
    MesosSchedulerDriver driver = driver(implicit);
    assertThat(driver.start()).isEqualTo(Protos.Status.DRIVER_RUNNING);
    assertThat(scheduler.next()).isEqualTo("registered f-1 m1");
    return driver;
  }

  private Call sent() throws Exception {
    return Call.parseFrom(master.call().body());
  }

  private static Protos.TaskInfo task(String id) {
    return Protos.TaskInfo.newBuilder()
        .setName(id)
        .setTaskId(Protos.TaskID.newBuilder().setValue(id))
        .setSlaveId(AGENT)
        .build();
  }

  @Test
  void whatTheMasterSaysIsTold() throws Exception {
    byte[] offers =
        Event.newBuilder()
            .setType(Event.Type.OFFERS)
            .setOffers(Event.Offers.newBuilder().addOffers(offer("o1")).addOffers(offer("o2")))
            .build()
            .toByteArray();
    byte[] rescinded =
        Event.newBuilder()
            .setType(Event.Type.RESCIND)
            .setRescind(
                Event.Rescind.newBuilder()
                    .setOfferId(org.apache.mesos.v1.Protos.OfferID.newBuilder().setValue("o2")))
            .build()
            .toByteArray();
    org.apache.mesos.v1.Protos.ExecutorID executor =
        org.apache.mesos.v1.Protos.ExecutorID.newBuilder().setValue("e1").build();
    AgentID agent = AgentID.newBuilder().setValue("a1").build();
    byte[] message =
        Event.newBuilder()
            .setType(Event.Type.MESSAGE)
            .setMessage(
                Event.Message.newBuilder()
                    .setAgentId(agent)
                    .setExecutorId(executor)
                    .setData(ByteString.copyFromUtf8("hello")))
            .build()
            .toByteArray();
    Event.Failure.Builder failure = Event.Failure.newBuilder().setAgentId(agent);
    byte[] agentLost =
        Event.newBuilder().setType(Event.Type.FAILURE).setFailure(failure).build().toByteArray();
    byte[] executorLost =
        Event.newBuilder()
            .setType(Event.Type.FAILURE)
            .setFailure(failure.clone().setExecutorId(executor).setStatus(-1))
            .build()
            .toByteArray();
    byte[] heartbeat = Event.newBuilder().setType(Event.Type.HEARTBEAT).build().toByteArray();
    byte[] unknown = {8, 120};
    master.then(
        telling(
            subscribed("m1", 15),
            heartbeat,
            offers,
            unknown,
            rescinded,
            update("t1", ""),
            message,
            executorLost,
            agentLost,
            error("enough")));
    MesosSchedulerDriver driver = driver(true);
    assertThat(driver.run()).isEqualTo(Protos.Status.DRIVER_ABORTED);
    assertThat(scheduler.next()).isEqualTo("registered f-1 m1");
    assertThat(scheduler.next()).isEqualTo("offers [o1, o2]");
    assertThat(scheduler.next()).isEqualTo("rescinded o2");
    assertThat(scheduler.next()).isEqualTo("t1 TASK_RUNNING");
    assertThat(scheduler.next()).isEqualTo("message of e1 on a1: hello");
    assertThat(scheduler.next()).isEqualTo("lost e1 on a1: -1");
    assertThat(scheduler.next()).isEqualTo("lost agent a1");
    assertThat(scheduler.next()).isEqualTo("error enough");
    assertThat(driver.stop()).isEqualTo(Protos.Status.DRIVER_ABORTED);
    assertThat(driver.join()).isEqualTo(Protos.Status.DRIVER_STOPPED);
    ScriptedServer.Request subscription = master.subscriptions.take();
    assertThat(subscription.path()).isEqualTo("/api/v1/scheduler");
    Call call = Call.parseFrom(subscription.body());
    assertThat(call.hasFrameworkId()).isFalse();
    assertThat(call.getSubscribe().getFrameworkInfo().getName()).isEqualTo("tested");
    assertThat(call.getSubscribe().getFrameworkInfo().getUser())
        .isEqualTo(System.getProperty("user.name"));
    assertThat(call.getSubscribe().getFrameworkInfo().getHostname()).isNotEmpty();
    assertThat(master.calls).as("what has no uuid is not acknowledged").isEmpty();
  }

  private static org.apache.mesos.v1.Protos.Offer offer(String id) {
    return org.apache.mesos.v1.Protos.Offer.newBuilder()
        .setId(org.apache.mesos.v1.Protos.OfferID.newBuilder().setValue(id))
        .setFrameworkId(ID)
        .setAgentId(AgentID.newBuilder().setValue("a1"))
        .setHostname("h")
        .build();
  }

  @Test
  void callsComeInTheirOrderWithTheIdOfTheStream() throws Exception {
    MesosSchedulerDriver driver = registered(false);
    Protos.Filters filters = Protos.Filters.newBuilder().setRefuseSeconds(7).build();
    driver.launchTasks(OFFER, List.of(task("t1"), task("t2")));
    driver.launchTasks(List.of(OFFER), List.of(task("t3")), filters);
    driver.acceptOffers(
        List.of(OFFER),
        List.of(
            Protos.Offer.Operation.newBuilder()
                .setType(Protos.Offer.Operation.Type.RESERVE)
                .setReserve(Protos.Offer.Operation.Reserve.newBuilder())
                .build()),
        filters);
    driver.declineOffer(OFFER);
    driver.declineOffer(OFFER, filters);
    driver.reviveOffers();
    driver.reviveOffers(List.of("r"));
    driver.suppressOffers();
    driver.suppressOffers(List.of("r"));
    driver.killTask(TASK);
    driver.sendFrameworkMessage(
        Protos.ExecutorID.newBuilder().setValue("e1").build(), AGENT, new byte[] {1, 2});
    Protos.TaskStatus status =
        Protos.TaskStatus.newBuilder()
            .setTaskId(TASK)
            .setState(Protos.TaskState.TASK_RUNNING)
            .setSlaveId(AGENT)
            .setUuid(ByteString.copyFromUtf8("u"))
            .build();
    driver.reconcileTasks(List.of(status));
    driver.requestResources(List.of(Protos.Request.newBuilder().setSlaveId(AGENT).build()));
    driver.acknowledgeStatusUpdate(status);
    driver.acknowledgeStatusUpdate(status.toBuilder().clearUuid().build());
    driver.updateFramework(INFO.toBuilder().setName("renamed").build(), List.of("r"));

    ScriptedServer.Request first = master.call();
    assertThat(first.headers()).containsEntry("mesos-stream-id", "stream-1");
    Call call = Call.parseFrom(first.body());
    assertThat(call.getFrameworkId()).isEqualTo(ID);
    assertThat(call.getType()).isEqualTo(Call.Type.ACCEPT);
    assertThat(call.getAccept().getOfferIds(0).getValue()).isEqualTo("o1");
    assertThat(call.getAccept().getOperations(0).getLaunch().getTaskInfosList())
        .extracting(it -> it.getTaskId().getValue())
        .containsExactly("t1", "t2");
    call = sent();
    assertThat(call.getAccept().getFilters().getRefuseSeconds()).isEqualTo(7);
    assertThat(call.getAccept().getOperations(0).getLaunch().getTaskInfosCount()).isEqualTo(1);
    assertThat(sent().getAccept().getOperations(0).hasReserve()).isTrue();
    assertThat(sent().getDecline().getFilters().hasRefuseSeconds()).isFalse();
    assertThat(sent().getDecline().getFilters().getRefuseSeconds()).isEqualTo(7);
    assertThat(sent().getType()).isEqualTo(Call.Type.REVIVE);
    assertThat(sent().getRevive().getRolesList()).containsExactly("r");
    assertThat(sent().getType()).isEqualTo(Call.Type.SUPPRESS);
    assertThat(sent().getSuppress().getRolesList()).containsExactly("r");
    assertThat(sent().getKill().getTaskId().getValue()).isEqualTo("t1");
    assertThat(sent().getMessage().getData().toByteArray()).containsExactly(1, 2);
    Call.Reconcile.Task asked = sent().getReconcile().getTasks(0);
    assertThat(asked.getTaskId().getValue() + asked.getAgentId().getValue()).isEqualTo("t1a1");
    assertThat(sent().getRequest().getRequests(0).getAgentId().getValue()).isEqualTo("a1");
    assertThat(sent().getAcknowledge().getUuid().toStringUtf8()).isEqualTo("u");
    call = sent();
    assertThat(call.getUpdateFramework().getFrameworkInfo().getName()).isEqualTo("renamed");
    assertThat(call.getUpdateFramework().getFrameworkInfo().getId()).isEqualTo(ID);
    assertThat(call.getUpdateFramework().getSuppressedRolesList()).containsExactly("r");

    assertThat(driver.stop()).isEqualTo(Protos.Status.DRIVER_STOPPED);
    assertThat(sent().getType()).as("sent when stop returns").isEqualTo(Call.Type.TEARDOWN);
    assertThat(master.calls).isEmpty();
  }

  @Test
  void aStopThatIsForAFailoverLeavesTheFramework() throws Exception {
    MesosSchedulerDriver driver = registered(false);
    driver.reviveOffers();
    assertThat(driver.stop(true)).isEqualTo(Protos.Status.DRIVER_STOPPED);
    assertThat(sent().getType()).isEqualTo(Call.Type.REVIVE);
    assertThat(master.calls).isEmpty();
  }

  @Test
  void updatesAreAcknowledgedWhenTheirCallbackReturns() throws Exception {
    scheduler.then =
        (driver, what) -> {
          if (what.equals("t1 TASK_RUNNING")) {
            driver.reviveOffers();
          }
        };
    master.then(telling(subscribed("m1", 15), update("t1", "u1"), update("t2", "u2")));
    driver(true).start();
    assertThat(sent().getType()).isEqualTo(Call.Type.REVIVE);
    Call.Acknowledge first = sent().getAcknowledge();
    assertThat(first.getUuid().toStringUtf8()).isEqualTo("u1");
    assertThat(first.getTaskId().getValue() + first.getAgentId().getValue()).isEqualTo("t1a1");
    assertThat(sent().getAcknowledge().getUuid().toStringUtf8()).isEqualTo("u2");
    assertThatThrownBy(
            () -> drivers.get(0).acknowledgeStatusUpdate(Protos.TaskStatus.getDefaultInstance()))
        .isInstanceOf(IllegalStateException.class)
        .hasMessageContaining("implicitAcknowledgements");
  }

  @Test
  void statusesAreThoseOfTheOriginal() throws Exception {
    MesosSchedulerDriver driver = driver(false);
    List<Function<SchedulerDriver, Protos.Status>> all =
        List.of(
            it -> it.requestResources(List.of()),
            it -> it.launchTasks(OFFER, List.of()),
            it -> it.launchTasks(List.of(OFFER), List.of()),
            it -> it.launchTasks(OFFER, List.of(), Protos.Filters.getDefaultInstance()),
            it -> it.acceptOffers(List.of(), List.of(), Protos.Filters.getDefaultInstance()),
            it -> it.declineOffer(OFFER),
            SchedulerDriver::reviveOffers,
            SchedulerDriver::suppressOffers,
            it -> it.killTask(TASK),
            it -> it.acknowledgeStatusUpdate(Protos.TaskStatus.getDefaultInstance()),
            it -> it.reconcileTasks(List.of()),
            it -> it.updateFramework(INFO, List.of()),
            SchedulerDriver::join);
    assertThat(driver.stop()).isEqualTo(Protos.Status.DRIVER_NOT_STARTED);
    assertThat(driver.abort()).isEqualTo(Protos.Status.DRIVER_NOT_STARTED);
    assertThat(all).allMatch(it -> it.apply(driver) == Protos.Status.DRIVER_NOT_STARTED);
    master.then(telling(subscribed("m1", 15)));
    driver.start();
    assertThat(driver.start()).isEqualTo(Protos.Status.DRIVER_RUNNING);
    scheduler.next();
    assertThat(all.subList(0, all.size() - 1))
        .allMatch(it -> it.apply(driver) == Protos.Status.DRIVER_RUNNING);
    assertThat(driver.abort()).isEqualTo(Protos.Status.DRIVER_ABORTED);
    assertThat(all).allMatch(it -> it.apply(driver) == Protos.Status.DRIVER_ABORTED);
    assertThat(driver.start()).isEqualTo(Protos.Status.DRIVER_ABORTED);
    assertThat(driver.stop()).isEqualTo(Protos.Status.DRIVER_ABORTED);
    assertThat(all).allMatch(it -> it.apply(driver) == Protos.Status.DRIVER_STOPPED);
    assertThat(driver.stop()).isEqualTo(Protos.Status.DRIVER_STOPPED);
    assertThat(driver.run()).isEqualTo(Protos.Status.DRIVER_STOPPED);
  }

  @Test
  void aFrameworkThatWasSubscribedComesBackWithItsId() throws Exception {
    CountDownLatch cut = new CountDownLatch(1);
    master
        .then(
            subscription -> {
              subscription.open();
              subscription.events(subscribed("m1", 15));
              cut.await();
              throw new IllegalStateException("cut");
            })
        .then(telling(subscribed("m2", 15)));
    MesosSchedulerDriver driver = driver(false);
    driver.start();
    assertThat(scheduler.next()).isEqualTo("registered f-1 m1");
    driver.suppressOffers();
    cut.countDown();
    assertThat(scheduler.next()).isEqualTo("disconnected");
    assertThat(scheduler.next()).isEqualTo("reregistered m2");
    assertThat(Call.parseFrom(master.subscriptions.take().body()).hasFrameworkId()).isFalse();
    Call second = Call.parseFrom(master.subscriptions.take().body());
    assertThat(second.getFrameworkId()).isEqualTo(ID);
    assertThat(second.getSubscribe().getFrameworkInfo().getId()).isEqualTo(ID);
    assertThat(second.getSubscribe().getSuppressedRolesList()).containsExactly("r");
  }

  @Test
  void aPresetIdTakesOver() throws Exception {
    master.then(telling(subscribed("m1", 15)));
    Protos.FrameworkInfo info =
        INFO.toBuilder().setId(Protos.FrameworkID.newBuilder().setValue("f-1")).build();
    kept(new MesosSchedulerDriver(scheduler, info, master.address())).start();
    assertThat(scheduler.next()).isEqualTo("registered f-1 m1");
    assertThat(Call.parseFrom(master.subscriptions.take().body()).getFrameworkId()).isEqualTo(ID);
  }

  @Test
  void aMasterThatFallsSilentIsLeft() throws Exception {
    master.then(telling(subscribed("m1", 0.1))).then(telling(subscribed("m2", 15)));
    driver(false).start();
    assertThat(scheduler.next()).isEqualTo("registered f-1 m1");
    assertThat(scheduler.next()).isEqualTo("disconnected");
    assertThat(scheduler.next()).isEqualTo("reregistered m2");
  }

  @Test
  void tasksThatNoMasterIsThereToLaunchAreLost() throws Exception {
    MesosSchedulerDriver driver = driver(true);
    driver.start();
    driver.launchTasks(OFFER, List.of(task("t1"), task("t2")));
    assertThat(scheduler.next()).isEqualTo("t1 TASK_LOST");
    assertThat(scheduler.next()).isEqualTo("t2 TASK_LOST");
    assertThat(scheduler.last.getReason())
        .isEqualTo(Protos.TaskStatus.Reason.REASON_MASTER_DISCONNECTED);
    assertThat(scheduler.last.getSource()).isEqualTo(Protos.TaskStatus.Source.SOURCE_MASTER);
    Protos.FrameworkInfo aware =
        INFO.toBuilder()
            .addCapabilities(
                Protos.FrameworkInfo.Capability.newBuilder()
                    .setType(Protos.FrameworkInfo.Capability.Type.PARTITION_AWARE))
            .build();
    driver = kept(new MesosSchedulerDriver(scheduler, aware, master.address()));
    driver.start();
    driver.acceptOffers(
        List.of(OFFER),
        List.of(
            Protos.Offer.Operation.newBuilder()
                .setType(Protos.Offer.Operation.Type.LAUNCH)
                .setLaunch(Protos.Offer.Operation.Launch.newBuilder().addTaskInfos(task("t3")))
                .build()),
        Protos.Filters.getDefaultInstance());
    assertThat(scheduler.next()).isEqualTo("t3 TASK_DROPPED");
  }

  @Test
  void redirectsAreFollowedAndCirclesAreLeft() throws Exception {
    try (ScriptedServer leader = ScriptedServer.master()) {
      leader.then(telling(subscribed("m2", 15)));
      for (int i = 0; i < 6; i++) {
        master.then(refusing(307, "Location: //" + master.address() + "/api/v1/scheduler\r\n", ""));
      }
      master
          .then(refusing(307, "Location: //" + leader.address() + "\r\n", ""))
          .then(telling(subscribed("m1", 15)));
      MesosSchedulerDriver driver = driver(false);
      driver.start();
      assertThat(scheduler.next()).isEqualTo("registered f-1 m2");
      driver.reviveOffers();
      ScriptedServer.Request call = leader.call();
      assertThat(Call.parseFrom(call.body()).getType()).isEqualTo(Call.Type.REVIVE);
      assertThat(call.path()).isEqualTo("/api/v1/scheduler");
    }
  }

  @Test
  void aMasterThatIsNotReadyIsAskedAgain() throws Exception {
    master
        .then(refusing(503, "", "recovering"))
        .then(subscription -> subscription.write("nonsense\r\n\r\n".getBytes("US-ASCII")))
        .then(refusing(307, "", ""))
        .then(
            subscription -> {
              subscription.open();
              subscription.chunk("no record\n".getBytes("US-ASCII"));
              ended.await();
            })
        .then(telling(subscribed("m1", 15)));
    driver(false).start();
    assertThat(scheduler.next()).isEqualTo("registered f-1 m1");
    assertThat(master.subscriptions).hasSize(5);
  }

  @ParameterizedTest
  @ValueSource(ints = {400, 401, 403, 404})
  void aMasterThatRefusesEndsTheDriver(int status) throws Exception {
    master.then(refusing(status, "", "because of it"));
    assertThat(driver(false).run()).isEqualTo(Protos.Status.DRIVER_ABORTED);
    assertThat(scheduler.next())
        .startsWith("error ")
        .contains("because of it", "status " + status)
        .matches(it -> status != 401 || it.contains("credential"));
  }

  @Test
  void aCallThatIsRefusedEndsNothing() throws Exception {
    MesosSchedulerDriver driver = registered(false);
    master.statusOfCalls = 400;
    driver.reviveOffers();
    driver.suppressOffers();
    assertThat(sent().getType()).isEqualTo(Call.Type.REVIVE);
    assertThat(sent().getType()).isEqualTo(Call.Type.SUPPRESS);
    assertThat(scheduler.told).isEmpty();
  }

  /**
   * Somebody else has subscribed as the framework: the master tells that on the stream, too, and
   * what is on it until then still counts. To subscribe again because of a call would take the
   * framework back, and so on.
   */
  @Test
  void aCallOfAStreamThatIsNotTheFrameworksIsSaidToBe() throws Exception {
    java.util.logging.Logger logger = java.util.logging.Logger.getLogger("org.mezzo.driver");
    BlockingQueue<String> said = new LinkedBlockingQueue<>();
    java.util.logging.Handler handler =
        new java.util.logging.Handler() {
          @Override
          public void publish(java.util.logging.LogRecord line) {
            said.add(MessageFormat.format(line.getMessage(), line.getParameters()));
          }

          @Override
          public void flush() {}

          @Override
          public void close() {}
        };
    logger.addHandler(handler);
    try {
      CountDownLatch refused = new CountDownLatch(1);
      master.then(
          subscription -> {
            subscription.open();
            subscription.events(subscribed("m1", 15));
            refused.await();
            subscription.events(update("t1", ""), error("Framework failed over"));
            ended.await();
          });
      MesosSchedulerDriver driver = driver(false);
      driver.start();
      assertThat(scheduler.next()).isEqualTo("registered f-1 m1");
      master.refuseCalls(
          400,
          "The stream ID 'stream-1' included in this request didn't match the stream ID currently"
              + " associated with framework f-1");
      driver.reviveOffers();
      assertThat(sent().getType()).isEqualTo(Call.Type.REVIVE);
      assertThat(said.poll(30, TimeUnit.SECONDS))
          .contains("400", "The stream ID 'stream-1'", "framework f-1");
      refused.countDown();
      assertThat(scheduler.next()).isEqualTo("t1 TASK_RUNNING");
      assertThat(scheduler.next()).isEqualTo("error Framework failed over");
      assertThat(driver.join()).isEqualTo(Protos.Status.DRIVER_ABORTED);
      assertThat(master.subscriptions).hasSize(1);
    } finally {
      logger.removeHandler(handler);
    }
  }

  /** Who has much to do answers late and in pieces; asking again would give it more to do. */
  @Test
  void aMasterThatIsSlowIsAskedOnce() throws Exception {
    master.then(
        subscription -> {
          TimeUnit.SECONDS.sleep(2);
          byte[] head =
              "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nMesos-Stream-Id: s\r\n\r\n"
                  .getBytes(StandardCharsets.US_ASCII);
          for (byte each : head) {
            subscription.write(new byte[] {each});
            TimeUnit.MILLISECONDS.sleep(10);
          }
          subscription.events(subscribed("m1", 15));
          ended.await();
        });
    driver(false).start();
    assertThat(scheduler.next()).isEqualTo("registered f-1 m1");
    assertThat(master.subscriptions).hasSize(1);
    assertThat(scheduler.told).isEmpty();
  }

  @Test
  void aMasterThatDoesNotLeadAnyMoreIsLeftWhenACallSaysSo() throws Exception {
    MesosSchedulerDriver driver = registered(false);
    master.statusOfCalls = 503;
    master.then(telling(subscribed("m2", 15)));
    driver.reviveOffers();
    assertThat(scheduler.next()).isEqualTo("disconnected");
    assertThat(scheduler.next()).isEqualTo("reregistered m2");
  }

  @Test
  void aStreamThatIsCutAnywhereWithinAnEventLosesNoneBeforeIt() throws Exception {
    byte[] whole = ScriptedServer.record(update("t1", "u1"));
    for (int cut = 0; cut <= whole.length; cut++) {
      byte[] part = Arrays.copyOf(whole, cut);
      master.then(
          subscription -> {
            subscription.open();
            subscription.events(subscribed("m", 15));
            if (part.length > 0) {
              subscription.chunk(part);
            }
            throw new IllegalStateException("cut");
          });
    }
    master.then(telling(subscribed("last", 15)));
    MesosSchedulerDriver driver = driver(false);
    driver.start();
    int updates = 0;
    int registrations = 0;
    for (String told = scheduler.next(); !told.equals("reregistered last"); ) {
      updates += told.equals("t1 TASK_RUNNING") ? 1 : 0;
      registrations += told.contains("registered ") ? 1 : 0;
      told = scheduler.next();
    }
    assertThat(registrations).isEqualTo(whole.length + 1);
    assertThat(updates).as("only the whole one").isEqualTo(1);
  }

  @Test
  void aCallbackThatThrowsAbortsWithoutAnError() throws Exception {
    scheduler.then =
        (driver, what) -> {
          throw new IllegalArgumentException("no");
        };
    master.then(telling(subscribed("m1", 15), update("t1", "u1")));
    assertThat(driver(true).run()).isEqualTo(Protos.Status.DRIVER_ABORTED);
    assertThat(scheduler.told).containsExactly("registered f-1 m1");
    assertThat(master.calls).isEmpty();
  }

  @Test
  void anEventThatCannotBeReadAbortsWithAnError() throws Exception {
    master.then(telling(subscribed("m1", 15), new byte[] {8, 2, 26, 2, 10, 0}));
    assertThat(driver(true).run()).isEqualTo(Protos.Status.DRIVER_ABORTED);
    scheduler.next();
    assertThat(scheduler.next()).startsWith("error What the master sent cannot be read");
  }

  @Test
  void callbacksCanStopTheDriver() throws Exception {
    scheduler.then = (driver, what) -> driver.stop();
    master.then(telling(subscribed("m1", 15), update("t1", "u1")));
    assertThat(driver(true).run()).isEqualTo(Protos.Status.DRIVER_STOPPED);
    assertThat(sent().getType()).isEqualTo(Call.Type.TEARDOWN);
    assertThat(scheduler.told).containsExactly("registered f-1 m1");
  }

  @Test
  void credentialsAreSentWithEveryCall() throws Exception {
    master.then(telling(subscribed("m1", 15)));
    Protos.Credential credential =
        Protos.Credential.newBuilder().setPrincipal("me").setSecret("päss").build();
    SchedulerDriver driver =
        kept(new MesosSchedulerDriver(scheduler, INFO, master.address(), credential));
    driver.start();
    scheduler.next();
    driver.reviveOffers();
    String expected = "Basic " + Base64.getEncoder().encodeToString("me:päss".getBytes("UTF-8"));
    assertThat(master.subscriptions.take().headers()).containsEntry("authorization", expected);
    assertThat(master.call().headers()).containsEntry("authorization", expected);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "local",
        "host",
        "host:port",
        "ftp://host:1",
        "zk://host:2181",
        "zk://me:secret@:1/",
        "file:///no/such/file"
      })
  void whatIsNoMasterIsSaidSo(String named) throws Exception {
    SchedulerDriver driver = kept(new MesosSchedulerDriver(scheduler, INFO, named));
    assertThat(driver.run()).isEqualTo(Protos.Status.DRIVER_ABORTED);
    String told = scheduler.next();
    assertThat(told).startsWith("error ").doesNotContain("secret");
    assertThat(told)
        .containsAnyOf("give ", "give its address", "cannot be read")
        .matches(it -> !named.equals("local") || it.contains("bin/mezzo local"));
  }

  @Test
  void aFileCanNameTheMaster() throws Exception {
    master.then(telling(subscribed("m1", 15)));
    Path file = Files.writeString(folder.resolve("master"), master.address() + "\n");
    kept(new MesosSchedulerDriver(scheduler, INFO, "file://" + file)).start();
    assertThat(scheduler.next()).isEqualTo("registered f-1 m1");
  }

  @Test
  void argumentsThatAreMissingAreNamed() {
    assertThatThrownBy(() -> new MesosSchedulerDriver(scheduler, null, "h:1"))
        .isInstanceOf(NullPointerException.class)
        .hasMessageContaining("framework");
  }
}
