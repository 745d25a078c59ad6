package org.mezzo.itests.cluster;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.net.URI;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import org.mezzo.fixtures.Await;

/**
 * A framework that follows the leader: when its stream ends it subscribes again, with its id, with
 * whichever master takes it, and asks for its tasks. A few of them run all along; beside them it
 * launches short ones without pause. What must never happen is kept as its failures: a call that is
 * refused, and a task that was heard of and is lost.
 */
final class FollowingFramework implements AutoCloseable {
  /** How long a leader may be missed, with the time of a slow machine. */
  private static final Duration PATIENCE = Duration.ofSeconds(120);

  private static final long RECONCILE_AGAIN = TimeUnit.SECONDS.toNanos(1);
  private static final int MOST_SHORT = 4;
  private static final String STEADY = "steady-";
  private static final Set<String> ALIVE = Set.of("TASK_STAGING", "TASK_STARTING", "TASK_RUNNING");
  private static final Set<String> NOT_THERE =
      Set.of("TASK_LOST", "TASK_DROPPED", "TASK_GONE", "TASK_UNKNOWN");

  private final List<URI> masters;
  private final Map<String, String> headers;
  private final ObjectNode info;
  private final int steady;
  private final ObjectNode shortCommand = command("true");
  private final Thread thread = new Thread(this::follow, "following-framework");

  /** The last state that was heard of each task that has not ended; empty before the first. */
  private final Map<String, String> tasks = new HashMap<>();

  /** Tasks of which nothing was heard on the stream on which they were launched. */
  private final Set<String> unheard = new HashSet<>();

  /** Tasks of before the last subscription of which nothing has been heard since. */
  private final Set<String> askedFor = new HashSet<>();

  private final List<String> failures = new ArrayList<>();
  private volatile Consumer<JsonNode> witness = status -> {};
  private volatile TestFramework stream;
  private volatile boolean stopping;
  private volatile boolean closing;
  private int subscriptions;
  private int launched;
  private int finished;
  private int neverLaunched;
  private long lastOffers;
  private long longestGapNanos;

  /**
   * Subscribes, and returns when the tasks that run all along do.
   *
   * @param masters that may lead
   * @param headers of every request
   * @param principal of the framework; empty without one
   * @param steady how many tasks run all along
   */
  FollowingFramework(List<URI> masters, Map<String, String> headers, String principal, int steady) {
    this.masters = List.copyOf(masters);
    this.headers = headers;
    this.steady = steady;
    info = Http.JSON.createObjectNode();
    info.put("user", System.getProperty("user.name")).put("name", "following");
    info.put("failover_timeout", 3600.0).put("checkpoint", true);
    info.putArray("roles").add("following");
    for (String capability : List.of("MULTI_ROLE", "PARTITION_AWARE")) {
      info.withArray("capabilities").addObject().put("type", capability);
    }
    if (!principal.isEmpty()) {
      info.put("principal", principal);
    }
    thread.setDaemon(true);
    thread.start();
  }

  /** What short tasks run from now on. */
  FollowingFramework running(String shell) {
    synchronized (this) {
      shortCommand.put("value", shell);
    }
    return this;
  }

  /** Shown every update with a status of an executor, on a thread of its own. */
  FollowingFramework shownTo(Consumer<JsonNode> statuses) {
    witness = statuses;
    return this;
  }

  private static ObjectNode command(String shell) {
    return Http.JSON.createObjectNode().put("shell", true).put("value", shell);
  }

