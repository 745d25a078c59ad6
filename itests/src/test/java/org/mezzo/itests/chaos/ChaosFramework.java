package org.mezzo.itests.chaos;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Base64;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.function.Predicate;
import org.mezzo.fixtures.Await;
import org.mezzo.itests.cluster.Http;
import org.mezzo.itests.cluster.TestFramework;

/**
 * A framework as careful ones are: it follows the leading master, acknowledges what it has noted,
 * asks for its tasks after each subscription, and repeats kills until they are answered. It
 * launches a number of tasks of one kind, a few at a time, and keeps of each what it was told. Has
 * a thread of its own; what it knows may be asked from any.
 */
final class ChaosFramework implements AutoCloseable {
  private static final long ASK_AGAIN = TimeUnit.SECONDS.toNanos(1);
  private static final long ASK_ALL = TimeUnit.SECONDS.toNanos(15);
  private static final long KILL_AGAIN = TimeUnit.SECONDS.toNanos(3);
  private static final long AFTERMATH = TimeUnit.SECONDS.toNanos(60);
  private static final int TASKS_PER_EXECUTOR = 12;
  private static final double CPUS = 0.1;
  private static final int MEM = 32;

  /** What tasks are. */
  enum Kind {
    /** Commands. */
    COMMANDS(true, 10),
    /** Groups of two, run by the default executor. */
    GROUPS(true, 8),
    /** Tasks of an executor that the framework brings along. */
    CUSTOM(true, 8),
    /** Commands that end with their agent. */
    PLAIN(false, 6);

    private final boolean checkpoint;
    private final int most;

    Kind(boolean checkpoint, int most) {
      this.checkpoint = checkpoint;
      this.most = most;
    }
  }

  /** A task from its launch on. */
  private final class Launched implements TaskHistory.Interference {
    final String id;
    final String executor;
    final String agent;

    /** What was killed from then on may concern it: what a kill does to offers comes later. */
    final long since = System.nanoTime() - AFTERMATH;

    final TaskHistory history;

    /** When a kill of it is to be sent next; 0 where none is. */
    long killAt;

    Launched(String id, String executor, String agent, Work work) {
      this.id = id;
      this.executor = executor;
      this.agent = agent;
      history =
          new TaskHistory(
              id,
              kind == Kind.CUSTOM ? TaskHistory.Kind.BY_EXECUTOR : TaskHistory.Kind.BY_AGENT,
              kind.checkpoint,
              work.ends(),
              this);
      killAt =
          work.killMillis() == 0
              ? 0
              : System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(work.killMillis());
    }

    /** A task of a group ends with the other one, whatever became of that. */
    @Override
    public boolean hit() {
      return mayhem.hit(executor)
          || kind == Kind.GROUPS
              && tasks.values().stream()
                  .anyMatch(
                      other ->
                          other != this
                              && other.executor.equals(executor)
                              && other.history.over()
                              && !other.history.endState().equals("TASK_FINISHED"));
    }

    @Override
    public boolean launcherKilled() {
      return mayhem.killed(Mayhem.Victim.SPAWNER, since);
    }

    @Override
    public boolean agentKilled() {
      return mayhem.killed(Mayhem.Victim.AGENT, since);
    }

    @Override
    public boolean masterKilled() {
      return mayhem.killed(Mayhem.Victim.MASTER, since);
    }
  }

  /**
   * What a task does.
   *
   * @param text a shell command, or the milliseconds that it takes
   * @param ends states it may end in
   * @param killMillis after which the framework kills it; 0 for never
   */
  private record Work(String text, Set<String> ends, int killMillis) {}

  private final Kind kind;
  private final List<URI> masters;
  private final Mayhem mayhem;
  private final long seed;
  private final int total;
  private final Predicate<JsonNode> swallowed;
  private final ObjectNode info;
  private final Thread thread;
  private final Map<String, Launched> tasks = new LinkedHashMap<>();
  private final Set<String> open = new HashSet<>();

  /** Open tasks of which nothing was heard since the last subscription. */
  private final Set<String> unanswered = new HashSet<>();

  private final List<String> faults = new ArrayList<>();

  /** Of agents: the executor that gets tasks now, and how many it got. */
  private final Map<String, Integer> executors = new LinkedHashMap<>();

  private final Map<String, String> current = new LinkedHashMap<>();
  private final Set<String> retired = new HashSet<>();
  private int launched;
  private int executorsMade;
  private int subscriptions;
  private volatile boolean closing;
  private volatile boolean leaving;
  private volatile boolean tornDown;
  private volatile TestFramework stream;

