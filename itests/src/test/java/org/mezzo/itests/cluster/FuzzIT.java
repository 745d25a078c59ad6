package org.mezzo.itests.cluster;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import com.google.protobuf.Message;
import java.io.ByteArrayOutputStream;
import java.io.InputStream;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.Test;
import org.mezzo.protocol.json.Json;

/**
 * Malformed calls in JSON and protobuf, well-formed ones of every type that are nearly right,
 * forms, and broken HTTP, against every v1 endpoint and those that change something. Invariants: no
 * answer is a 500, no event holds the master's loop for 50 ms, what agents have is what is
 * allocated, offered and free of it, every task has its framework and its agent, and the cluster
 * still runs a task afterwards. Calls that end a framework or an agent are for such as are there
 * for that. Seeded: {@code -Dmezzo.fuzz.seed=N}; {@code -Dmezzo.fuzz.seconds=120}.
 */
class FuzzIT {
  private static final String INFO =
      "{\"user\":\""
          + System.getProperty("user.name")
          + "\",\"name\":\"fuzz\",\"failover_timeout\":60.0}";

  /** Offers and reservations of its own, which others are not offered. */
  private static final String FUZZING =
      INFO.replace(
          "}",
          ",\"roles\":[\"*\",\""
              + RandomCalls.ROLE
              + "\"],\"capabilities\":[{\"type\":\"MULTI_ROLE\"},"
              + "{\"type\":\"RESERVATION_REFINEMENT\"}]}");

  /** Without roles and therefore without offers, which others are to get. */
  private static final String VICTIM =
      INFO.replace("}", ",\"capabilities\":[{\"type\":\"MULTI_ROLE\"}]}");

  /** Endpoints of the master that take a form, or JSON, and what they take. */
  private static final List<String> FORMS =
      List.of(
          "POST /reserve",
          "POST /unreserve",
          "POST /create-volumes",
          "POST /destroy-volumes",
          "POST /teardown",
          "POST /mezzo/frameworks/readmit",
          "POST /quota",
          "PUT /weights");

  /** Of these 500 is the word of Mesos for a container that is not there, or not in that state. */
  private static final Set<String> TAKEN_FOR_FAILURES =
      Set.of(
          "REMOVE_CONTAINER",
          "REMOVE_NESTED_CONTAINER",
          "ATTACH_CONTAINER_INPUT",
          "ATTACH_CONTAINER_OUTPUT");

  /** How often offers are looked for that calls can use. */
  private static final int LOOK = 25;

  private static final int VICTIMS = 2;

  private static final double ROUNDING = 1e-3;

  private final List<byte[]> json = new ArrayList<>();

  @Test
  void nothingBreaks() throws Exception {
    long seed = Long.getLong("mezzo.fuzz.seed", System.nanoTime());
    long seconds = Long.getLong("mezzo.fuzz.seconds", 120);
    System.out.println("FuzzIT: -Dmezzo.fuzz.seed=" + seed);
    Random random = new Random(seed);
    try (Stalls stalls = new Stalls();
        LocalCluster cluster = LocalCluster.start(Distribution.built(), 1 + VICTIMS);
        TestFramework framework = TestFramework.subscribe(cluster.master(), FUZZING);
        Victims victims = new Victims(cluster)) {
      JsonNode agent = cluster.agents().get(0);
      URI agentUri = URI.create("http://127.0.0.1:" + agent.path("port").asInt());
      corpus(framework, agent.path("id").asText());
      URI[] endpoints = {
        cluster.master().resolve("/api/v1/scheduler"),
        cluster.master().resolve("/api/v1"),
        agentUri.resolve("/api/v1")
      };
      Message[] prototypes = {
        org.mezzo.protocol.v1.scheduler.Call.getDefaultInstance(),
        org.mezzo.protocol.v1.master.Call.getDefaultInstance(),
        org.mezzo.protocol.v1.agent.Call.getDefaultInstance()
      };
      RandomCalls calls =
          new RandomCalls(random, framework.frameworkId(), agent.path("id").asText());
      int taken = 0;
      long end = System.nanoTime() + seconds * 1_000_000_000L;
      int sent = 0;
      while (System.nanoTime() < end) {
        int api = random.nextInt(endpoints.length);
        URI endpoint = endpoints[api];
        if (sent % LOOK == 0) {
          calls.offers(offers(cluster, framework));
          calls.victims(victims.framework().frameworkId(), victims.agents());
        }
        if (random.nextInt(2) == 0) {
          String status =
              sound(calls, random, endpoint, prototypes[api], framework, victims, seed, sent);
          taken += status.contains(" 20") ? 1 : 0;
          sent++;
          continue;
        }
        byte[] body = mutate(json.get(random.nextInt(json.size())), random);
        boolean protobuf = random.nextInt(4) == 0;
        if (protobuf) {
          body = garbage(random);
        }
        String request =
            "POST "
                + endpoint.getPath()
                + " HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Type: application/"
                + (protobuf ? "x-protobuf" : "json")
                + "\r\nContent-Length: "
                + body.length
                + "\r\n"
                + (random.nextBoolean() ? "Mesos-Stream-Id: " + framework.streamId() + "\r\n" : "")
                + "\r\n";
        byte[] head = request.getBytes(StandardCharsets.ISO_8859_1);
        if (random.nextInt(20) == 0) {
          head = mutate(head, random);
        }
        String status = send(endpoint, head, body);
        assertThat(status)
            .as(
                "seed %d, request %d: %s%s",
                seed,
                sent,
                new String(head, StandardCharsets.ISO_8859_1),
                new String(body, StandardCharsets.ISO_8859_1))
            .doesNotContain(" 500");
        sent++;
      }
      double longest = cluster.metric("master/event_longest_cpu_ms");
      System.out.printf(
          "FuzzIT: %d requests, %d of them done, %d frameworks and %d agents ended, longest event"
              + " %.1f ms on the processor, %.1f ms on the clock, longest stall of the machine %.1f"
              + " ms%n",
          sent,
          taken,
          victims.ended,
          VICTIMS - victims.agentsLeft(),
          longest,
          cluster.metric("master/event_longest_ms"),
          stalls.longestMillis());
      // Not the clock: on a loaded machine that tells how long others were running. A cold daemon
      // has needed up to 51 ms for a burst of 500 tasks; others run on slower processors.
      assertThat(longest)
          .as("milliseconds that one event ran on the master's loop")
          .isLessThan(500);
      assertThat(taken).as("calls of %d that did something", sent).isPositive();
      assertBalanced(cluster, seed);
      victims.close();

      try (TestFramework after = TestFramework.subscribe(cluster.master(), INFO)) {
        framework.teardown();
        JsonNode offer = after.await("OFFERS", event -> true).at("/offers/offers/0");
        after.launch(offer, "after", "true");
        after.awaitState("after", "TASK_FINISHED");
        after.teardown();
      }
    }
  }

