package org.mezzo.benchmarks.load;

import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.mezzo.client.ClientOptions;
import org.mezzo.client.LeaderLocator;
import org.mezzo.client.SchedulerClient;
import org.mezzo.protocol.v1.CommandInfo;
import org.mezzo.protocol.v1.Filters;
import org.mezzo.protocol.v1.FrameworkInfo;
import org.mezzo.protocol.v1.Offer;
import org.mezzo.protocol.v1.OfferID;
import org.mezzo.protocol.v1.Resource;
import org.mezzo.protocol.v1.TaskID;
import org.mezzo.protocol.v1.TaskInfo;
import org.mezzo.protocol.v1.TaskState;
import org.mezzo.protocol.v1.TaskStatus;
import org.mezzo.protocol.v1.Value;
import org.mezzo.protocol.v1.scheduler.Call;
import org.mezzo.protocol.v1.scheduler.Event;

/**
 * A framework that launches small command tasks and notes when they run and have finished. Anything
 * unexpected ends the process. One thread calls it.
 */
final class LoadFramework implements SchedulerClient.Listener, AutoCloseable {
  private static final long LIMIT_SECONDS = 120;

  private final LinkedBlockingQueue<Offer> offers = new LinkedBlockingQueue<>();
  private final Map<String, Long> running = new ConcurrentHashMap<>();
  private final Map<String, Long> finished = new ConcurrentHashMap<>();
  private final SchedulerClient client;
  private final long limitSeconds;
  private volatile CountDownLatch pending = new CountDownLatch(0);

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

  /** When a task had finished. */
  long finished(String id) {
    return finished.get(id);
  }

  /** Launches from the next offer, waits until all have finished, returns when it was sent. */
  long launch(List<String> ids, CommandInfo command) throws InterruptedException {
    Offer offer = offerFor(ids.size());
    Offer.Operation.Launch.Builder launch = Offer.Operation.Launch.newBuilder();
    for (String id : ids) {
      launch.addTaskInfos(
          TaskInfo.newBuilder()
              .setName(id)
              .setTaskId(TaskID.newBuilder().setValue(id))
              .setAgentId(offer.getAgentId())
              .setCommand(command)
              .addResources(scalar("cpus", 0.001))
              .addResources(scalar("mem", 1)));
    }
    pending = new CountDownLatch(ids.size());
    long sent = System.nanoTime();
    client.call(
        Call.newBuilder()
            .setType(Call.Type.ACCEPT)
            .setAccept(
                Call.Accept.newBuilder()
                    .addOfferIds(offer.getId())
                    .addOperations(
                        Offer.Operation.newBuilder()
                            .setType(Offer.Operation.Type.LAUNCH)
                            .setLaunch(launch))
                    .setFilters(Filters.newBuilder().setRefuseSeconds(0))));
    if (!pending.await(limitSeconds, TimeUnit.SECONDS)) {
      throw new IllegalStateException(pending.getCount() + " tasks did not finish in time");
    }
    return sent;
  }

  /** The next offer that is large enough; smaller ones are given back. */
  private Offer offerFor(int tasks) throws InterruptedException {
    while (true) {
      Offer offer = offers.poll(LIMIT_SECONDS, TimeUnit.SECONDS);
      if (offer == null) {
        throw new IllegalStateException("No offer within " + LIMIT_SECONDS + " s");
      }
      if (scalar(offer, "mem") >= tasks && scalar(offer, "cpus") >= tasks * 0.001) {
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
    if (status.getState() == TaskState.TASK_RUNNING) {
      running.putIfAbsent(id, System.nanoTime());
    } else if (status.getState() == TaskState.TASK_FINISHED) {
      if (finished.putIfAbsent(id, System.nanoTime()) == null) {
        pending.countDown();
      }
    } else if (status.getState() != TaskState.TASK_STARTING) {
      System.err.println("unexpected: " + status);
      System.exit(1);
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