  /**
   * Begins.
   *
   * @param seed decides what each task does
   * @param total how many tasks
   * @param swallowed updates that it acknowledges and does not note, as none should: to prove that
   *     this is seen
   */
  ChaosFramework(
      Kind kind,
      List<URI> masters,
      Mayhem mayhem,
      long seed,
      int total,
      Predicate<JsonNode> swallowed) {
    this.kind = kind;
    this.masters = List.copyOf(masters);
    this.mayhem = mayhem;
    this.seed = seed;
    this.total = total;
    this.swallowed = swallowed;
    String name = "chaos-" + kind.name().toLowerCase(java.util.Locale.ROOT);
    info = Http.JSON.createObjectNode();
    info.put("user", System.getProperty("user.name")).put("name", name);
    info.put("failover_timeout", 3600.0).put("checkpoint", kind.checkpoint);
    info.putArray("roles").add(name);
    for (String capability : List.of("MULTI_ROLE", "PARTITION_AWARE")) {
      info.withArray("capabilities").addObject().put("type", capability);
    }
    thread = new Thread(this::follow, name);
    thread.setDaemon(true);
    thread.start();
  }

  // Following.

  private void follow() {
    try {
      while (!closing && !tornDown) {
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
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    } catch (RuntimeException | Error e) {
      failed("the framework ended: " + e + " " + List.of(e.getStackTrace()));
    }
  }

  private Optional<TestFramework> subscribe() {
    for (URI master : masters) {
      try {
        TestFramework framework = TestFramework.subscribe(master, info.toString());
        info.putObject("id").put("value", framework.frameworkId());
        stream = framework;
        synchronized (this) {
          unanswered.clear();
          unanswered.addAll(open);
          subscriptions++;
        }
        return Optional.of(framework);
      } catch (IOException | AssertionError e) {
        refused(e);
      }
    }
    return Optional.empty();
  }

  /** Whoever does not lead says so, and one that is gone does not answer; the rest is wrong. */
  private void refused(Throwable failure) {
    String text = String.valueOf(failure.getMessage());
    if (text.matches("(?s)4\\d\\d .*|500 .*")) {
      failed("refused: " + text);
    }
  }

  private void serve(TestFramework framework) throws IOException, InterruptedException {
    int seen = 0;
    long asked = 0;
    long askedAll = System.nanoTime();
    while (!closing) {
      if (leaving) {
        framework.teardown();
        tornDown = true;
        return;
      }
      long now = System.nanoTime();
      // A master that waits for agents to come back gives no answer.
      if (asked == 0 || now - asked > ASK_AGAIN) {
        asked = now;
        if (now - askedAll > ASK_ALL) {
          askedAll = now;
          synchronized (this) {
            unanswered.addAll(open);
          }
        }
        reconcile(framework);
      }
      kill(framework, now);
      retire(framework);
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
        for (JsonNode offer : event.at("/offers/offers")) {
          offered(framework, offer);
        }
      }
      case "UPDATE" -> {
        JsonNode status = event.at("/update/status");
        if (!swallowed.test(status)) {
          told(status);
        }
        send(framework, status);
      }
      case "FAILURE" -> over(event.at("/failure/executor_id/value").asText());
      case "ERROR" -> failed("unexpected " + event);
      default -> {}
    }
  }

  private void send(TestFramework framework, JsonNode status) throws IOException {
    try {
      framework.acknowledge(status);
    } catch (IOException e) {
      refused(e);
      throw e;
    }
  }

  private void call(TestFramework framework, ObjectNode call) throws IOException {
    try {
      framework.send(call);
    } catch (IOException e) {
      refused(e);
      throw e;
    }
  }

  private synchronized void told(JsonNode status) {
    String id = status.at("/task_id/value").asText();
    Launched task = tasks.get(id);
    if (task == null) {
      failed("an update of a task that it does not have: " + status);
      return;
    }
    unanswered.remove(id);
    task.history.told(status);
    if (task.history.over() && open.remove(id)) {
      if (task.history.endState().equals("TASK_FAILED")) {
        over(task.executor);
      }
    }
  }

  private void reconcile(TestFramework framework) throws IOException {
    ObjectNode call = framework.call("RECONCILE");
    ArrayNode asked = call.putObject("reconcile").putArray("tasks");
    synchronized (this) {
      for (String id : unanswered) {
        ObjectNode task = asked.addObject();
        task.putObject("task_id").put("value", id);
        task.putObject("agent_id").put("value", tasks.get(id).agent);
      }
    }
    if (!asked.isEmpty()) {
      call(framework, call);
    }
  }

