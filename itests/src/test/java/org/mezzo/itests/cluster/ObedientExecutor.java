package org.mezzo.itests.cluster;

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
import java.util.Base64;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * An executor that does what its framework says by messages, and knows of the agent what any
 * program may: the variables of its environment and the HTTP API. A process of its own.
 *
 * <ul>
 *   <li>{@code echo TEXT}: says TEXT
 *   <li>{@code env NAME}: says the value of a variable
 *   <li>{@code cut}: drops its connection and subscribes again
 *   <li>{@code finish TASK}: the task is finished
 *   <li>{@code post JSON}: sends a call as it stands, and says the answer
 *   <li>{@code exit STATUS}: ends
 * </ul>
 */
public final class ObedientExecutor {
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final HttpClient CLIENT = HttpClient.newHttpClient();

  private final URI agent =
      URI.create("http://" + System.getenv("MESOS_AGENT_ENDPOINT") + "/api/v1/executor");
  private final Map<String, JsonNode> updates = new LinkedHashMap<>();
  private final Map<String, JsonNode> tasks = new LinkedHashMap<>();
  private final Set<String> running = new LinkedHashSet<>();
  private InputStream stream = InputStream.nullInputStream();

  private ObedientExecutor() {}

  /** The shell command that starts one. */
  static String command() {
    String classPath =
        Stream.of(
                ObedientExecutor.class,
                ObjectMapper.class,
                com.fasterxml.jackson.core.JsonFactory.class,
                com.fasterxml.jackson.annotation.JsonProperty.class)
            .map(type -> type.getProtectionDomain().getCodeSource().getLocation())
            .map(location -> Path.of(URI.create(location.toString())).toString())
            .collect(Collectors.joining(":"));
    return "exec '"
        + System.getProperty("java.home")
        + "/bin/java' -Xshare:auto -XX:TieredStopAtLevel=1 -cp '"
        + classPath
        + "' "
        + ObedientExecutor.class.getName();
  }

  /** Runs until the agent or the framework says that it is enough. */
  public static void main(String[] arguments) throws Exception {
    ObedientExecutor executor = new ObedientExecutor();
    executor.subscribe();
    while (true) {
      JsonNode event;
      try {
        event = executor.next();
      } catch (IOException gone) {
        executor.subscribeAgain();
        continue;
      }
      executor.took(event);
    }
  }

  /** Its agent is gone, and may come back (rule 196). */
  private void subscribeAgain() throws IOException, InterruptedException {
    long end = System.nanoTime() + TimeUnit.MINUTES.toNanos(1);
    while (true) {
      try {
        subscribe();
        return;
      } catch (IOException e) {
        if (System.nanoTime() - end > 0) {
          throw e;
        }
        // As executors do: nobody tells when the agent is back.
        TimeUnit.MILLISECONDS.sleep(200);
      }
    }
  }

  private ObjectNode call(String type) {
    ObjectNode call = JSON.createObjectNode().put("type", type);
    call.putObject("framework_id").put("value", System.getenv("MESOS_FRAMEWORK_ID"));
    call.putObject("executor_id").put("value", System.getenv("MESOS_EXECUTOR_ID"));
    return call;
  }

  private static HttpRequest.Builder request(URI uri, byte[] body) {
    HttpRequest.Builder request = HttpRequest.newBuilder(uri);
    String token = System.getenv("MESOS_EXECUTOR_AUTHENTICATION_TOKEN");
    if (token != null) {
      request.header("Authorization", "Bearer " + token);
    }
    return request
        .header("Content-Type", "application/json")
        .header("Accept", "application/json")
        .POST(HttpRequest.BodyPublishers.ofByteArray(body));
  }

  private HttpResponse<String> post(byte[] body) throws IOException, InterruptedException {
    return CLIENT.send(request(agent, body).build(), HttpResponse.BodyHandlers.ofString());
  }

  private void send(JsonNode call) throws IOException, InterruptedException {
    HttpResponse<String> answer = post(JSON.writeValueAsBytes(call));
    if (answer.statusCode() != 202) {
      throw new IOException(answer.statusCode() + " " + answer.body() + " to " + call);
    }
  }

  private void subscribe() throws IOException, InterruptedException {
    stream.close();
    ObjectNode call = call("SUBSCRIBE");
    ObjectNode subscribe = call.putObject("subscribe");
    ArrayNode unacknowledged = subscribe.putArray("unacknowledged_updates");
    updates.values().forEach(status -> unacknowledged.addObject().set("status", status));
    ArrayNode known = subscribe.putArray("unacknowledged_tasks");
    tasks.values().forEach(known::add);
    HttpResponse<InputStream> answer =
        CLIENT.send(
            request(agent, JSON.writeValueAsBytes(call)).build(),
            HttpResponse.BodyHandlers.ofInputStream());
    if (answer.statusCode() != 200) {
      throw new IOException(
          answer.statusCode()
              + " "
              + new String(answer.body().readAllBytes(), StandardCharsets.UTF_8));
    }
    stream = answer.body();
  }

  private JsonNode next() throws IOException {
    StringBuilder length = new StringBuilder();
    for (int read = stream.read(); read != '\n'; read = stream.read()) {
      if (read < 0) {
        throw new IOException("The agent ended the stream");
      }
      length.append((char) read);
    }
    JsonNode event = JSON.readTree(stream.readNBytes(Integer.parseInt(length.toString())));
    System.out.println(event.path("type").asText());
    return event;
  }

  private void took(JsonNode event) throws Exception {
    switch (event.path("type").asText()) {
      case "LAUNCH" -> {
        JsonNode task = event.at("/launch/task");
        String id = task.at("/task_id/value").asText();
        tasks.put(id, task);
        running.add(id);
        update(id, "TASK_RUNNING");
      }
      case "ACKNOWLEDGED" -> {
        updates.remove(event.at("/acknowledged/uuid").asText());
        tasks.remove(event.at("/acknowledged/task_id/value").asText());
      }
      case "KILL" -> end(event.at("/kill/task_id/value").asText(), "TASK_KILLED");
      case "MESSAGE" ->
          obey(
              new String(
                  Base64.getDecoder().decode(event.at("/message/data").asText()),
                  StandardCharsets.UTF_8));
      case "SHUTDOWN" -> {
        for (String task : List.copyOf(running)) {
          end(task, "TASK_KILLED");
        }
        System.exit(0);
      }
      default -> {}
    }
  }

  private void obey(String order) throws Exception {
    String[] words = order.split(" ", 2);
    switch (words[0]) {
      case "echo" -> say(words[1]);
      case "env" -> say(String.valueOf(System.getenv(words[1])));
      case "cut" -> subscribe();
      case "finish" -> end(words[1], "TASK_FINISHED");
      case "post" -> {
        HttpResponse<String> answer = post(words[1].getBytes(StandardCharsets.UTF_8));
        say(answer.statusCode() + " " + answer.body());
      }
      case "exit" -> System.exit(Integer.parseInt(words[1]));
      default -> throw new IllegalArgumentException(order);
    }
  }

  private void say(String text) throws IOException, InterruptedException {
    ObjectNode call = call("MESSAGE");
    call.putObject("message")
        .put("data", Base64.getEncoder().encodeToString(text.getBytes(StandardCharsets.UTF_8)));
    send(call);
  }

  private void end(String task, String state) throws IOException, InterruptedException {
    running.remove(task);
    update(task, state);
  }

  private void update(String task, String state) throws IOException, InterruptedException {
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
    status.put("message", "from an executor");
    updates.put(uuid, status);
    send(call);
  }
}
