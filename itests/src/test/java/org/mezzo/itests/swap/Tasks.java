package org.mezzo.itests.swap;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.net.URI;
import java.time.Duration;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import org.mezzo.fixtures.Await;
import org.mezzo.itests.cluster.Http;
import org.mezzo.itests.cluster.TestFramework;
import org.mezzo.itests.osgi.ClusterInside;
import org.mezzo.itests.swap.modules.SwappedFetcher;
import org.mezzo.itests.swap.modules.SwappedGenerator;

/**
 * A framework with 50 tasks that run all along. Beside them it launches short ones, 10 a second in
 * bursts, as commands, with checks or not, or in executors of their own that end once they have
 * looked at their secrets, or has four at a time fetch a file, every other time together from the
 * cache; on an idle cluster one at a time. Every task checks that hook and isolator have seen it,
 * and every update that the hook has.
 */
final class Tasks implements AutoCloseable {
  private static final Duration PATIENCE = Duration.ofSeconds(120);
  private static final int RUNNING = 50;
  private static final int AGENTS = ClusterInside.AGENTS;
  private static final int BURST = 2;
  private static final long BURST_PAUSE = TimeUnit.SECONDS.toNanos(1) * AGENTS * BURST / 10;
  private static final int FETCHES = 4;

  private static final String CHECK =
      "test \"$SWAP_HOOK\" && test \"$SWAP_ISOLATOR\" && test \"$SWAP_SECRET\" = hidden";

  /** Those in which short tasks come in bursts. */
  private static final Set<Mode> BURSTING = EnumSet.of(Mode.BURSTS, Mode.EXECUTORS, Mode.CHECKED);

  /** How executors end that have a secret of their own. */
  private static final int OWN_SECRET = 42;

  private static final String CHECK_FILE =
      CHECK
          + " && test $(sort -u data | wc -l) = 1 && test $(wc -l <data) = "
          + SwappedFetcher.LINES;

  /** What is launched beside the tasks that run. */
  enum Mode {
    NOTHING,
    BURSTS,
    FETCHES,
    EXECUTORS,
    CHECKED
  }

  private final TestFramework framework;
  private final Duration fetch;
  private final boolean alone;
  private final Thread thread;
  private final Map<String, Long> accepted = new HashMap<>();
  private final Set<String> steady = new HashSet<>();

  /** Those whose check has not told anything yet. */
  private final Set<String> unchecked = new HashSet<>();

  private final Set<String> running = new HashSet<>();

  /** Short tasks that have not ended, with their agents. */
  private final Map<String, String> open = new HashMap<>();

  private final Map<String, Long> nextBurst = new HashMap<>();
  private Mode mode = Mode.NOTHING;
  private Operations launches = new Operations();
  private Operations offers = new Operations();
  private long lastOffers;
  private int number;
  private int files;
  private boolean sharing;
  private boolean killing;
  private volatile boolean ended;

  /**
   * Subscribes, and launches what runs all along.
   *
   * @param fetch how long a fetch takes
   * @param alone whether it launches one short task at a time
   */
  Tasks(URI master, Duration fetch, boolean alone) throws IOException {
    this.fetch = fetch;
    this.alone = alone;
    framework =
        TestFramework.subscribe(
            master,
            """
            {"user":"%s","name":"swaps","roles":["swaps"],"failover_timeout":60.0,
             "capabilities":[{"type":"MULTI_ROLE"},{"type":"PARTITION_AWARE"}]}\
            """
                .formatted(System.getProperty("user.name")));
    thread = new Thread(this::serve, "swap-tasks");
    thread.setDaemon(true);
    thread.start();
    Await.until(RUNNING + " tasks run, " + failures(), PATIENCE, () -> runningNow() == RUNNING);
  }

  private synchronized int runningNow() {
    return running.size();
  }

  private synchronized List<String> failures() {
    return launches.failures();
  }

  /** From now on this is launched, and counted anew. */
  synchronized void launch(Mode what) {
    mode = what;
    launches = new Operations();
    offers = new Operations();
    files = 0;
  }

  /** How many files those that were launched have to be fetched: one for all that share it. */
  synchronized int files() {
    return files;
  }

  /** From being accepted to running. */
  synchronized Operations launches() {
    return launches;
  }

  /** From offers to offers. */
  synchronized Operations offers() {
    return offers;
  }

  private synchronized int openNow() {
    return open.size();
  }

  /** Launches nothing more; returns when all that was launched has ended. */
  void pause() {
    synchronized (this) {
      mode = Mode.NOTHING;
    }
    Await.until("every short task ended, " + failures(), PATIENCE, () -> openNow() == 0);
  }

  /** Ends the tasks that run. */
  void killAll() throws IOException {
    pause();
    List<String> all;
    synchronized (this) {
      killing = true;
      all = List.copyOf(running);
    }
    for (String task : all) {
      ObjectNode kill = framework.call("KILL");
      kill.putObject("kill").putObject("task_id").put("value", task);
      framework.send(kill);
    }
    Await.until("every task ended", PATIENCE, () -> runningNow() == 0);
  }

