package org.mezzo.itests.cluster;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Consumer;
import java.util.function.Predicate;
import org.mezzo.fixtures.Await;
import org.mezzo.fixtures.SchedulerConnection;

/** A framework speaking raw JSON over HTTP, so that tests see exactly what is on the wire. */
public final class TestFramework implements AutoCloseable {
  private static final double TASK_CPUS = 0.1;
  private static final int TASK_MEM = 32;

  private static final Set<String> ENDS =
      Set.of("TASK_FINISHED", "TASK_FAILED", "TASK_KILLED", "TASK_ERROR", "TASK_LOST");

  private final SchedulerConnection connection;
  private final List<JsonNode> events = new ArrayList<>();

  /** Updates that came while something else was awaited. */
  private final List<JsonNode> passed = new ArrayList<>();

  private int cursor;
  private boolean ended;
  private String frameworkId;

  private TestFramework(URI master, Map<String, String> headers) {
    connection = new SchedulerConnection(master, "application/json", headers);
  }

  /** Subscribes with a framework info given as JSON and waits for SUBSCRIBED. */
  public static TestFramework subscribe(URI master, String info) throws IOException {
    return subscribe(master, info, Map.of());
  }

  /** The same with more headers in every request. */
  public static TestFramework subscribe(URI master, String info, Map<String, String> headers)
      throws IOException {
    TestFramework framework = open(master, info, headers);
    JsonNode subscribed = framework.await("SUBSCRIBED", event -> true);
    framework.frameworkId = subscribed.at("/subscribed/framework_id/value").asText();
    return framework;
  }

  /** Subscribes and returns without waiting for an event. */
  public static TestFramework open(URI master, String info) throws IOException {
    return open(master, info, Map.of());
  }

  private static TestFramework open(URI master, String info, Map<String, String> headers)
      throws IOException {
    ObjectNode call = Http.JSON.createObjectNode().put("type", "SUBSCRIBE");
    JsonNode frameworkInfo = Http.JSON.readTree(info);
    if (frameworkInfo.has("id")) {
      call.set("framework_id", frameworkInfo.get("id"));
    }
    call.putObject("subscribe").set("framework_info", frameworkInfo);
    TestFramework framework = new TestFramework(master, headers);
    try {
      framework.connection.subscribe(
          Http.JSON.writeValueAsBytes(call), framework::received, framework::over);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IOException(e);
    }
    return framework;
  }

