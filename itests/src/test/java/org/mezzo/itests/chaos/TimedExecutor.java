package org.mezzo.itests.chaos;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.io.InputStream;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Base64;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * An executor whose tasks finish by themselves after as many milliseconds as their data says, and
 * that outlives its agent as the API asks for: it subscribes again with what was not acknowledged.
 * A process of its own.
 */
public final class TimedExecutor {
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final HttpClient CLIENT =
      HttpClient.newBuilder()
          .version(HttpClient.Version.HTTP_1_1)
          .connectTimeout(Duration.ofSeconds(10))
          .build();
  private static final Duration CALL_LIMIT = Duration.ofSeconds(20);
  private static final long AGAIN_MILLIS = 200;
  private static final List<Map.Entry<String, Long>> NOTHING_DUE = List.of();
  private static final long RECOVERY_NANOS = TimeUnit.MINUTES.toNanos(2);

  /** Stands for the end of a stream. */
  private static final JsonNode OVER = JSON.getNodeFactory().missingNode();

  private final URI agent =
      URI.create("http://" + System.getenv("MESOS_AGENT_ENDPOINT") + "/api/v1/executor");
  private final Map<String, ObjectNode> updates = new LinkedHashMap<>();
  private final Map<String, JsonNode> unacknowledged = new LinkedHashMap<>();

  /** When tasks that run are finished, in nanoseconds of the clock of this process. */
  private final Map<String, Long> due = new LinkedHashMap<>();

  private LinkedBlockingQueue<JsonNode> events = new LinkedBlockingQueue<>();

  /**
   * Whether the agent has said so since the last attempt; before, it takes no update (rule 186).
   */
  private boolean subscribed;

  private TimedExecutor() {}

  /** The shell command that starts one. */
  static String command() {
    String classPath =
        Stream.of(
                TimedExecutor.class,
                ObjectMapper.class,
                JsonFactory.class,
                com.fasterxml.jackson.annotation.JsonProperty.class)
            .map(type -> type.getProtectionDomain().getCodeSource().getLocation())
            .map(location -> Path.of(URI.create(location.toString())).toString())
            .collect(Collectors.joining(":"));
    return "exec '"
        + System.getProperty("java.home")
        + "/bin/java' -Xshare:auto -Xmx64m -XX:+UseSerialGC -XX:TieredStopAtLevel=1 -cp '"
        + classPath
        + "' "
        + TimedExecutor.class.getName();
  }

  /** Runs until the agent says that it is enough, or is gone for long. */
  public static void main(String[] arguments) throws Exception {
    TimedExecutor executor = new TimedExecutor();
    executor.subscribe();
    while (true) {
      executor.turn();
    }
  }

  private void turn() throws Exception {
    long now = System.nanoTime();
    long next = 1_000_000_000L;
    for (Map.Entry<String, Long> task : subscribed ? List.copyOf(due.entrySet()) : NOTHING_DUE) {
      if (task.getValue() - now <= 0) {
        end(task.getKey(), "TASK_FINISHED");
      } else {
        next = Math.min(next, task.getValue() - now);
      }
    }
    JsonNode event = events.poll(Math.max(next, 1_000_000L), TimeUnit.NANOSECONDS);
    if (event == OVER) {
      subscribe();
    } else if (event != null) {
      took(event);
    }
  }

  private ObjectNode call(String type) {
    ObjectNode call = JSON.createObjectNode().put("type", type);
    call.putObject("framework_id").put("value", System.getenv("MESOS_FRAMEWORK_ID"));
    call.putObject("executor_id").put("value", System.getenv("MESOS_EXECUTOR_ID"));
    return call;
  }

  private HttpRequest.Builder request(JsonNode call) throws IOException {
    return HttpRequest.newBuilder(agent)
        .header("Content-Type", "application/json")
        .header("Accept", "application/json")
        .POST(HttpRequest.BodyPublishers.ofByteArray(JSON.writeValueAsBytes(call)));
  }

  /** Subscribes, again and again while its agent is gone (rule 196). */
  private void subscribe() throws InterruptedException {
    long end = System.nanoTime() + RECOVERY_NANOS;
    subscribed = false;
    while (true) {
      try {
        trySubscribe();
        return;
      } catch (IOException e) {
        System.err.println("Cannot subscribe: " + e);
        if (System.nanoTime() - end > 0) {
          System.exit(1);
        }
        // As executors do: nobody tells when the agent is back.
        TimeUnit.MILLISECONDS.sleep(AGAIN_MILLIS);
      }
    }
  }

