import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.apache.mesos.MesosSchedulerDriver;
import org.apache.mesos.Protos.CommandInfo;
import org.apache.mesos.Protos.ExecutorID;
import org.apache.mesos.Protos.FrameworkID;
import org.apache.mesos.Protos.FrameworkInfo;
import org.apache.mesos.Protos.MasterInfo;
import org.apache.mesos.Protos.Offer;
import org.apache.mesos.Protos.OfferID;
import org.apache.mesos.Protos.SlaveID;
import org.apache.mesos.Protos.TaskID;
import org.apache.mesos.Protos.TaskInfo;
import org.apache.mesos.Protos.TaskState;
import org.apache.mesos.Protos.TaskStatus;
import org.apache.mesos.Scheduler;
import org.apache.mesos.SchedulerDriver;

/**
 * Measures the driver of Mesos frameworks as {@code org.mezzo.benchmarks.driver.ClientLoad} measures
 * the plain v1 client: how long it takes from an offer to the first update of the task that was
 * launched on it; from the launch of a task on an offer that is gone to the update that says so; and
 * how many updates come in a second when the master is asked for the states of tasks that it does
 * not know.
 *
 * <p>Arguments: {@code MASTER TASKS ROUND_TRIPS UPDATES}; see {@code bundles/benchmarks/driver.sh},
 * which runs this file as it is, with the jars of Mesos on the class path.
 */
public final class DriverLoad implements Scheduler {
  private static final int WARMING = 50;
  private static final int ROUNDS = 5;

  /** Something that was told, and when. */
  private record Told<T>(T what, long nanos) {
    static <T> Told<T> now(T what) {
      return new Told<>(what, System.nanoTime());
    }
  }

  private final CountDownLatch registered = new CountDownLatch(1);
  private final BlockingQueue<Told<Offer>> offers = new LinkedBlockingQueue<>();
  private final BlockingQueue<Told<TaskState>> states = new LinkedBlockingQueue<>();
  private volatile CountDownLatch updates = new CountDownLatch(0);
  private final SchedulerDriver driver;

  private DriverLoad(String master) {
    FrameworkInfo info = FrameworkInfo.newBuilder().setUser("").setName("driver-load").build();
    driver = new MesosSchedulerDriver(this, info, master);
  }

  public static void main(String[] arguments) throws Exception {
    DriverLoad load = new DriverLoad(arguments[0]);
    load.driver.start();
    load.registered.await();
    double[] tasks = load.tasks(Integer.parseInt(arguments[1]));
    int count = Integer.parseInt(arguments[2]);
    load.roundTrips(count);
    double[] answers = load.roundTrips(count);
    double[] rates = new double[ROUNDS];
    for (int i = 0; i < ROUNDS; i++) {
      rates[i] = load.updates(Integer.parseInt(arguments[3]));
    }
    Arrays.sort(rates);
    System.out.printf(
        Locale.ROOT,
        "%.0f %.0f %.0f %.0f %.0f%n",
        tasks[tasks.length / 2],
        tasks[tasks.length * 99 / 100],
        answers[count / 2],
        answers[count * 99 / 100],
        rates[ROUNDS / 2]);
    load.driver.stop();
    System.exit(0);
  }

  private static <T> Told<T> next(BlockingQueue<Told<T>> told, String what) throws Exception {
    Told<T> next = told.poll(60, TimeUnit.SECONDS);
    if (next == null) {
      throw new IllegalStateException("no " + what + " came");
    }
    return next;
  }

  private double[] tasks(int count) throws Exception {
    double[] micros = new double[count];
    for (int i = -WARMING; i < count; i++) {
      Told<Offer> offer = next(offers, "offer");
      TaskInfo.Builder task = task("task-" + i, offer.what().getSlaveId());
      task.addAllResources(offer.what().getResourcesList());
      launch(
          offer.what().getId(), task.setCommand(CommandInfo.newBuilder().setValue("true")).build());
      Told<TaskState> first = next(states, "update");
      TaskState state = first.what();
      while (state != TaskState.TASK_FINISHED) {
        if (state != TaskState.TASK_STARTING && state != TaskState.TASK_RUNNING) {
          throw new IllegalStateException("a task is " + state);
        }
        state = next(states, "end of a task").what();
      }
      if (i >= 0) {
        micros[i] = (first.nanos() - offer.nanos()) / 1e3;
      }
    }
    Arrays.sort(micros);
    return micros;
  }

  private double[] roundTrips(int count) throws Exception {
    double[] micros = new double[count];
    OfferID gone = OfferID.newBuilder().setValue("gone").build();
    SlaveID nowhere = SlaveID.newBuilder().setValue("nowhere").build();
    for (int i = 0; i < count; i++) {
      TaskInfo task = task("launch-" + i, nowhere).build();
      long begin = System.nanoTime();
      launch(gone, task);
      micros[i] = (next(states, "update").nanos() - begin) / 1e3;
    }
    Arrays.sort(micros);
    return micros;
  }

  private static TaskInfo.Builder task(String id, SlaveID agent) {
    return TaskInfo.newBuilder().setName("t").setTaskId(id(id)).setSlaveId(agent);
  }

  private static TaskID id(String value) {
    return TaskID.newBuilder().setValue(value).build();
  }

  private void launch(OfferID offer, TaskInfo task) {
    driver.launchTasks(Collections.singleton(offer), Collections.singleton(task));
  }

  private double updates(int count) throws Exception {
    List<TaskStatus> unknown = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      unknown.add(
          TaskStatus.newBuilder()
              .setTaskId(id("unknown-" + i))
              .setState(TaskState.TASK_RUNNING)
              .build());
    }
    updates = new CountDownLatch(count);
    long begin = System.nanoTime();
    driver.reconcileTasks(unknown);
    if (!updates.await(120, TimeUnit.SECONDS)) {
      throw new IllegalStateException(updates.getCount() + " updates did not come");
    }
    return count / ((System.nanoTime() - begin) / 1e9);
  }

  @Override
  public void statusUpdate(SchedulerDriver driver, TaskStatus status) {
    if (status.getTaskId().getValue().startsWith("unknown-")) {
      updates.countDown();
    } else {
      states.add(Told.now(status.getState()));
    }
  }

  @Override
  public void resourceOffers(SchedulerDriver driver, List<Offer> told) {
    told.forEach(offer -> offers.add(Told.now(offer)));
  }

  @Override
  public void registered(SchedulerDriver driver, FrameworkID id, MasterInfo master) {
    registered.countDown();
  }

  @Override
  public void error(SchedulerDriver driver, String message) {
    System.err.println(message);
    System.exit(1);
  }

  @Override
  public void disconnected(SchedulerDriver driver) {
    error(driver, "the connection was lost");
  }

  @Override
  public void reregistered(SchedulerDriver driver, MasterInfo master) {}

  @Override
  public void offerRescinded(SchedulerDriver driver, OfferID offer) {}

  @Override
  public void frameworkMessage(SchedulerDriver driver, ExecutorID id, SlaveID agent, byte[] data) {}

  @Override
  public void slaveLost(SchedulerDriver driver, SlaveID agent) {}

  @Override
  public void executorLost(SchedulerDriver driver, ExecutorID id, SlaveID agent, int status) {}
}