  private void kill(TestFramework framework, long now) throws IOException {
    List<Launched> due = new ArrayList<>();
    synchronized (this) {
      for (String id : open) {
        Launched task = tasks.get(id);
        if (task.killAt != 0 && task.killAt - now <= 0) {
          task.killAt = now + KILL_AGAIN;
          due.add(task);
        }
      }
    }
    for (Launched task : due) {
      ObjectNode call = framework.call("KILL");
      ObjectNode kill = call.putObject("kill");
      kill.putObject("task_id").put("value", task.id);
      kill.putObject("agent_id").put("value", task.agent);
      call(framework, call);
    }
  }

  // Executors.

  /** An executor gets no more tasks. */
  private synchronized void over(String executor) {
    current.values().removeIf(executor::equals);
  }

  /** Ends executors whose tasks are over. */
  private void retire(TestFramework framework) throws IOException {
    Map<String, String> idle = new LinkedHashMap<>();
    synchronized (this) {
      Set<String> busy = new HashSet<>(current.values());
      open.forEach(id -> busy.add(tasks.get(id).executor));
      if (kind == Kind.CUSTOM) {
        for (Launched task : tasks.values()) {
          if (!busy.contains(task.executor) && !retired.contains(task.executor)) {
            idle.put(task.executor, task.agent);
          }
        }
      }
    }
    for (Map.Entry<String, String> each : idle.entrySet()) {
      ObjectNode call = framework.call("SHUTDOWN");
      ObjectNode shutdown = call.putObject("shutdown");
      shutdown.putObject("executor_id").put("value", each.getKey());
      shutdown.putObject("agent_id").put("value", each.getValue());
      call(framework, call);
      synchronized (this) {
        retired.add(each.getKey());
      }
    }
  }

  // Launching.

  private void offered(TestFramework framework, JsonNode offer) throws IOException {
    int fit;
    synchronized (this) {
      fit =
          Math.min(
              Math.min(TestFramework.fit(offer) - 2, kind.most - open.size()), total - launched);
    }
    if (kind == Kind.GROUPS) {
      fit = has(offer, "disk", 10.0 * fit) ? fit - fit % 2 : 0;
    }
    ObjectNode call = framework.call(fit <= 0 ? "DECLINE" : "ACCEPT");
    ObjectNode answer = call.putObject(fit <= 0 ? "decline" : "accept");
    answer.putArray("offer_ids").add(offer.get("id"));
    answer.putObject("filters").put("refuse_seconds", 0.2);
    if (fit > 0) {
      launch(framework, answer.putArray("operations"), offer.get("agent_id"), fit);
    }
    call(framework, call);
  }

  private static boolean has(JsonNode offer, String name, double amount) {
    for (JsonNode resource : offer.path("resources")) {
      if (resource.path("name").asText().equals(name)
          && resource.at("/scalar/value").asDouble() >= amount) {
        return true;
      }
    }
    return false;
  }

  private synchronized void launch(
      TestFramework framework, ArrayNode operations, JsonNode agent, int count) {
    String agentId = agent.path("value").asText();
    ArrayNode infos = Http.JSON.createArrayNode();
    for (int i = 0; i < count; i++) {
      int number = launched++;
      String id = prefix() + number;
      Random random = new Random(seed * 1_000_003 + kind.ordinal() * 100_003L + number);
      String executor =
          switch (kind) {
            case COMMANDS, PLAIN -> id;
            case GROUPS -> prefix() + "e" + number / 2;
            case CUSTOM -> executor(agentId);
          };
      Work work = work(random, number);
      Launched task = new Launched(id, executor, agentId, work);
      tasks.put(id, task);
      open.add(id);
      ObjectNode one = Http.JSON.createObjectNode().put("name", id);
      one.putObject("task_id").put("value", id);
      one.set("agent_id", agent);
      resources(one);
      if (kind == Kind.CUSTOM) {
        one.put(
            "data",
            Base64.getEncoder().encodeToString(work.text().getBytes(StandardCharsets.UTF_8)));
        ObjectNode own = one.putObject("executor");
        own.putObject("executor_id").put("value", executor);
        own.putObject("framework_id").put("value", framework.frameworkId());
        own.putObject("command").put("shell", true).put("value", TimedExecutor.command());
        resources(own);
      } else {
        one.putObject("command").put("shell", true).put("value", work.text());
      }
      infos.add(one);
      if (kind == Kind.GROUPS && number % 2 == 1) {
        ObjectNode operation = operations.addObject().put("type", "LAUNCH_GROUP");
        ObjectNode group = operation.putObject("launch_group");
        ObjectNode own = group.putObject("executor").put("type", "DEFAULT");
        own.putObject("executor_id").put("value", executor);
        own.putObject("framework_id").put("value", framework.frameworkId());
        resource(resources(own), "disk", 10);
        group.putObject("task_group").set("tasks", infos);
        infos = Http.JSON.createArrayNode();
      }
    }
    if (!infos.isEmpty()) {
      operations.addObject().put("type", "LAUNCH").putObject("launch").set("task_infos", infos);
    }
  }

