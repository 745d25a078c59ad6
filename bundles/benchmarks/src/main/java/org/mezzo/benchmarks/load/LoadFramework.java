package org.mezzo.benchmarks.load;

import java.util.Collection;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.mezzo.client.ClientOptions;
import org.mezzo.client.LeaderLocator;
import org.mezzo.client.SchedulerClient;
import org.mezzo.protocol.v1.CommandInfo;
import org.mezzo.protocol.v1.ExecutorID;
import org.mezzo.protocol.v1.ExecutorInfo;
import org.mezzo.protocol.v1.Filters;
import org.mezzo.protocol.v1.FrameworkInfo;
import org.mezzo.protocol.v1.Offer;
import org.mezzo.protocol.v1.OfferID;
import org.mezzo.protocol.v1.Resource;
import org.mezzo.protocol.v1.TaskGroupInfo;
import org.mezzo.protocol.v1.TaskID;
import org.mezzo.protocol.v1.TaskInfo;
import org.mezzo.protocol.v1.TaskState;
import org.mezzo.protocol.v1.TaskStatus;
import org.mezzo.protocol.v1.Value;
import org.mezzo.protocol.v1.scheduler.Call;
import org.mezzo.protocol.v1.scheduler.Event;

/**
 * A framework that launches small command tasks and notes when they run and have ended. Anything
 * unexpected ends the process. One thread calls it.
 */
final class LoadFramework implements SchedulerClient.Listener, AutoCloseable {
  private static final long LIMIT_SECONDS = 120;
  private static final Set<TaskState> ENDS =
      EnumSet.of(TaskState.TASK_FINISHED, TaskState.TASK_KILLED);

  /** Somebody who waits until each of some tasks has been seen in a state. */
  private record Awaited(Set<TaskState> states, CountDownLatch left) {}

  private final LinkedBlockingQueue<Offer> offers = new LinkedBlockingQueue<>();
  private final Map<String, Long> running = new ConcurrentHashMap<>();
  private final Map<String, Long> ended = new ConcurrentHashMap<>();
  private final SchedulerClient client;
  private final long limitSeconds;
  private volatile Awaited awaited = new Awaited(Set.of(), new CountDownLatch(0));
  private volatile boolean killing;

  /**
   * @param master {@code host:port}
   * @param limitSeconds the longest that tasks of one launch may take
   */
  LoadFramework(String master, String name, long limitSeconds) {
    this.limitSeconds = limitSeconds;
    FrameworkInfo framework =
        FrameworkInfo.newBuilder()
            .setUser(System.getProperty("user.name"))
            .setName(name)
            .addRoles("load")
            .addCapabilities(
                FrameworkInfo.Capability.newBuilder()
                    .setType(FrameworkInfo.Capability.Type.MULTI_ROLE))
            .build();
    client = new SchedulerClient(ClientOptions.of(LeaderLocator.of(master)), framework, this);
    client.start();
  }

  /** How many tasks have run. */
  int running() {
    return running.size();
  }

  /** When a task ran, in nanoseconds of the clock that {@link #launch} uses. */
  long running(String id) {
    return running.get(id);
  }

  /** When a task had ended. */
  long ended(String id) {
    return ended.get(id);
  }

  /** Launches from the next offer, waits until all have finished, returns when it was sent. */
  long launch(List<String> ids, CommandInfo command) throws InterruptedException {
    return accept(ids, ENDS, offer -> tasks(offer, ids, command));
  }

  /** As {@link #launch}, but waits until all run only. */
  long start(List<String> ids, CommandInfo command) throws InterruptedException {
    return accept(ids, EnumSet.of(TaskState.TASK_RUNNING), offer -> tasks(offer, ids, command));
  }

  /** As {@link #launch}, as one task group. */
  long launchGroup(List<String> ids, CommandInfo command) throws InterruptedException {
    return accept(ids, ENDS, offer -> group(offer, ids, command));
  }

  /** Kills tasks that run, waits until all have ended, returns when the first call was sent. */
  long kill(Collection<String> ids) throws InterruptedException {
    killing = true;
    awaited = new Awaited(ENDS, new CountDownLatch(ids.size()));
    long sent = System.nanoTime();
    for (String id : ids) {
      client.call(
          Call.newBuilder()
              .setType(Call.Type.KILL)
              .setKill(Call.Kill.newBuilder().setTaskId(TaskID.newBuilder().setValue(id))));
    }
    await();
    killing = false;
    return sent;
  }

  private interface Operations {
    Offer.Operation of(Offer offer);
  }

  private long accept(List<String> ids, Set<TaskState> states, Operations operations)
      throws InterruptedException {
    Offer offer = offerFor(ids.size());
    Call.Accept.Builder accept =
        Call.Accept.newBuilder()
            .addOfferIds(offer.getId())
            .addOperations(operations.of(offer))
            .setFilters(Filters.newBuilder().setRefuseSeconds(0));
    awaited = new Awaited(states, new CountDownLatch(ids.size()));
    long sent = System.nanoTime();
    client.call(Call.newBuilder().setType(Call.Type.ACCEPT).setAccept(accept));
    await();
    return sent;
  }