  private void follow() {
    try {
      while (!closing) {
        Optional<TestFramework> subscribed = subscribe();
        if (subscribed.isEmpty()) {
          TimeUnit.MILLISECONDS.sleep(50);
          continue;
        }
        try (TestFramework framework = subscribed.get()) {
          serve(framework);
        } catch (IOException e) {
          // The master is gone, which the next subscription shows.
        }
        overWith();
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    } catch (RuntimeException | Error e) {
      failed("the framework ended: " + e);
    }
  }

  private Optional<TestFramework> subscribe() {
    for (URI master : masters) {
      try {
        TestFramework framework = TestFramework.subscribe(master, info.toString(), headers);
        info.putObject("id").put("value", framework.frameworkId());
        stream = framework;
        synchronized (this) {
          askedFor.clear();
          askedFor.addAll(tasks.keySet());
          subscriptions++;
        }
        return Optional.of(framework);
      } catch (IOException | AssertionError e) {
        refusal(e);
      }
    }
    return Optional.empty();
  }

  /**
   * Whoever does not lead says so, and one that is gone does not answer; anything else is wrong.
   */
  private void refusal(Throwable failure) {
    String text = String.valueOf(failure.getMessage());
    if (text.matches("(?s)4\\d\\d .*|500 .*")) {
      failed("refused: " + text);
    }
  }

  private void reconcile(TestFramework framework) throws IOException {
    ObjectNode call = framework.call("RECONCILE");
    ObjectNode reconcile = call.putObject("reconcile");
    synchronized (this) {
      if (askedFor.isEmpty()) {
        return;
      }
      for (String task : askedFor) {
        reconcile.withArray("tasks").addObject().putObject("task_id").put("value", task);
      }
    }
    send(() -> framework.send(call));
  }

  private void serve(TestFramework framework) throws IOException, InterruptedException {
    int seen = 0;
    long asked = 0;
    while (!closing) {
      // A master that waits for agents to come back gives no answer.
      if (System.nanoTime() - asked > RECONCILE_AGAIN || asked == 0) {
        asked = System.nanoTime();
        reconcile(framework);
      }
      List<JsonNode> events = framework.events();
      for (; seen < events.size(); seen++) {
        on(framework, events.get(seen));
      }
      synchronized (framework) {
        if (framework.events().size() > seen) {
          continue;
        }
        if (framework.ended()) {
          return;
        }
        framework.wait(50);
      }
    }
  }

  private void on(TestFramework framework, JsonNode event) throws IOException {
    switch (event.path("type").asText()) {
      case "OFFERS" -> {
        offered();
        for (JsonNode offer : event.at("/offers/offers")) {
          launch(framework, offer);
        }
      }
      case "UPDATE" -> {
        JsonNode status = event.at("/update/status");
        updated(status);
        send(() -> framework.acknowledge(status));
      }
      case "ERROR" -> failed("unexpected " + event);
      default -> {}
    }
  }

  private synchronized void offered() {
    long now = System.nanoTime();
    if (lastOffers != 0) {
      longestGapNanos = Math.max(longestGapNanos, now - lastOffers);
    }
    lastOffers = now;
  }

  private void launch(TestFramework framework, JsonNode offer) throws IOException {
    List<String> ids = new ArrayList<>();
    ObjectNode what;
    synchronized (this) {
      int fit = TestFramework.fit(offer);
      long running = tasks.keySet().stream().filter(id -> id.startsWith(STEADY)).count();
      if (running < steady) {
        for (long i = running; i < steady && ids.size() < fit; i++) {
          ids.add(STEADY + ++launched);
        }
        what = command("exec sleep 100000");
      } else {
        int open = tasks.size() - steady;
        while (!stopping && ids.size() < Math.min(fit, MOST_SHORT - open)) {
          ids.add("short-" + ++launched);
        }
        what = shortCommand.deepCopy();
      }
      ids.forEach(id -> tasks.put(id, ""));
    }
    send(() -> framework.launch(offer, ids, what));
  }

  private interface Call {
    void send() throws IOException;
  }

  private void send(Call call) throws IOException {
    try {
      call.send();
    } catch (IOException e) {
      refusal(e);
      throw e;
    }
  }

  private void updated(JsonNode status) {
    String id = status.at("/task_id/value").asText();
    String state = status.path("state").asText();
    boolean ofExecutor = status.has("uuid");
    synchronized (this) {
      askedFor.remove(id);
      String before = tasks.get(id);
      if (before == null) {
        // It has ended, and its last update comes once more.
        return;
      }
      if (state.equals("TASK_FINISHED") && !id.startsWith(STEADY)) {
        tasks.remove(id);
        finished++;
      } else if (ALIVE.contains(state)) {
        tasks.put(id, state);
      } else if (NOT_THERE.contains(state) && before.isEmpty() && unheard.contains(id)) {
        // Accepted by a leader that died before any agent knew.
        tasks.remove(id);
        neverLaunched++;
      } else {
        tasks.remove(id);
        failed("a task that was '" + before + "': " + status);
      }
    }
    if (ofExecutor) {
      witness.accept(status);
    }
  }

  private synchronized void overWith() {
    tasks.forEach(
        (id, state) -> {
          if (state.isEmpty()) {
            unheard.add(id);
          }
        });
  }

  /** Something must not have happened. */
  synchronized void failed(String what) {
    failures.add(what);
  }

  /** What must not have happened. */
  synchronized List<String> failures() {
    return List.copyOf(failures);
  }

  /** How often it has subscribed. */
  synchronized int subscriptions() {
    return subscriptions;
  }

  /** How many short tasks have finished. */
  synchronized int finished() {
    return finished;
  }

  /** How many were accepted by a leader that told nobody. */
  synchronized int neverLaunched() {
    return neverLaunched;
  }

  /** The longest time from offers to offers. */
  synchronized Duration longestGap() {
    return Duration.ofNanos(longestGapNanos);
  }

  private synchronized boolean steadyRun() {
    return askedFor.isEmpty()
        && tasks.entrySet().stream()
                .filter(task -> task.getKey().startsWith(STEADY))
                .filter(task -> task.getValue().equals("TASK_RUNNING"))
                .count()
            == steady;
  }

  /** Waits; nothing may have failed until then. */
  private void await(String what, BooleanSupplier condition) {
    Await.until(what, PATIENCE, () -> condition.getAsBoolean() || !failures().isEmpty());
    assertThat(failures()).as("what went wrong before: " + what).isEmpty();
  }

  /** Waits until the tasks that run all along do. */
  void awaitSteady() {
    await("what runs all along runs", this::steadyRun);
  }

  /** Waits until it has subscribed that often, and all its tasks have been heard of since. */
  void awaitSubscriptions(int number) {
    await(number + " subscriptions", () -> subscriptions() >= number);
    awaitSteady();
  }

  /** Waits until so many more short tasks have finished. */
  void awaitTasks(int more) {
    int goal = finished() + more;
    await(more + " more tasks finished", () -> finished() >= goal);
  }

  private synchronized boolean drained() {
    return tasks.size() == steady;
  }

  /** Launches nothing more; returns when every short task has ended. */
  void drain() {
    stopping = true;
    await("every short task has ended", this::drained);
  }

  @Override
  public void close() throws IOException {
    stopping = true;
    closing = true;
    TestFramework last = stream;
    if (last != null) {
      try {
        last.teardown();
      } catch (IOException e) {
        // No master is left, and the tasks end with the agent's folder.
      }
      last.close();
    }
  }
}