  private String prefix() {
    return switch (kind) {
      case COMMANDS -> "c";
      case GROUPS -> "g";
      case CUSTOM -> "x";
      case PLAIN -> "p";
    };
  }

  private String executor(String agent) {
    String now = current.get(agent);
    if (now == null || executors.get(now) == TASKS_PER_EXECUTOR) {
      now = "xe" + executorsMade++;
      current.put(agent, now);
      executors.put(now, 0);
    }
    executors.merge(now, 1, Integer::sum);
    return now;
  }

  private static ArrayNode resources(ObjectNode of) {
    ArrayNode resources = of.putArray("resources");
    resource(resources, "cpus", CPUS);
    resource(resources, "mem", MEM);
    return resources;
  }

  private static void resource(ArrayNode resources, String name, double value) {
    resources
        .addObject()
        .put("name", name)
        .put("type", "SCALAR")
        .putObject("scalar")
        .put("value", value);
  }

  private Work work(Random random, int number) {
    int tenths = random.nextInt(10);
    int choice = random.nextInt(10);
    if (kind == Kind.CUSTOM) {
      return choice == 0
          ? new Work("1000000", Set.of("TASK_KILLED"), 500 + random.nextInt(1500))
          : new Work(Integer.toString(100 * tenths), Set.of("TASK_FINISHED"), 0);
    }
    if (kind == Kind.GROUPS) {
      // The end of the other one ends it, too.
      boolean fails = new Random(seed + number / 2).nextInt(6) == 0;
      return fails
          ? number % 2 == 0
              ? new Work("sleep 0." + tenths + "; exit 3", Set.of("TASK_FAILED"), 0)
              : new Work("sleep 1000", Set.of("TASK_KILLED"), 0)
          : new Work("sleep 0." + tenths, Set.of("TASK_FINISHED"), 0);
    }
    return switch (choice) {
      case 0 -> new Work("sleep 0." + tenths + "; exit 3", Set.of("TASK_FAILED"), 0);
      // What it leaves behind is to end with it, whatever sessions that has left.
      case 1 ->
          new Work(
              "setsid sleep 1000 & (setsid sh -c 'setsid sleep 1000 & sleep 1000' &); sleep 0."
                  + tenths,
              Set.of("TASK_FINISHED"),
              0);
      case 2 -> new Work("sleep 1000", Set.of("TASK_KILLED"), random.nextInt(2000) + 1);
      case 3 -> new Work("sleep " + (2 + tenths / 3), Set.of("TASK_FINISHED"), 0);
      default -> new Work("sleep 0." + tenths, Set.of("TASK_FINISHED"), 0);
    };
  }

  // What came of it.

  private synchronized void failed(String what) {
    faults.add(kind + ": " + what);
  }

  /** How many of its tasks have ended. */
  synchronized int ended() {
    return launched - open.size();
  }

  /** Whether all are launched and have ended. */
  synchronized boolean over() {
    return launched == total && open.isEmpty();
  }

  /** How often it subscribed. */
  synchronized int subscriptions() {
    return subscriptions;
  }

  /** In which states its tasks ended, with how many. */
  synchronized Map<String, Integer> ends() {
    Map<String, Integer> ends = new java.util.TreeMap<>();
    tasks.values().forEach(task -> ends.merge(task.history.endState(), 1, Integer::sum));
    return ends;
  }

  /** What it was told of the tasks that have not ended. */
  synchronized List<String> unfinished() {
    return open.stream().map(id -> tasks.get(id).history + " on " + tasks.get(id).agent).toList();
  }

  /** All that is wrong with what it was told. */
  synchronized List<String> faults() {
    List<String> all = new ArrayList<>(faults);
    tasks.values().forEach(task -> all.addAll(task.history.faults()));
    return all;
  }

  /** Ends it, its executors included; returns when a master has it. */
  void tearDown() {
    leaving = true;
    Await.until("the framework is torn down", ChaosCluster.LIMIT, () -> tornDown);
  }

  @Override
  public void close() throws IOException {
    closing = true;
    if (stream != null) {
      stream.close();
    }
  }
}