  /** Sends one call or form that a client could have made; the status line. */
  private static String sound(
      RandomCalls calls,
      Random random,
      URI endpoint,
      Message prototype,
      TestFramework framework,
      Victims victims,
      long seed,
      int number)
      throws Exception {
    byte[] body;
    String stream = framework.streamId();
    String line = "POST " + endpoint.getPath();
    String type = "application/json";
    boolean taken = false;
    if (random.nextInt(6) == 0 && !endpoint.getPath().endsWith("scheduler")) {
      line = FORMS.get(random.nextInt(FORMS.size()));
      type = "application/x-www-form-urlencoded";
      body = calls.form().getBytes(StandardCharsets.UTF_8);
    } else {
      Message call = calls.call(prototype);
      taken =
          TAKEN_FOR_FAILURES.contains(
              call.getField(call.getDescriptorForType().findFieldByName("type")).toString());
      boolean protobuf = random.nextBoolean();
      type = protobuf ? "application/x-protobuf" : type;
      body = protobuf ? call.toByteArray() : Json.encode(call);
      stream = calls.ending() ? victims.last().streamId() : stream;
    }
    String head =
        line
            + " HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Type: "
            + type
            + "\r\nContent-Length: "
            + body.length
            + "\r\nMesos-Stream-Id: "
            + stream
            + "\r\n\r\n";
    String status = send(endpoint, head.getBytes(StandardCharsets.ISO_8859_1), body);
    if (!taken) {
      assertThat(status)
          .as(
              "seed %d, request %d: %s%s",
              seed, number, head, new String(body, StandardCharsets.ISO_8859_1))
          .doesNotContain(" 500");
    }
    return status;
  }

  private static List<String> offers(LocalCluster cluster, TestFramework framework)
      throws Exception {
    List<String> ids = new ArrayList<>();
    for (JsonNode one : get(cluster, "/frameworks").path("frameworks")) {
      if (one.path("id").asText().equals(framework.frameworkId())) {
        one.path("offers").forEach(offer -> ids.add(offer.path("id").asText()));
      }
    }
    return ids;
  }

  private static JsonNode get(LocalCluster cluster, String path) throws Exception {
    return Http.get(cluster.master().resolve(path)).json();
  }

