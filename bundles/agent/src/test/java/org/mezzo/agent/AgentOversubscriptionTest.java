package org.mezzo.agent;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.mezzo.api.estimator.ResourceEstimator;
import org.mezzo.api.qos.QosController;
import org.mezzo.api.qos.QosCorrection;
import org.mezzo.fixtures.Await;
import org.mezzo.link.messages.AgentCall;
import org.mezzo.link.messages.MasterEvent;
import org.mezzo.link.messages.RunTask;
import org.mezzo.link.messages.StatusUpdate;
import org.mezzo.link.messages.UpdateAgent;
import org.mezzo.modules.Kinds;
import org.mezzo.modules.local.LocalModules;
import org.mezzo.protocol.v1.AgentID;
import org.mezzo.protocol.v1.CommandInfo;
import org.mezzo.protocol.v1.ResourceUsage;
import org.mezzo.protocol.v1.TaskID;
import org.mezzo.protocol.v1.TaskInfo;
import org.mezzo.protocol.v1.TaskState;
import org.mezzo.protocol.v1.TaskStatus;
import org.mezzo.resources.Resource;
import org.mezzo.resources.Resources;

/** Rules 315 to 319: what estimators and controllers can do to an agent, and what they cannot. */
class AgentOversubscriptionTest extends RunningAgent {
  private static final ResourceEstimator FOUR =
      usage -> Resources.of(Resource.scalar("cpus", 4 - used(usage)));

  /** How much revocable cpus executors have. */
  private static double used(ResourceUsage usage) {
    return usage.getExecutorsList().stream()
        .flatMap(executor -> executor.getAllocatedList().stream())
        .filter(resource -> resource.hasRevocable() && resource.getName().equals("cpus"))
        .mapToDouble(resource -> resource.getScalar().getValue())
        .sum();
  }

  private void estimate(String interval, ResourceEstimator estimator) {
    flags.put("resource_estimator", "e");
    flags.put("oversubscribed_resources_interval", interval);
    modules.register(Kinds.RESOURCE_ESTIMATOR, "e", estimator);
  }

  private static double cpus(List<org.mezzo.protocol.v1.Resource> resources) {
    assertThat(resources).allMatch(org.mezzo.protocol.v1.Resource::hasRevocable);
    return resources.stream().mapToDouble(it -> it.getScalar().getValue()).sum();
  }

  private double nextLent() throws InterruptedException {
    UpdateAgent update = master.lent.poll(60, TimeUnit.SECONDS);
    assertThat(update).as("another amount is lent").isNotNull();
    return cpus(update.getOversubscribedList());
  }

  /** Of the total that an agent registers with. */
  private static List<org.mezzo.protocol.v1.Resource> lent(
      List<org.mezzo.protocol.v1.Resource> total) {
    return total.stream().filter(org.mezzo.protocol.v1.Resource::hasRevocable).toList();
  }

  private double metric(String name) throws Exception {
    for (String each : get("/metrics/snapshot").body().split("[{,}]")) {
      if (each.startsWith("\"" + name + "\":")) {
        return Double.parseDouble(each.substring(each.indexOf("\":") + 2));
      }
    }
    throw new AssertionError(name);
  }

  private void run(String id, String command) {
    master.send(
        MasterEvent.newBuilder()
            .setRunTask(
                RunTask.newBuilder()
                    .setFramework(FRAMEWORK)
                    .addTasks(
                        TaskInfo.newBuilder()
                            .setName(id)
                            .setTaskId(TaskID.newBuilder().setValue(id))
                            .setAgentId(AgentID.newBuilder().setValue("m-S0"))
                            .addResources(Made.allocated(Made.revocable("cpus", 1), "r"))
                            .addResources(Made.allocated(Made.scalar("mem", 32), "r"))
                            .setCommand(
                                CommandInfo.newBuilder().setShell(true).setValue(command)))));
  }