  private void serve() {
    int seen = 0;
    try {
      while (!ended) {
        List<JsonNode> events = framework.events();
        for (; seen < events.size(); seen++) {
          on(events.get(seen));
        }
        if (framework.ended() && !ended) {
          throw new IOException("the framework's stream ended");
        }
        synchronized (framework) {
          if (framework.events().size() == seen) {
            framework.wait(10);
          }
        }
      }
    } catch (IOException e) {
      if (!ended) {
        launches().failed(e.toString());
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private void on(JsonNode event) throws IOException {
    switch (event.path("type").asText()) {
      case "OFFERS" -> {
        synchronized (this) {
          long now = System.nanoTime();
          if (lastOffers != 0) {
            offers.succeeded(lastOffers);
          }
          lastOffers = now;
        }
        for (JsonNode offer : event.at("/offers/offers")) {
          offered(offer);
        }
      }
      case "UPDATE" -> updated(event.at("/update/status"));
      case "RESCIND", "ERROR" -> launches().failed("unexpected " + event);
      case "FAILURE" -> {
        // What an executor ends with is in the second byte, as wait(2) tells it.
        if (event.at("/failure/status").asInt() >> 8 != OWN_SECRET) {
          launches().failed("unexpected " + event);
        }
      }
      default -> {}
    }
  }

  private void offered(JsonNode offer) throws IOException {
    String agent = offer.at("/agent_id/value").asText();
    List<String> ids = new ArrayList<>();
    boolean executors;
    ObjectNode more = Http.JSON.createObjectNode();
    ObjectNode command = Http.JSON.createObjectNode().put("shell", true).put("value", CHECK);
    command
        .putObject("environment")
        .putArray("variables")
        .addObject()
        .put("name", "SWAP_SECRET")
        .put("type", "SECRET")
        .putObject("secret")
        .put("type", "VALUE")
        .putObject("value")
        .put("data", "aGlkZGVu");
    synchronized (this) {
      int fit = TestFramework.fit(offer);
      long now = System.nanoTime();
      if (steady.size() < RUNNING) {
        while (ids.size() < Math.min(fit, RUNNING / AGENTS) && steady.size() < RUNNING) {
          String id = "steady-" + steady.size();
          steady.add(id);
          ids.add(id);
        }
        command.put("value", CHECK + " && exec sleep 100000");
      } else if (alone && !open.isEmpty()) {
        // The next one comes when this has ended.
      } else if (alone && BURSTING.contains(mode)) {
        add(ids, agent, Math.min(1, fit));
      } else if (BURSTING.contains(mode) && now - nextBurst.getOrDefault(agent, now) >= 0) {
        nextBurst.put(agent, now + BURST_PAUSE);
        add(ids, agent, Math.min(BURST, fit));
      } else if (mode == Mode.FETCHES) {
        int here = (int) open.values().stream().filter(agent::equals).count();
        add(ids, agent, Math.min(alone ? 1 : FETCHES / AGENTS - here, fit));
        sharing ^= !ids.isEmpty();
        boolean shared = sharing;
        files += ids.isEmpty() || !shared ? ids.size() : 1;
        command.put("value", CHECK_FILE);
        command
            .putArray("uris")
            .addObject()
            .put("value", "swap://" + fetch.toMillis() + "/data-" + number)
            .put("output_file", "data")
            .put("cache", shared)
            .put("extract", false);
      }
      ids.forEach(id -> accepted.put(id, now));
      if (mode == Mode.CHECKED && !ids.isEmpty() && open.containsKey(ids.get(0))) {
        unchecked.addAll(ids);
        command.put("value", CHECK + " && exec sleep 3");
        more.putObject("check")
            .put("type", "TCP")
            .put("delay_seconds", 0)
            .put("interval_seconds", 0.1)
            .putObject("tcp")
            .put("port", 1);
      }
      executors = mode == Mode.EXECUTORS && !ids.isEmpty() && open.containsKey(ids.get(0));
    }
    if (executors) {
      framework.launch(offer, ids, Tasks::executor);
    } else {
      framework.launch(offer, ids, command, more);
    }
  }

  /** Gives a task an executor, which says by its end whether its secret is its own. */
  private static void executor(ObjectNode task) {
    task.remove("command");
    String id = task.path("name").asText();
    ObjectNode executor = task.putObject("executor");
    executor.putObject("executor_id").put("value", id);
    executor
        .putObject("command")
        .put("shell", true)
        .put(
            "value",
            "test \"$MESOS_EXECUTOR_AUTHENTICATION_TOKEN\" = "
                + SwappedGenerator.PREFIX
                + id
                + " && exit "
                + OWN_SECRET);
  }

  private void add(List<String> ids, String agent, int more) {
    for (int i = 0; i < more; i++) {
      ids.add("short-" + ++number);
    }
    ids.forEach(id -> open.put(id, agent));
  }

  private void updated(JsonNode status) throws IOException {
    framework.acknowledge(status);
    String state = status.path("state").asText();
    String task = status.at("/task_id/value").asText();
    synchronized (this) {
      Long begin = accepted.get(task);
      switch (state) {
        case "TASK_STARTING" -> {}
        case "TASK_RUNNING" -> {
          if (steady.contains(task)) {
            running.add(task);
          } else if (unchecked.contains(task)) {
            if (status.at("/check_status/tcp/succeeded").asBoolean() && begin != null) {
              unchecked.remove(task);
              launches.succeeded(begin);
            }
          } else if (begin != null) {
            launches.succeeded(begin);
          }
        }
        case "TASK_FINISHED" ->
            ended(task, steady.contains(task) || unchecked.remove(task), status);
        case "TASK_FAILED" -> {
          boolean own = status.path("message").asText().contains("with status " + OWN_SECRET + " ");
          if (own && begin != null) {
            launches.succeeded(begin);
          }
          ended(task, !own, status);
        }
        case "TASK_KILLED" -> ended(task, !killing, status);
        default -> ended(task, true, status);
      }
      if (!status.path("labels").toString().contains("\"status\"")) {
        launches.failed("an update that no hook has seen: " + status);
      }
    }
  }

  private void ended(String task, boolean wrong, JsonNode status) {
    open.remove(task);
    running.remove(task);
    accepted.remove(task);
    if (wrong) {
      launches.failed("unexpected " + status);
    }
  }

  @Override
  public void close() throws IOException {
    ended = true;
    try {
      framework.teardown();
    } finally {
      framework.close();
    }
  }
}
