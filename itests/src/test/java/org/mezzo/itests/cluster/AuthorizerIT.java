package org.mezzo.itests.cluster;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.TimeUnit;
import java.util.function.Predicate;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.mezzo.api.authorization.Authorizer;
import org.mezzo.api.hook.Hook;
import org.mezzo.fixtures.Await;
import org.mezzo.itests.guards.Selector;
import org.mezzo.itests.guards.SoleAuthorizer;
import org.mezzo.testing.bundles.ModuleBundle;

/**
 * The authorizer of a master under load is swapped for other versions of itself, and others are
 * selected while it runs: whoever may do something is never refused, and who may not is never let
 * in, neither to endpoints and calls nor to what is shown in them.
 */
@Timeout(300)
class AuthorizerIT {
  private static final Duration PATIENCE = Duration.ofSeconds(120);
  private static final int ROUNDS = 12;
  private static final long PAUSE_MILLIS = 10;
  private static final String FIRST = "first";
  private static final String SECOND = "second";

  /** A tenth of what a machine of two cores does beside other work. */
  private static final long LEAST_A_SECOND = 10;

  private static final String ADA = SoleAuthorizer.PRINCIPAL;
  private static final String EVE = "eve";
  private static final String SECRET = "secret";

  @TempDir Path folder;
  private final List<AutoCloseable> open = new ArrayList<>();
  private final List<Client> clients = new ArrayList<>();
  private Distribution distribution;
  private URI master;

  /** Somebody who asks for one thing again and again, on a thread of its own. */
  private final class Client implements AutoCloseable {
    private final String what;
    private final Request request;
    private final Predicate<Http.Answer> right;
    private final Thread thread;
    private final List<String> wrong = new ArrayList<>();
    private volatile boolean closing;
    private int answered;

    Client(String what, Request request, Predicate<Http.Answer> right) {
      this.what = what;
      this.request = request;
      this.right = right;
      thread = new Thread(this::ask, "client-" + what);
      thread.setDaemon(true);
      thread.start();
      open.add(this);
      clients.add(this);
    }

    private void ask() {
      try {
        while (!closing) {
          askOnce();
          TimeUnit.MILLISECONDS.sleep(PAUSE_MILLIS);
        }
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
      }
    }

    private void askOnce() {
      String failure;
      try {
        Http.Answer answer = request.send();
        failure = right.test(answer) ? "" : answer.status() + " " + answer.text();
      } catch (IOException | RuntimeException e) {
        failure = e.toString();
      }
      synchronized (this) {
        answered++;
        if (!failure.isEmpty() && !closing) {
          wrong.add(what + ": " + failure.substring(0, Math.min(300, failure.length())));
        }
      }
    }

    synchronized int answered() {
      return answered;
    }

    synchronized List<String> wrong() {
      return List.copyOf(wrong);
    }

    @Override
    public void close() throws InterruptedException {
      closing = true;
      thread.join(PATIENCE.toMillis());
    }
  }

  private interface Request {
    Http.Answer send() throws IOException;
  }

  @BeforeEach
  void start() throws Exception {
    distribution = Distribution.built().copyTo(folder.resolve("mezzo"));
    Path credentials = Files.writeString(folder.resolve("credentials"), line(ADA) + line(EVE));
    drop(authorizer(FIRST, 1), FIRST + "-1.jar");
    drop(authorizer(SECOND, 1), SECOND + "-1.jar");
    master = URI.create("http://127.0.0.1:" + Distribution.freePort());
    open.add(
        MezzoProcess.start(
            distribution,
            folder.resolve("logs"),
            "master",
            "--port=" + master.getPort(),
            "--work_dir=" + folder.resolve("master"),
            "--allocation_interval=100ms",
            "--authenticate_http_readonly",
            "--authenticate_http_readwrite",
            "--authenticate_http_frameworks",
            "--http_framework_authenticators=basic",
            "--credentials=" + credentials,
            "--acls={}",
            "--authorizers=" + FIRST));
    Await.until(
        "the master lets " + ADA + " in", PATIENCE, () -> get("/flags", ADA).status() == 200);
    open.add(
        MezzoProcess.start(
            Distribution.built(),
            folder.resolve("logs"),
            "agent",
            "--master=127.0.0.1:" + master.getPort(),
            "--port=" + Distribution.freePort(),
            "--resources=cpus:4;mem:2048",
            "--runtime_dir=" + folder.resolve("run"),
            "--work_dir=" + folder.resolve("agent")));
  }