  @Test
  void tellsItsMasterWhatIsLentWhenThatHasChanged() throws Exception {
    AtomicInteger asked = new AtomicInteger();
    AtomicInteger amount = new AtomicInteger(3);
    estimate(
        "5ms",
        usage -> {
          asked.incrementAndGet();
          return Resources.of(Resource.scalar("cpus", amount.get()));
        });
    AgentCall registration = start();
    if (lent(registration.getRegister().getTotalList()).isEmpty()) {
      assertThat(nextLent()).isEqualTo(3);
    } else {
      assertThat(cpus(lent(registration.getRegister().getTotalList()))).isEqualTo(3);
    }
    assertThat(registration.getRegister().getAgent().getResourcesList())
        .as("what it has of its own")
        .noneMatch(org.mezzo.protocol.v1.Resource::hasRevocable);
    int before = asked.get();
    Await.until("it is asked again", () -> asked.get() > before + 5);
    assertThat(master.lent).as("nothing has changed").isEmpty();
    amount.set(1);
    assertThat(nextLent()).isEqualTo(1);
    assertThat(metric("slave/cpus_revocable_total")).isEqualTo(1);
    assertThat(get("/state").body()).contains("\"cpus\":4.0", "\"cpus_revocable\":1.0");

    master.sessions.get(0).close();
    AgentCall again = registration;
    while (!again.hasReregister()) {
      // The first time it may have asked more than once.
      again = master.registrations.poll(60, TimeUnit.SECONDS);
      assertThat(again).isNotNull();
    }
    assertThat(cpus(lent(again.getReregister().getTotalList()))).isEqualTo(1);
  }

  /** A master that takes its time is asked more than once, and hears the first request only. */
  @Test
  void tellsAMasterThatMayNotHaveHeardOfIt() throws Exception {
    AtomicInteger amount = new AtomicInteger();
    estimate(
        "5ms",
        usage ->
            amount.get() == 0
                ? Resources.EMPTY
                : Resources.of(Resource.scalar("cpus", amount.get())));
    master.answers =
        call -> {
          amount.set(3);
          return !lent(call.getRegister().getTotalList()).isEmpty();
        };
    start();
    assertThat(nextLent()).isEqualTo(3);
  }

  @Test
  void whatIsInUseStaysLentAndIsMeasured() throws Exception {
    estimate("5ms", FOUR);
    start();
    Await.until("4 are lent", () -> metric("slave/cpus_revocable_total") == 4);
    run("t", "sleep 1000");
    master.next(TaskState.TASK_STARTING);
    master.next(TaskState.TASK_RUNNING);
    Await.until("one is used", () -> metric("slave/cpus_revocable_used") == 1);
    assertThat(metric("slave/cpus_revocable_percent")).isEqualTo(0.25);
    assertThat(metric("slave/cpus_used")).isZero();
    master.lent.clear();
    agent.selectEstimator(Optional.empty());
    assertThat(nextLent()).as("only what is in use").isEqualTo(1);
    agent.selectEstimator(Optional.of("e"));
    assertThat(nextLent()).isEqualTo(4);
    assertThat(master.updates).as("nothing ends because of an estimate").isEmpty();
  }

  @Test
  void anEstimatorThatThrowsHangsOrLiesHarmsNobody() throws Exception {
    CountDownLatch over = new CountDownLatch(1);
    List<ResourceEstimator> bad =
        List.of(
            usage -> {
              throw new IllegalStateException("no");
            },
            usage -> null,
            usage -> Resources.parse("ports:[1-10]", "*"),
            usage -> Resources.parse("cpus(r):1", "*"),
            usage -> Resources.of(Resource.scalar("cpus", 2e9)),
            usage -> Resources.of(Resource.scalar("cpus", 1)).allocatedTo("r"));
    AtomicInteger turn = new AtomicInteger();
    estimate(
        "2ms",
        usage -> {
          int now = turn.getAndIncrement();
          // Good ones between them, so that no instance is given up.
          return now % 4 == 0 || now / 2 >= bad.size()
              ? Resources.of(Resource.scalar("cpus", 2))
              : bad.get(now / 2).oversubscribable(usage);
        });
    start();
    Await.until("all had their turn", () -> turn.get() > 2 * bad.size() + 2);
    assertThat(metric("slave/cpus_revocable_total")).isEqualTo(2);
    List<Double> told = new ArrayList<>();
    master.lent.forEach(update -> told.add(cpus(update.getOversubscribedList())));
    assertThat(told).allMatch(amount -> amount == 2.0);

    modules.register(
        Kinds.RESOURCE_ESTIMATOR,
        "e",
        usage -> {
          over.await();
          return Resources.EMPTY;
        });
    run("t", "true");
    List<TaskState> states = new ArrayList<>();
    while (!states.contains(TaskState.TASK_FINISHED)) {
      states.add(master.next().getStatus().getState());
    }
    over.countDown();
  }

