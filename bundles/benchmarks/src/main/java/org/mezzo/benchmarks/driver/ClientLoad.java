package org.mezzo.benchmarks.driver;

import java.util.Arrays;
import java.util.Locale;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.mezzo.client.ClientOptions;
import org.mezzo.client.LeaderLocator;
import org.mezzo.client.SchedulerClient;
import org.mezzo.protocol.v1.AgentID;
import org.mezzo.protocol.v1.CommandInfo;
import org.mezzo.protocol.v1.FrameworkInfo;
import org.mezzo.protocol.v1.Offer;
import org.mezzo.protocol.v1.OfferID;
import org.mezzo.protocol.v1.TaskID;
import org.mezzo.protocol.v1.TaskInfo;
import org.mezzo.protocol.v1.TaskState;
import org.mezzo.protocol.v1.TaskStatus;
import org.mezzo.protocol.v1.scheduler.Call;
import org.mezzo.protocol.v1.scheduler.Event;

/**
 * Measures the plain v1 client as {@code bundles/benchmarks/driver/DriverLoad.java} measures the
 * driver, which has other versions of protocol buffers on its class path.
 *
 * <p>Arguments: {@code MASTER TASKS ROUND_TRIPS UPDATES}; see {@code bundles/benchmarks/driver.sh}.
 */
public final class ClientLoad implements SchedulerClient.Listener {
  private static final int WARMING = 50;
  private static final int ROUNDS = 5;

  /** Something that was told, and when. */
  private record Told<T>(T what, long nanos) {
    static <T> Told<T> now(T what) {
      return new Told<>(what, System.nanoTime());
    }
  }

  private final CountDownLatch subscribed = new CountDownLatch(1);
  private final BlockingQueue<Told<Offer>> offers = new LinkedBlockingQueue<>();
  private final BlockingQueue<Told<TaskState>> states = new LinkedBlockingQueue<>();
  private volatile CountDownLatch updates = new CountDownLatch(0);
  private volatile boolean over;
  private final SchedulerClient client;

  private ClientLoad(String master) {
    FrameworkInfo info =
        FrameworkInfo.newBuilder()
            .setUser(System.getProperty("user.name"))
            .setName("client-load")
            .build();
    client = new SchedulerClient(ClientOptions.of(LeaderLocator.of(master)), info, this);
  }

  public static void main(String[] arguments) throws Exception {
    if (arguments.length != 4) {
      System.err.println("Arguments: MASTER TASKS ROUND_TRIPS UPDATES");
      System.exit(2);
    }
    ClientLoad load = new ClientLoad(arguments[0]);
    load.client.start();
    load.subscribed.await();
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
    load.over = true;
    load.client.teardown().get(30, TimeUnit.SECONDS);
    load.client.close();
    System.exit(0);
  }

  private static <T> Told<T> next(BlockingQueue<Told<T>> told, String what) throws Exception {
    Told<T> next = told.poll(60, TimeUnit.SECONDS);
    if (next == null) {
      throw new IllegalStateException("no " + what + " came");
    }
    return next;
  }

  /**
   * Tasks one after the other, each with all of the agent: sorted µs from offer to first update.
   */
  private double[] tasks(int count) throws Exception {
    double[] micros = new double[count];
    for (int i = -WARMING; i < count; i++) {
      Told<Offer> offer = next(offers, "offer");
      TaskInfo.Builder task = task("task-" + i, offer.what().getAgentId());
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

  /** Launches on an offer that is gone, which the master answers: sorted µs. */
  private double[] roundTrips(int count) throws Exception {
    double[] micros = new double[count];
    OfferID gone = OfferID.newBuilder().setValue("gone").build();
    AgentID nowhere = AgentID.newBuilder().setValue("nowhere").build();
    for (int i = 0; i < count; i++) {
      TaskInfo task = task("launch-" + i, nowhere).build();
      long begin = System.nanoTime();
      launch(gone, task);
      micros[i] = (next(states, "update").nanos() - begin) / 1e3;
    }
    Arrays.sort(micros);
    return micros;
  }

  private static TaskInfo.Builder task(String id, AgentID agent) {
    return TaskInfo.newBuilder()
        .setName("t")
        .setTaskId(TaskID.newBuilder().setValue(id))
        .setAgentId(agent);
  }

  private void launch(OfferID offer, TaskInfo task) {
    client.call(
        Call.newBuilder()
            .setType(Call.Type.ACCEPT)
            .setAccept(
                Call.Accept.newBuilder()
                    .addOfferIds(offer)
                    .addOperations(
                        Offer.Operation.newBuilder()
                            .setType(Offer.Operation.Type.LAUNCH)
                            .setLaunch(Offer.Operation.Launch.newBuilder().addTaskInfos(task)))));
  }

  /** Asks for the states of tasks that nobody knows: how many come in a second. */
  private double updates(int count) throws Exception {
    Call.Reconcile.Builder unknown = Call.Reconcile.newBuilder();
    for (int i = 0; i < count; i++) {
      unknown.addTasks(
          Call.Reconcile.Task.newBuilder().setTaskId(TaskID.newBuilder().setValue("unknown-" + i)));
    }
    updates = new CountDownLatch(count);
    long begin = System.nanoTime();
    client.call(Call.newBuilder().setType(Call.Type.RECONCILE).setReconcile(unknown));
    if (!updates.await(120, TimeUnit.SECONDS)) {
      throw new IllegalStateException(updates.getCount() + " updates did not come");
    }
    return count / ((System.nanoTime() - begin) / 1e9);
  }

  @Override
  public void subscribed(Event.Subscribed event) {
    subscribed.countDown();
  }

  @Override
  public void event(Event event) {
    if (event.getType() == Event.Type.OFFERS) {
      event.getOffers().getOffersList().forEach(offer -> offers.add(Told.now(offer)));
    } else if (event.getType() == Event.Type.UPDATE) {
      TaskStatus status = event.getUpdate().getStatus();
      if (status.getTaskId().getValue().startsWith("unknown-")) {
        updates.countDown();
      } else {
        states.add(Told.now(status.getState()));
      }
      if (status.hasUuid()) {
        // As the driver does it, when the callback returns.
        client.acknowledge(status);
      }
    }
  }

  @Override
  public void disconnected(String reason) {
    failed(reason);
  }

  @Override
  public void failed(String message) {
    // The master ends the stream of a framework that leaves.
    if (!over) {
      System.err.println(message);
      System.exit(1);
    }
  }
}
