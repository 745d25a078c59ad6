package org.mezzo.itests.osgi;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.io.InputStream;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.atomic.AtomicReference;
import org.mezzo.fixtures.Await;
import org.mezzo.itests.cluster.Http;
import org.mezzo.itests.cluster.TestFramework;

/**
 * What a cluster does for its clients: a framework launches short tasks from every offer and has
 * one task that runs all along, an operator listens to events, somebody reads without pause.
 * Whatever a swap of the allocator must not do to them is a failure: a stream that ends, an offer
 * rescinded, a call refused, a task lost.
 */
final class Load implements AutoCloseable {
  private static final String STEADY = "steady";
  private static final int TASKS_PER_OFFER = 3;

  private final ClusterInside cluster;
  private final TestFramework framework;
  private final InputStream operator;
  private final List<Thread> threads = new ArrayList<>();
  private final AtomicReference<Throwable> failure = new AtomicReference<>();
  private final Set<String> launched = new HashSet<>();
  private final Set<String> finished = new HashSet<>();
  private volatile boolean stopping;
  private volatile boolean ended;
  private boolean steadyLaunched;
  private boolean steadyRuns;
  private boolean steadyEnded;
  private boolean holdNext;
  private JsonNode held;
  private long lastOffersNanos;
  private long longestGapNanos;
  private long longestGapSinceMarkNanos;
  private int offers;
  private int reads;

  Load(ClusterInside cluster) throws IOException, InterruptedException {
    this.cluster = cluster;
    framework =
        TestFramework.subscribe(
            cluster.master(),
            """
            {"user":"%s","name":"load","roles":["load"],"failover_timeout":60.0,
             "capabilities":[{"type":"MULTI_ROLE"},{"type":"PARTITION_AWARE"}]}\
            """
                .formatted(System.getProperty("user.name")));
    HttpRequest subscribe =
        HttpRequest.newBuilder(cluster.master().resolve("/api/v1"))
            .header("Content-Type", "application/json")
            .header("Accept", "application/json")
            .POST(HttpRequest.BodyPublishers.ofString("{\"type\":\"SUBSCRIBE\"}"))
            .build();
    HttpResponse<InputStream> response =
        Http.CLIENT.send(subscribe, HttpResponse.BodyHandlers.ofInputStream());
    operator = response.body();
    if (response.statusCode() != 200) {
      throw new IOException("SUBSCRIBE was answered " + response.statusCode());
    }
    lastOffersNanos = System.nanoTime();
    run("load-framework", this::serve);
    run("load-operator", this::listen);
    run("load-reader", this::read);
    await("the steady task runs", () -> steadyRuns);
  }

  private interface Job {
    void run() throws Exception;
  }

  private void run(String name, Job job) {
    Thread thread =
        new Thread(
            () -> {
              try {
                job.run();
              } catch (Throwable t) {
                if (!ended) {
                  failure.compareAndSet(null, t);
                }
              }
            },
            name);
    thread.setDaemon(true);
    threads.add(thread);
    thread.start();
  }

  private void listen() throws IOException {
    byte[] buffer = new byte[8192];
    while (operator.read(buffer) >= 0) {
      continue;
    }
    throw new IOException("The operator's stream ended");
  }

  private void read() throws Exception {
    String[] paths = {
      "/state", "/health", "/metrics/snapshot", "/slaves", "/tasks", "/mezzo/modules"
    };
    for (int i = 0; !stopping; i++) {
      Http.Answer answer = Http.get(cluster.master().resolve(paths[i % paths.length]));
      if (answer.status() != 200) {
        throw new AssertionError(paths[i % paths.length] + " was answered " + answer.status());
      }
      synchronized (this) {
        reads++;
      }
      Thread.sleep(20);
    }
  }

  private void serve() throws Exception {
    int seen = 0;
    while (!ended) {
      List<JsonNode> events = framework.events();
      for (; seen < events.size(); seen++) {
        on(events.get(seen));
      }
      if (framework.ended()) {
        throw new AssertionError("The framework's stream ended");
      }
      synchronized (framework) {
        if (framework.events().size() == seen) {
          framework.wait(10);
        }
      }
    }
  }

  private void on(JsonNode event) throws IOException {
    switch (event.path("type").asText()) {
      case "OFFERS" -> {
        for (JsonNode offer : event.at("/offers/offers")) {
          offered(offer);
        }
      }
      case "UPDATE" -> updated(event.at("/update/status"));
      case "RESCIND", "ERROR", "FAILURE" -> throw new AssertionError("unexpected " + event);
      default -> {}
    }
  }