  private void await() throws InterruptedException {
    if (!awaited.left().await(limitSeconds, TimeUnit.SECONDS)) {
      throw new IllegalStateException(
          awaited.left().getCount() + " tasks did not come to " + awaited.states() + " in time");
    }
  }

  private static Offer.Operation tasks(Offer offer, List<String> ids, CommandInfo command) {
    Offer.Operation.Launch.Builder launch = Offer.Operation.Launch.newBuilder();
    ids.forEach(id -> launch.addTaskInfos(task(offer, id, command)));
    return Offer.Operation.newBuilder()
        .setType(Offer.Operation.Type.LAUNCH)
        .setLaunch(launch)
        .build();
  }

  private static Offer.Operation group(Offer offer, List<String> ids, CommandInfo command) {
    TaskGroupInfo.Builder group = TaskGroupInfo.newBuilder();
    ids.forEach(id -> group.addTasks(task(offer, id, command)));
    ExecutorInfo.Builder executor =
        ExecutorInfo.newBuilder()
            .setType(ExecutorInfo.Type.DEFAULT)
            .setExecutorId(ExecutorID.newBuilder().setValue("of-" + ids.get(0)))
            .setFrameworkId(offer.getFrameworkId())
            .addResources(scalar("cpus", 0.1))
            .addResources(scalar("mem", 32))
            .addResources(scalar("disk", 32));
    return Offer.Operation.newBuilder()
        .setType(Offer.Operation.Type.LAUNCH_GROUP)
        .setLaunchGroup(
            Offer.Operation.LaunchGroup.newBuilder().setExecutor(executor).setTaskGroup(group))
        .build();
  }

  private static TaskInfo task(Offer offer, String id, CommandInfo command) {
    return TaskInfo.newBuilder()
        .setName(id)
        .setTaskId(TaskID.newBuilder().setValue(id))
        .setAgentId(offer.getAgentId())
        .setCommand(command)
        .addResources(scalar("cpus", 0.001))
        .addResources(scalar("mem", 1))
        .build();
  }

  /** The next offer that is large enough; smaller ones are given back. */
  private Offer offerFor(int tasks) throws InterruptedException {
    while (true) {
      Offer offer = offers.poll(LIMIT_SECONDS, TimeUnit.SECONDS);
      if (offer == null) {
        throw new IllegalStateException("No offer within " + LIMIT_SECONDS + " s");
      }
      if (scalar(offer, "mem") >= tasks + 32
          && scalar(offer, "cpus") >= tasks * 0.001 + 0.1
          && scalar(offer, "disk") >= 32) {
        return offer;
      }
      client.call(
          Call.newBuilder()
              .setType(Call.Type.DECLINE)
              .setDecline(
                  Call.Decline.newBuilder()
                      .addOfferIds(offer.getId())
                      .setFilters(Filters.newBuilder().setRefuseSeconds(0))));
    }
  }

  private static double scalar(Offer offer, String name) {
    return offer.getResourcesList().stream()
        .filter(resource -> resource.getName().equals(name))
        .mapToDouble(resource -> resource.getScalar().getValue())
        .sum();
  }

  private static Resource scalar(String name, double value) {
    return Resource.newBuilder()
        .setName(name)
        .setType(Value.Type.SCALAR)
        .setScalar(Value.Scalar.newBuilder().setValue(value))
        .build();
  }

  @Override
  public void subscribed(Event.Subscribed subscribed) {
    offers.clear();
  }

  @Override
  public void event(Event event) {
    switch (event.getType()) {
      case OFFERS -> offers.addAll(event.getOffers().getOffersList());
      case RESCIND -> rescinded(event.getRescind().getOfferId());
      case UPDATE -> updated(event.getUpdate().getStatus());
      default -> {}
    }
  }

  private void rescinded(OfferID id) {
    offers.removeIf(offer -> offer.getId().equals(id));
  }

  private void updated(TaskStatus status) {
    String id = status.getTaskId().getValue();
    TaskState state = status.getState();
    Long seen = null;
    if (state == TaskState.TASK_RUNNING) {
      seen = running.putIfAbsent(id, System.nanoTime());
    } else if (state == TaskState.TASK_FINISHED || (killing && state == TaskState.TASK_KILLED)) {
      seen = ended.putIfAbsent(id, System.nanoTime());
    } else if (state != TaskState.TASK_STARTING) {
      System.err.println("unexpected: " + status);
      System.exit(1);
    }
    if (seen == null && awaited.states().contains(state)) {
      awaited.left().countDown();
    }
    client.acknowledge(status);
  }

  @Override
  public void disconnected(String reason) {
    System.err.println("disconnected: " + reason);
  }

  @Override
  public void failed(String message) {
    System.err.println("refused: " + message);
    System.exit(1);
  }

  @Override
  public void close() {
    try {
      client.teardown().get(10, TimeUnit.SECONDS);
    } catch (Exception e) {
      System.err.println("teardown: " + e);
    }
    client.close();
  }
}