  @Test
  void withoutAnEstimatorThatWorksNothingMoreIsLent() throws Exception {
    AtomicInteger amount = new AtomicInteger(2);
    estimate(
        "2ms",
        usage -> {
          if (amount.get() < 0) {
            throw new IllegalStateException("for good");
          }
          return Resources.of(Resource.scalar("cpus", amount.get()));
        });
    start();
    Await.until("2 are lent", () -> metric("slave/cpus_revocable_total") == 2);
    amount.set(-1);
    Await.until("nothing is lent", () -> metric("slave/cpus_revocable_total") == 0);
    amount.set(1);
    Await.until("it was tried again", () -> metric("slave/cpus_revocable_total") == 1);
  }

  @Test
  void aModuleThatIsSwappedIsAskedAtOnce() throws Exception {
    LocalModules.Registered first =
        modules.register(
            Kinds.RESOURCE_ESTIMATOR, "e", usage -> Resources.of(Resource.scalar("cpus", 1)));
    flags.put("resource_estimator", "e");
    flags.put("oversubscribed_resources_interval", "1hrs");
    start();
    Await.until("1 is lent", () -> metric("slave/cpus_revocable_total") == 1);
    modules.register(Kinds.RESOURCE_ESTIMATOR, "e", FOUR);
    Await.until("4 are lent", () -> metric("slave/cpus_revocable_total") == 4);
    first.close();
  }

  @Test
  void aControllerEndsWhatRunsOnLentResourcesAndNothingElse() throws Exception {
    estimate("5ms", FOUR);
    flags.put("qos_controller", "c");
    List<QosCorrection> corrections = new ArrayList<>();
    QosController controller =
        usage -> {
          synchronized (corrections) {
            List<QosCorrection> now = List.copyOf(corrections);
            corrections.clear();
            return now;
          }
        };
    modules.register(Kinds.QOS_CONTROLLER, "c", controller);
    start();
    run("t", "sleep 1000");
    master.next(TaskState.TASK_STARTING);
    StatusUpdate running = master.next(TaskState.TASK_RUNNING);
    String container = running.getStatus().getContainerStatus().getContainerId().getValue();
    synchronized (corrections) {
      corrections.add(QosCorrection.kill("f-2", "t", "", "no such framework"));
      corrections.add(QosCorrection.kill("f-1", "u", "", "no such executor"));
      corrections.add(QosCorrection.kill("f-1", "t", "other", "not its container"));
    }
    Await.until("they were passed over", () -> metric("slave/mezzo/qos_corrections_ignored") == 3);
    assertThat(master.updates).isEmpty();
    synchronized (corrections) {
      corrections.add(QosCorrection.kill("f-1", "t", container, "x".repeat(2000)));
    }
    TaskStatus gone = master.next(TaskState.TASK_GONE).getStatus();
    assertThat(gone.getReason()).isEqualTo(TaskStatus.Reason.REASON_CONTAINER_PREEMPTED);
    assertThat(gone.getMessage())
        .isEqualTo("Container preempted by QoS correction: " + "x".repeat(1000));
    assertThat(metric("slave/executors_preempted")).isEqualTo(1);
    Await.until("nothing is used", () -> metric("slave/cpus_revocable_used") == 0);
  }

  private static boolean measured(ResourceUsage usage) {
    return usage.getExecutorsCount() == 1 && usage.getExecutors(0).hasStatistics();
  }

  @Test
  void aControllerIsShownWhatRuns() throws Exception {
    List<ResourceUsage> shown = new ArrayList<>();
    flags.put("qos_controller", "c");
    modules.register(
        Kinds.QOS_CONTROLLER,
        "c",
        usage -> {
          synchronized (shown) {
            shown.add(usage);
          }
          return List.of();
        });
    start();
    run("t", "sleep 1000");
    master.next(TaskState.TASK_STARTING);
    master.next(TaskState.TASK_RUNNING);
    // Shown as well while its process was made, of which there is nothing to measure.
    Await.until(
        "the task was shown",
        () -> {
          synchronized (shown) {
            return shown.stream().anyMatch(AgentOversubscriptionTest::measured);
          }
        });
    ResourceUsage usage;
    synchronized (shown) {
      usage = shown.stream().filter(AgentOversubscriptionTest::measured).findFirst().orElseThrow();
    }
    ResourceUsage.Executor executor = usage.getExecutors(0);
    assertThat(executor.getExecutorInfo().getExecutorId().getValue()).isEqualTo("t");
    assertThat(executor.getExecutorInfo().getFrameworkId().getValue()).isEqualTo("f-1");
    assertThat(executor.getTasks(0).getId().getValue()).isEqualTo("t");
    assertThat(executor.getContainerId().getValue()).hasSize(36);
    assertThat(used(usage)).isEqualTo(1);
    assertThat(usage.getTotalList()).hasSize(4);
  }
}