  private void offered(JsonNode offer) throws IOException {
    List<String> ids = new ArrayList<>();
    String command = "true";
    synchronized (this) {
      long now = System.nanoTime();
      long gap = now - lastOffersNanos;
      lastOffersNanos = now;
      longestGapNanos = Math.max(longestGapNanos, gap);
      longestGapSinceMarkNanos = Math.max(longestGapSinceMarkNanos, gap);
      offers++;
      int fit = TestFramework.fit(offer);
      if (holdNext && fit > 0) {
        holdNext = false;
        held = offer;
        return;
      }
      if (!steadyLaunched) {
        steadyLaunched = true;
        ids.add(STEADY);
        command = "sleep 1000";
      } else {
        for (int i = 0; i < Math.min(TASKS_PER_OFFER, fit) && !stopping; i++) {
          ids.add("task-" + offers + "-" + i);
        }
        launched.addAll(ids);
      }
    }
    framework.launch(offer, ids, command);
  }

  private void updated(JsonNode status) throws IOException {
    framework.acknowledge(status);
    String state = status.path("state").asText();
    String task = status.at("/task_id/value").asText();
    synchronized (this) {
      if (task.equals(STEADY)) {
        steadyRuns |= state.equals("TASK_RUNNING");
        steadyEnded = !state.equals("TASK_STARTING") && !state.equals("TASK_RUNNING");
        if (steadyEnded && !state.equals("TASK_KILLED")) {
          throw new AssertionError("unexpected " + status);
        }
      } else if (state.equals("TASK_FINISHED")) {
        finished.add(task);
      } else if (!state.equals("TASK_STARTING") && !state.equals("TASK_RUNNING")) {
        throw new AssertionError("unexpected " + status);
      }
    }
  }

  private interface Condition {
    boolean holds() throws Exception;
  }

  private void await(String what, Condition condition) {
    Await.until(
        what,
        ClusterInside.PATIENCE,
        () -> {
          if (failure.get() != null) {
            return true;
          }
          synchronized (this) {
            return condition.holds();
          }
        });
    check();
  }

  /** Demands that no client has seen anything wrong. */
  void check() {
    if (failure.get() != null) {
      throw new AssertionError("A client saw a failure: " + failure.get(), failure.get());
    }
  }

  /** Waits for tasks that come from new offers. */
  void awaitTasks(int more) {
    int goal = finished() + more;
    int before = offers();
    await(
        more + " more tasks finished than " + (goal - more),
        () -> finished.size() >= goal && offers > before);
  }

  /** Waits for reads that are answered from now on. */
  void awaitReads(int more) {
    int goal = reads() + more;
    await(more + " more reads answered", () -> reads >= goal);
  }

  /** Keeps the next offer instead of using it; returns when there is one. */
  void hold() {
    synchronized (this) {
      holdNext = true;
    }
    await("an offer to keep", () -> held != null);
  }

  /** Launches from the offer kept by {@link #hold}, and waits until the task has finished. */
  void useHeld() throws IOException {
    String task;
    JsonNode offer;
    synchronized (this) {
      offer = held;
      held = null;
      task = "held-" + offer.at("/id/value").asText();
      launched.add(task);
    }
    framework.launch(offer, task, "true");
    await(task + " finished", () -> finished.contains(task));
  }

  /** From now on {@link #gapSinceMarkMillis} tells the longest time without offers. */
  synchronized void mark() {
    longestGapSinceMarkNanos = 0;
  }

  synchronized long gapSinceMarkMillis() {
    return longestGapSinceMarkNanos / 1_000_000;
  }

  synchronized long longestGapMillis() {
    return longestGapNanos / 1_000_000;
  }

  synchronized int finished() {
    return finished.size();
  }

  synchronized int offers() {
    return offers;
  }

  synchronized int reads() {
    return reads;
  }

  synchronized int unfinished() {
    return launched.size() - finished.size();
  }

  /** Ends the launching; demands that every task finished and that the steady one still runs. */
  void finish() throws IOException {
    synchronized (this) {
      stopping = true;
    }
    await("every task finished", () -> finished.containsAll(launched));
    synchronized (this) {
      if (steadyEnded) {
        throw new AssertionError("The steady task has ended");
      }
    }
    ObjectNode kill = framework.call("KILL");
    kill.putObject("kill").putObject("task_id").put("value", STEADY);
    framework.send(kill);
    await("the steady task was killed", () -> steadyEnded);
  }

  @Override
  public void close() throws IOException {
    stopping = true;
    ended = true;
    try {
      framework.teardown();
    } finally {
      framework.close();
      operator.close();
    }
  }
}