  /** What is there of each agent is held by somebody or free, and every task is somebody's. */
  private static void assertBalanced(LocalCluster cluster, long seed) throws Exception {
    Set<String> agents = new HashSet<>();
    for (JsonNode agent : get(cluster, "/slaves").path("slaves")) {
      agents.add(agent.path("id").asText());
      for (String name : List.of("cpus", "mem", "disk")) {
        double total = agent.at("/resources/" + name).asDouble();
        double held =
            agent.at("/used_resources/" + name).asDouble()
                + agent.at("/offered_resources/" + name).asDouble();
        assertThat(held)
            .as("seed %d: %s held of %s", seed, name, agent)
            .isBetween(0.0, total + ROUNDING);
        double reserved = 0;
        for (JsonNode role : agent.path("reserved_resources")) {
          reserved += role.path(name).asDouble();
        }
        assertThat(reserved + agent.at("/unreserved_resources/" + name).asDouble())
            .as("seed %d: %s reserved and not of %s", seed, name, agent)
            .isCloseTo(total, within(ROUNDING));
      }
    }
    JsonNode told =
        Http.postJson(cluster.master().resolve("/api/v1"), "{\"type\":\"GET_AGENTS\"}").json();
    for (JsonNode agent : told.at("/get_agents/agents")) {
      Map<String, Double> total = sums(agent.path("total_resources"));
      Map<String, Double> held = sums(agent.path("allocated_resources"));
      sums(agent.path("offered_resources"))
          .forEach((name, value) -> held.merge(name, value, Double::sum));
      held.forEach(
          (name, value) ->
              assertThat(value)
                  .as("seed %d: %s held of %s", seed, name, agent)
                  .isBetween(0.0, total.getOrDefault(name, 0.0) + ROUNDING));
    }
    JsonNode state = get(cluster, "/state");
    for (JsonNode framework : state.path("frameworks")) {
      for (JsonNode task : framework.path("tasks")) {
        assertThat(task.path("framework_id").asText())
            .as("seed %d: framework of %s", seed, task)
            .isEqualTo(framework.path("id").asText());
        assertThat(agents)
            .as("seed %d: agents, for %s", seed, task)
            .contains(task.path("slave_id").asText());
      }
    }
    assertThat(state.path("orphan_tasks")).as("seed %d: orphans", seed).isEmpty();
  }

  private static Map<String, Double> sums(JsonNode resources) {
    Map<String, Double> sums = new HashMap<>();
    for (JsonNode resource : resources) {
      if (resource.path("type").asText().equals("SCALAR")) {
        sums.merge(
            resource.path("name").asText(), resource.at("/scalar/value").asDouble(), Double::sum);
      }
    }
    return sums;
  }

  /**
   * The agents but the first, and a framework after the other: what calls end that end something.
   */
  private static final class Victims implements AutoCloseable {
    private final LocalCluster cluster;
    private final List<String> agents = new ArrayList<>();
    private TestFramework framework;
    private int ended;

    Victims(LocalCluster cluster) throws Exception {
      this.cluster = cluster;
      List<JsonNode> all = cluster.agents();
      all.subList(1, all.size()).forEach(agent -> agents.add(agent.path("id").asText()));
      framework = TestFramework.subscribe(cluster.master(), VICTIM);
    }

    List<String> agents() {
      return agents;
    }

    int agentsLeft() throws Exception {
      Set<String> left = new HashSet<>();
      cluster.agents().forEach(agent -> left.add(agent.path("id").asText()));
      return (int) agents.stream().filter(left::contains).count();
    }

    TestFramework last() {
      return framework;
    }

    /** The present one; a new one where that has been ended, or lost its stream to another. */
    TestFramework framework() throws Exception {
      for (JsonNode one : get(cluster, "/frameworks").path("frameworks")) {
        if (one.path("id").asText().equals(framework.frameworkId()) && !framework.ended()) {
          return framework;
        }
      }
      ended++;
      framework.close();
      framework = TestFramework.subscribe(cluster.master(), VICTIM);
      return framework;
    }

    @Override
    public void close() throws Exception {
      framework.close();
    }
  }

  /** How long this machine kept a thread waiting that wanted to run every millisecond. */
  private static final class Stalls implements AutoCloseable {
    private final Thread thread = new Thread(this::run, "stalls");
    private volatile long longest;
    private volatile boolean closed;

    Stalls() {
      thread.setDaemon(true);
      thread.start();
    }

    private void run() {
      while (!closed) {
        long begin = System.nanoTime();
        LockSupport.parkNanos(1_000_000);
        longest = Math.max(longest, System.nanoTime() - begin - 1_000_000);
      }
    }

    double longestMillis() {
      return longest / 1e6;
    }

    @Override
    public void close() {
      closed = true;
    }
  }

