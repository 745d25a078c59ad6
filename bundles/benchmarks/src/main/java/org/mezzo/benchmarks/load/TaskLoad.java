package org.mezzo.benchmarks.load;

import java.util.ArrayList;
import java.util.Arrays;
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
 * Launches command tasks on a running cluster through the public scheduler API and measures: first
 * one task at a time, from the ACCEPT sent to TASK_RUNNING and TASK_FINISHED received; then bursts,
 * each a single ACCEPT, in tasks finished per second.
 *
 * <p>Arguments: {@code HOST:PORT [singles=100] [burst=500] [bursts=3]}.
 */
public final class TaskLoad implements SchedulerClient.Listener {
  private static final long LIMIT_SECONDS = 120;

  private final LinkedBlockingQueue<Offer> offers = new LinkedBlockingQueue<>();
  private final Map<String, Long> running = new ConcurrentHashMap<>();
  private final Map<String, Long> finished = new ConcurrentHashMap<>();
  private final SchedulerClient client;
  private volatile CountDownLatch pending = new CountDownLatch(0);

  private TaskLoad(String master) {
    FrameworkInfo framework =
        FrameworkInfo.newBuilder()
            .setUser(System.getProperty("user.name"))
            .setName("task-load")
            .addRoles("load")
            .addCapabilities(
                FrameworkInfo.Capability.newBuilder()
                    .setType(FrameworkInfo.Capability.Type.MULTI_ROLE))
            .build();
    client = new SchedulerClient(ClientOptions.of(LeaderLocator.of(master)), framework, this);
  }

  public static void main(String[] arguments) throws Exception {
    if (arguments.length == 0) {
      System.err.println("Arguments: HOST:PORT [singles=100] [burst=500] [bursts=3]");
      System.exit(2);
    }
    Map<String, Integer> sizes =
        new java.util.HashMap<>(Map.of("singles", 100, "burst", 500, "bursts", 3));
    for (String argument : Arrays.asList(arguments).subList(1, arguments.length)) {
      String[] parts = argument.split("=", 2);
      sizes.put(parts[0], Integer.parseInt(parts[1]));
    }
    TaskLoad load = new TaskLoad(arguments[0]);
    load.client.start();
    load.singles("warm-up", 30);
    load.singles("measured", sizes.get("singles"));
    for (int i = 0; i < sizes.get("bursts"); i++) {
      load.burst(i, sizes.get("burst"));
    }
    load.client.teardown().get(10, TimeUnit.SECONDS);
    load.client.close();
    System.exit(0);
  }

  private void singles(String name, int count) throws InterruptedException {
    List<Long> toRunning = new ArrayList<>();
    List<Long> toFinished = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      String id = name + "-" + i;
      long sent = launch(List.of(id));
      toRunning.add(running.get(id) - sent);
      toFinished.add(finished.get(id) - sent);
    }
    System.out.printf(
        "%-9s %4d single tasks: ACCEPT to RUNNING p50 %.1f ms, p99 %.1f ms;"
            + " to FINISHED p50 %.1f ms, p99 %.1f ms%n",
        name,
        count,
        percentile(toRunning, 0.5),
        percentile(toRunning, 0.99),
        percentile(toFinished, 0.5),
        percentile(toFinished, 0.99));
  }

  private void burst(int number, int count) throws InterruptedException {
    List<String> ids = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      ids.add("burst-" + number + "-" + i);
    }
    long sent = launch(ids);
    long last = ids.stream().mapToLong(finished::get).max().orElseThrow();
    List<Long> toRunning = ids.stream().map(id -> running.get(id) - sent).toList();
    System.out.printf(
        "burst     %4d tasks in one ACCEPT: %.0f tasks/s; ACCEPT to RUNNING p50 %.0f ms%n",
        count, count / ((last - sent) / 1e9), percentile(new ArrayList<>(toRunning), 0.5));
  }

  private static double percentile(List<Long> nanos, double share) {
    nanos.sort(null);
    return nanos.get((int) Math.min(nanos.size() - 1, Math.round(share * nanos.size()))) / 1e6;
  }

  /** Launches from the next offer, waits until all have finished, returns when it was sent. */
  private long launch(List<String> ids) throws InterruptedException {
    Offer offer = offerFor(ids.size());
    Offer.Operation.Launch.Builder launch = Offer.Operation.Launch.newBuilder();
    for (String id : ids) {
      launch.addTaskInfos(
          TaskInfo.newBuilder()
              .setName(id)
              .setTaskId(TaskID.newBuilder().setValue(id))
              .setAgentId(offer.getAgentId())
              .setCommand(CommandInfo.newBuilder().setValue("true"))
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
    if (!pending.await(LIMIT_SECONDS, TimeUnit.SECONDS)) {
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
}