  @AfterEach
  void stop() throws Exception {
    for (int i = open.size() - 1; i >= 0; i--) {
      open.get(i).close();
    }
  }

  private static String line(String principal) {
    return principal + " " + SECRET + "\n";
  }

  private static Map<String, String> credentials(String principal) {
    String text = principal + ":" + SECRET;
    return Map.of(
        "Authorization",
        "Basic " + Base64.getEncoder().encodeToString(text.getBytes(StandardCharsets.UTF_8)));
  }

  private Http.Answer get(String path, String principal) throws IOException {
    return Http.get(
        master.resolve(path), "Authorization", credentials(principal).get("Authorization"));
  }

  private Http.Answer post(String path, String json, String principal) throws IOException {
    return Http.postJson(
        master.resolve(path), json, "Authorization", credentials(principal).get("Authorization"));
  }

  private static ModuleBundle authorizer(String name, int version) throws IOException {
    return ModuleBundle.of("org.mezzo.itests.guards." + name, version + ".0.0")
        .header(
            "Import-Package",
            "org.mezzo.api,org.mezzo.api.authentication,org.mezzo.api.authorization")
        .module(SoleAuthorizer.class, Authorizer.class, Authorizer.KIND, name);
  }

  private static ModuleBundle selector(String name, int version) throws IOException {
    return ModuleBundle.of("org.mezzo.itests.guards.selector", version + ".0.0")
        .header(
            "Import-Package",
            "org.mezzo.api,org.mezzo.api.hook,org.mezzo.protocol.v1,org.osgi.framework,"
                + "org.osgi.service.cm")
        .header("Bundle-Activator", Selector.class.getName())
        .with(Selector.FILE, name)
        .module(Selector.class, Hook.class, Hook.KIND, "selector");
  }

  private void drop(ModuleBundle bundle, String file) throws IOException {
    Path built = bundle.build(folder.resolve("built.jar"));
    Files.move(built, distribution.modules().resolve(file), StandardCopyOption.ATOMIC_MOVE);
  }

  /** The authorizers that the master asks, with their versions. */
  private Set<String> serving() throws IOException {
    Set<String> serving = new TreeSet<>();
    for (JsonNode module : get("/mezzo/modules", ADA).json().path("modules")) {
      if (module.path("kind").asText().equals(Authorizer.KIND)
          && !module.path("daemons").isEmpty()) {
        serving.add(module.path("name").asText() + " " + module.at("/bundle/version").asText());
      }
    }
    return serving;
  }

  private List<String> wrong() {
    return clients.stream().flatMap(client -> client.wrong().stream()).toList();
  }

  /** Until each has asked so many times more, and nothing is wrong. */
  private void awaitAnswers(int more) {
    for (Client client : clients) {
      int goal = client.answered() + more;
      Await.until(client.what, PATIENCE, () -> client.answered() >= goal || !wrong().isEmpty());
    }
    assertThat(wrong()).isEmpty();
  }

  private int answered() {
    return clients.stream().mapToInt(Client::answered).sum();
  }