  private synchronized void received(byte[] record) {
    try {
      events.add(Http.JSON.readTree(record));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    notifyAll();
  }

  private synchronized void over() {
    ended = true;
    notifyAll();
  }

  /** The next event of a type that satisfies the condition, after those returned before. */
  public synchronized JsonNode await(String type, Predicate<JsonNode> condition) {
    return await(type, condition, Await.PATIENCE);
  }

  public synchronized JsonNode await(String type, Predicate<JsonNode> condition, Duration limit) {
    long end = System.nanoTime() + limit.toNanos();
    while (true) {
      JsonNode event = next(type, end, limit);
      if (event.path("type").asText().equals(type) && condition.test(event)) {
        return event;
      }
      if (event.path("type").asText().equals("UPDATE")) {
        passed.add(event);
      }
    }
  }

  /** The next event of any type. */
  public synchronized JsonNode next() {
    return next("event", System.nanoTime() + Await.PATIENCE.toNanos(), Await.PATIENCE);
  }

  private JsonNode next(String what, long end, Duration limit) {
    while (cursor == events.size()) {
      long left = (end - System.nanoTime()) / 1_000_000;
      if (left <= 0 || ended) {
        throw new AssertionError(
            (ended ? "The stream ended without " : "Not within " + limit + ": ")
                + what
                + "; events: "
                + events);
      }
      try {
        wait(left);
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        throw new AssertionError(e);
      }
    }
    return events.get(cursor++);
  }

  /**
   * The next update of a task with that state, acknowledging every update of it on the way, those
   * that came while something else was awaited included.
   */
  public JsonNode awaitState(String taskId, String state) throws IOException {
    while (true) {
      JsonNode status = update(taskId).at("/update/status");
      acknowledge(status);
      if (status.path("state").asText().equals(state)) {
        return status;
      }
    }
  }

  /** The update with which a task ends, acknowledging all of it on the way. */
  public JsonNode awaitEnd(String taskId) throws IOException {
    while (true) {
      JsonNode status = update(taskId).at("/update/status");
      acknowledge(status);
      if (isEnd(status)) {
        return status;
      }
    }
  }

  /** Whether a task has ended by a status of it. */
  public static boolean isEnd(JsonNode status) {
    return ENDS.contains(status.path("state").asText());
  }

  private synchronized JsonNode update(String taskId) {
    Predicate<JsonNode> ofTask =
        event -> event.at("/update/status/task_id/value").asText().equals(taskId);
    for (JsonNode event : passed) {
      if (ofTask.test(event)) {
        passed.remove(event);
        return event;
      }
    }
    return await("UPDATE", ofTask);
  }

  public void acknowledge(JsonNode status) throws IOException {
    if (!status.has("uuid")) {
      return;
    }
    ObjectNode call = call("ACKNOWLEDGE");
    ObjectNode acknowledge = call.putObject("acknowledge");
    acknowledge.set("agent_id", status.get("agent_id"));
    acknowledge.set("task_id", status.get("task_id"));
    acknowledge.set("uuid", status.get("uuid"));
    send(call);
  }

  /** A call of this framework, to be completed and sent. */
  public ObjectNode call(String type) {
    ObjectNode call = Http.JSON.createObjectNode().put("type", type);
    call.putObject("framework_id").put("value", frameworkId);
    return call;
  }

  /** Sends a call and demands 202. */
  public void send(JsonNode call) throws IOException {
    try {
      HttpResponse<String> answer = connection.send(Http.JSON.writeValueAsBytes(call));
      if (answer.statusCode() != 202) {
        throw new IOException(answer.statusCode() + " " + answer.body() + " to " + call);
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IOException(e);
    }
  }

  /** How many tasks as {@link #launch} launches them fit into an offer. */
  public static int fit(JsonNode offer) {
    double cpus = 0;
    double mem = 0;
    for (JsonNode resource : offer.path("resources")) {
      double value = resource.at("/scalar/value").asDouble();
      cpus += resource.path("name").asText().equals("cpus") ? value : 0;
      mem += resource.path("name").asText().equals("mem") ? value : 0;
    }
    // A tenth is none in binary: what is left of 0.3 after two is a little less than one.
    return (int) Math.min(cpus / TASK_CPUS + 1e-6, mem / TASK_MEM);
  }

  /** Launches a shell command from an offer with a refuse time of 0 for the rest. */
  public void launch(JsonNode offer, String taskId, String command) throws IOException {
    launch(offer, List.of(taskId), command);
  }

  /** Launches several tasks of the same shell command, each with 0.1 cpus and 32 MB. */
  public void launch(JsonNode offer, List<String> taskIds, String command) throws IOException {
    launch(offer, taskIds, Http.JSON.createObjectNode().put("shell", true).put("value", command));
  }

  /** Launches several tasks of the same command, each with 0.1 cpus and 32 MB. */
  public void launch(JsonNode offer, List<String> taskIds, ObjectNode command) throws IOException {
    launch(offer, taskIds, command, Http.JSON.createObjectNode());
  }

  /** Launches several tasks, each with 0.1 cpus and 32 MB, and what else is made of it. */
  public void launch(JsonNode offer, List<String> taskIds, Consumer<ObjectNode> change)
      throws IOException {
    launch(offer, taskIds, Http.JSON.createObjectNode(), Http.JSON.createObjectNode(), change);
  }

  /** The same with more fields of each {@code TaskInfo}, and more resources. */
  public void launch(JsonNode offer, List<String> taskIds, ObjectNode command, ObjectNode more)
      throws IOException {
    launch(offer, taskIds, command, more, task -> {});
  }

  private void launch(
      JsonNode offer,
      List<String> taskIds,
      ObjectNode command,
      ObjectNode more,
      Consumer<ObjectNode> change)
      throws IOException {
    ObjectNode call = call("ACCEPT");
    ObjectNode accept = call.putObject("accept");
    accept.putArray("offer_ids").add(offer.get("id"));
    accept.putObject("filters").put("refuse_seconds", 0.0);
    ObjectNode operation = accept.putArray("operations").addObject().put("type", "LAUNCH");
    ArrayNode tasks = operation.putObject("launch").putArray("task_infos");
    for (String taskId : taskIds) {
      ObjectNode task = tasks.addObject().put("name", taskId);
      task.putObject("task_id").put("value", taskId);
      task.set("agent_id", offer.get("agent_id"));
      task.set("command", command);
      task.setAll(more.deepCopy());
      ArrayNode resources = task.withArray("resources");
      resources
          .addObject()
          .put("name", "cpus")
          .put("type", "SCALAR")
          .putObject("scalar")
          .put("value", TASK_CPUS);
      resources
          .addObject()
          .put("name", "mem")
          .put("type", "SCALAR")
          .putObject("scalar")
          .put("value", TASK_MEM);
      change.accept(task);
    }
    send(call);
  }

  /** All events so far. */
  public synchronized List<JsonNode> events() {
    return List.copyOf(events);
  }

  public synchronized boolean ended() {
    return ended;
  }

  public String frameworkId() {
    return frameworkId;
  }

  public String streamId() {
    return connection.streamId().orElseThrow();
  }

  /** Tears the framework down. */
  public void teardown() throws IOException {
    send(call("TEARDOWN"));
  }

  /** Closes the stream without a word. */
  @Override
  public void close() throws IOException {
    connection.close();
  }
}