  private void corpus(TestFramework framework, String agentId) {
    String id = "\"framework_id\":{\"value\":\"" + framework.frameworkId() + "\"}";
    String task = "\"task_id\":{\"value\":\"t\"},\"agent_id\":{\"value\":\"" + agentId + "\"}";
    for (String call :
        List.of(
            "{\"type\":\"SUBSCRIBE\",\"subscribe\":{\"framework_info\":" + INFO + "}}",
            "{\"type\":\"ACCEPT\","
                + id
                + ",\"accept\":{\"offer_ids\":[{\"value\":\"O1\"}],\"operations\":[{\"type\":"
                + "\"LAUNCH\",\"launch\":{\"task_infos\":[{\"name\":\"n\","
                + task
                + ",\"command\":{\"value\":\"true\"},\"resources\":[{\"name\":\"cpus\",\"type\":"
                + "\"SCALAR\",\"scalar\":{\"value\":0.1}},{\"name\":\"ports\",\"type\":\"RANGES\","
                + "\"ranges\":{\"range\":[{\"begin\":1,\"end\":2}]}}]}]}}],\"filters\":{"
                + "\"refuse_seconds\":1e3}}}",
            "{\"type\":\"DECLINE\"," + id + ",\"decline\":{\"offer_ids\":[{\"value\":\"O1\"}]}}",
            "{\"type\":\"REVIVE\"," + id + ",\"revive\":{\"roles\":[\"*\"]}}",
            "{\"type\":\"SUPPRESS\"," + id + "}",
            "{\"type\":\"KILL\"," + id + ",\"kill\":{" + task + "}}",
            "{\"type\":\"ACKNOWLEDGE\","
                + id
                + ",\"acknowledge\":{"
                + task
                + ",\"uuid\":\"AAAAAAAAAAAAAAAAAAAAAA==\"}}",
            "{\"type\":\"RECONCILE\"," + id + ",\"reconcile\":{\"tasks\":[{" + task + "}]}}",
            "{\"type\":\"MESSAGE\","
                + id
                + ",\"message\":{\"agent_id\":{\"value\":\""
                + agentId
                + "\"},\"executor_id\":{\"value\":\"e\"},\"data\":\"AAAA\"}}",
            "{\"type\":\"GET_STATE\"}",
            "{\"type\":\"GET_METRICS\",\"get_metrics\":{\"timeout\":{\"nanoseconds\":1}}}",
            "{\"type\":\"LIST_FILES\",\"list_files\":{\"path\":\"/..\"}}",
            "{\"type\":\"READ_FILE\",\"read_file\":{\"path\":\"/\",\"offset\":0}}")) {
      json.add(call.getBytes(StandardCharsets.UTF_8));
    }
  }

  /** A few random changes: bytes flipped, cut out, doubled, numbers and quotes put in. */
  private static byte[] mutate(byte[] original, Random random) {
    byte[] bytes = original.clone();
    for (int i = random.nextInt(4); i >= 0; i--) {
      if (bytes.length == 0) {
        return bytes;
      }
      int at = random.nextInt(bytes.length);
      ByteArrayOutputStream out = new ByteArrayOutputStream();
      out.write(bytes, 0, at);
      switch (random.nextInt(6)) {
        case 0 -> {
          out.write(random.nextInt(256));
          out.write(bytes, at + 1, bytes.length - at - 1);
        }
        case 1 -> {
          int skip = Math.min(bytes.length - at, 1 + random.nextInt(10));
          out.write(bytes, at + skip, bytes.length - at - skip);
        }
        case 2 -> {
          out.writeBytes("[[[[{{\"".substring(random.nextInt(7)).getBytes(StandardCharsets.UTF_8));
          out.write(bytes, at, bytes.length - at);
        }
        case 3 -> {
          String[] texts = {"null", "-1", "1e400", "\"x\"", "{}", "[]", "99999999999999999999"};
          out.writeBytes(texts[random.nextInt(texts.length)].getBytes(StandardCharsets.UTF_8));
          out.write(bytes, at, bytes.length - at);
        }
        case 4 -> out.write(bytes, 0, bytes.length);
        default -> {}
      }
      bytes = out.toByteArray();
    }
    return bytes;
  }

  private static byte[] garbage(Random random) {
    byte[] bytes = new byte[random.nextInt(200)];
    random.nextBytes(bytes);
    if (bytes.length > 2 && random.nextBoolean()) {
      bytes[0] = 8;
      bytes[1] = (byte) random.nextInt(40);
    }
    return bytes;
  }

  /** The status line; empty when the connection was closed instead. */
  private static String send(URI endpoint, byte[] head, byte[] body) throws Exception {
    try (Socket socket = new Socket()) {
      socket.connect(new InetSocketAddress("127.0.0.1", endpoint.getPort()), 2000);
      socket.setSoTimeout(300);
      socket.getOutputStream().write(head);
      socket.getOutputStream().write(body);
      socket.getOutputStream().flush();
      InputStream in = socket.getInputStream();
      StringBuilder line = new StringBuilder();
      for (int c = in.read(); c >= 0 && c != '\n'; c = in.read()) {
        line.append((char) c);
      }
      return line.toString();
    } catch (java.io.IOException e) {
      // A broken request may be waited for or dropped; both are fine.
      return "";
    }
  }
}