  private void ask() {
    String flags = "{\"type\":\"GET_FLAGS\"}";
    String weights =
        "{\"type\":\"UPDATE_WEIGHTS\",\"update_weights\":{\"weight_infos\":"
            + "[{\"role\":\"other\",\"weight\":2.0}]}}";
    String subscribe =
        "{\"type\":\"SUBSCRIBE\",\"subscribe\":{\"framework_info\":{\"user\":\"nobody\","
            + "\"name\":\"eve\",\"principal\":\"eve\",\"roles\":[\"eve\"],\"capabilities\":"
            + "[{\"type\":\"MULTI_ROLE\"}]}}}";
    for (int i = 0; i < 3; i++) {
      new Client(ADA + " /flags", () -> get("/flags", ADA), it -> it.status() == 200);
      new Client(EVE + " /flags", () -> get("/flags", EVE), it -> it.status() == 403);
    }
    new Client(ADA + " GET_FLAGS", () -> post("/api/v1", flags, ADA), it -> it.status() == 200);
    new Client(EVE + " GET_FLAGS", () -> post("/api/v1", flags, EVE), it -> it.status() == 403);
    new Client(ADA + " /state", () -> get("/state", ADA), it -> frameworks(it) == 1);
    new Client(EVE + " /state", () -> get("/state", EVE), it -> frameworks(it) == 0);
    new Client(ADA + " weights", () -> post("/api/v1", weights, ADA), it -> it.status() == 200);
    new Client(EVE + " weights", () -> post("/api/v1", weights, EVE), it -> it.status() == 403);
    // One that were let in would get no end of its answer.
    new Client(
        EVE + " SUBSCRIBE",
        () -> post("/api/v1/scheduler", subscribe, EVE),
        it -> it.text().endsWith("{\"message\":\"Not authorized to use role 'eve'\"}}"));
  }

  /** How many frameworks a state shows; -1 for what is none. */
  private static int frameworks(Http.Answer state) {
    try {
      return state.json().path("frameworks").size();
    } catch (IOException e) {
      return -1;
    }
  }

  @Test
  void changesOfTheAuthorizerRefuseNobodyAndLetNobodyIn() throws Exception {
    FollowingFramework framework =
        new FollowingFramework(List.of(master), credentials(ADA), ADA, 2);
    open.add(framework);
    framework.awaitSteady();
    framework.awaitTasks(1);
    ask();
    awaitAnswers(3);
    long begin = System.nanoTime();
    int before = answered();
    int during = 0;
    String name = FIRST;
    for (int round = 2; round < 2 + ROUNDS; round++) {
      int asked = answered();
      if (round % 3 == 0) {
        name = name.equals(FIRST) ? SECOND : FIRST;
        String selected = name + " ";
        drop(selector(name, round), "selector-" + round + ".jar");
        Await.until(
            name + " is selected",
            PATIENCE,
            () -> serving().stream().anyMatch(it -> it.startsWith(selected)));
      } else {
        String now = name + " " + round + ".0.0";
        drop(authorizer(name, round), name + "-" + round + ".jar");
        Await.until(now, PATIENCE, () -> serving().equals(Set.of(now)) || !wrong().isEmpty());
      }
      during += answered() - asked;
      awaitAnswers(3);
      framework.awaitTasks(1);
    }
    int requests = answered() - before;
    long millis = TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - begin);
    for (Client client : clients) {
      client.close();
    }
    assertThat(wrong()).isEmpty();
    framework.drain();
    assertThat(framework.failures()).isEmpty();
    assertThat(framework.subscriptions()).isEqualTo(1);
    assertThat(during).isGreaterThan(ROUNDS * clients.size());
    assertThat(requests * 1_000L / millis).as("requests a second").isGreaterThan(LEAST_A_SECOND);
    assertThat(framework.finished()).as("tasks").isGreaterThan(ROUNDS);
    System.out.printf(
        "AuthorizerIT: %d changes, %d requests, %d of them until changes were made, %d a second, "
            + "none refused or granted wrongly; %d tasks%n",
        ROUNDS, requests, during, requests * 1_000L / millis, framework.finished());
  }
}