  private void trySubscribe() throws IOException, InterruptedException {
    ObjectNode call = call("SUBSCRIBE");
    ObjectNode subscribe = call.putObject("subscribe");
    ArrayNode told = subscribe.putArray("unacknowledged_updates");
    updates.values().forEach(status -> told.addObject().set("status", status));
    ArrayNode known = subscribe.putArray("unacknowledged_tasks");
    unacknowledged.values().forEach(known::add);
    HttpResponse<InputStream> answer =
        CLIENT.send(request(call).build(), HttpResponse.BodyHandlers.ofInputStream());
    if (answer.statusCode() != 200) {
      String text = new String(answer.body().readAllBytes(), StandardCharsets.UTF_8);
      System.err.println(answer.statusCode() + " " + text);
      if (answer.statusCode() == 400) {
        // Nobody of this name is here any more.
        System.exit(2);
      }
      throw new IOException(text);
    }
    LinkedBlockingQueue<JsonNode> into = new LinkedBlockingQueue<>();
    events = into;
    Thread reader = new Thread(() -> read(answer.body(), into), "events");
    reader.setDaemon(true);
    reader.start();
  }

  private static void read(InputStream stream, LinkedBlockingQueue<JsonNode> into) {
    try {
      while (true) {
        int length = 0;
        for (int c = stream.read(); c != '\n'; c = stream.read()) {
          if (c < 0) {
            throw new IOException("The agent ended the stream");
          }
          length = length * 10 + (c - '0');
        }
        into.add(JSON.readTree(stream.readNBytes(length)));
      }
    } catch (IOException e) {
      System.err.println("The stream is over: " + e);
      into.add(OVER);
    }
  }

  private void took(JsonNode event) throws InterruptedException, IOException {
    switch (event.path("type").asText()) {
      case "SUBSCRIBED" -> subscribed = true;
      case "LAUNCH" -> {
        JsonNode task = event.at("/launch/task");
        String id = task.at("/task_id/value").asText();
        String millis =
            new String(
                Base64.getDecoder().decode(task.path("data").asText()), StandardCharsets.UTF_8);
        unacknowledged.put(id, task);
        due.put(id, System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(Long.parseLong(millis)));
        update(id, "TASK_RUNNING");
      }
      case "ACKNOWLEDGED" -> {
        updates.remove(event.at("/acknowledged/uuid").asText());
        unacknowledged.remove(event.at("/acknowledged/task_id/value").asText());
      }
      case "KILL" -> end(event.at("/kill/task_id/value").asText(), "TASK_KILLED");
      case "SHUTDOWN" -> {
        for (String task : List.copyOf(due.keySet())) {
          end(task, "TASK_KILLED");
        }
        System.exit(0);
      }
      default -> {}
    }
  }

  private void end(String task, String state) throws InterruptedException, IOException {
    if (due.remove(task) != null) {
      update(task, state);
    }
  }

  private void update(String task, String state) throws InterruptedException, IOException {
    UUID random = UUID.randomUUID();
    String uuid =
        Base64.getEncoder()
            .encodeToString(
                ByteBuffer.allocate(16)
                    .putLong(random.getMostSignificantBits())
                    .putLong(random.getLeastSignificantBits())
                    .array());
    ObjectNode call = call("UPDATE");
    ObjectNode status = call.putObject("update").putObject("status");
    status.putObject("task_id").put("value", task);
    status.put("state", state).put("source", "SOURCE_EXECUTOR").put("uuid", uuid);
    // Kept until it is acknowledged: when the agent is gone the next one gets it.
    updates.put(uuid, status);
    try {
      HttpResponse<String> answer =
          CLIENT.send(
              request(call).timeout(CALL_LIMIT).build(), HttpResponse.BodyHandlers.ofString());
      if (answer.statusCode() != 202) {
        System.err.println(answer.statusCode() + " " + answer.body() + " to " + call);
      }
    } catch (IOException e) {
      System.err.println("Not told: " + e);
    }
  }
}
