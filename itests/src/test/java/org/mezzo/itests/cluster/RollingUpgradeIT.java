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
import java.util.stream.Stream;
import org.apache.curator.test.TestingServer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.mezzo.fixtures.Await;
import org.mezzo.testing.bundles.ModuleBundle;

/**
 * Modules of a standby are swapped first, and then the leader is killed under load: the cluster
 * goes on with the new ones, and neither tasks nor clients that try again notice more than a pause.
 */
class RollingUpgradeIT {
  private static final Duration LIMIT = Duration.ofSeconds(120);

  /** Until a killed leader is missed; a slow machine must not take one for dead that lives. */
  private static final Duration SESSION = Duration.ofSeconds(10);

  private static final String NEXT = "99.0.0";
  private static final String ALLOCATOR = "mezzo-allocator-drf";
  private static final String AUTHENTICATOR = "mezzo-htpasswd";
  private static final String PRINCIPAL = "ada";
  private static final Map<String, String> CREDENTIALS =
      Map.of(
          "Authorization",
          "Basic "
              + Base64.getEncoder()
                  .encodeToString((PRINCIPAL + ":secret").getBytes(StandardCharsets.UTF_8)));

  @TempDir Path folder;
  private final List<AutoCloseable> open = new ArrayList<>();
  private TestingServer zooKeeper;

  /** A master process with modules of its own. */
  private record Master(MezzoProcess process, URI uri, Path modules) {
    JsonNode get(String path) throws IOException {
      return Http.get(uri.resolve(path), "Authorization", CREDENTIALS.get("Authorization")).json();
    }

    boolean leads() throws IOException {
      return get("/metrics/snapshot").path("master/elected").asInt() == 1;
    }

    /** The version of the bundle whose module of that kind the master has; empty without one. */
    String version(String kind) throws IOException {
      for (JsonNode module : get("/mezzo/modules").path("modules")) {
        if (module.path("kind").asText().equals(kind)
            && module.path("daemons").toString().contains("\"master\"")) {
          return module.at("/bundle/version").asText();
        }
      }
      return "";
    }

    /** Puts another version of a module beside the one in the folder. */
    void upgrade(String file, Path temporary) throws IOException {
      Path shipped;
      try (Stream<Path> jars = Files.list(modules)) {
        shipped =
            jars.filter(jar -> jar.getFileName().toString().startsWith(file))
                .findFirst()
                .orElseThrow();
      }
      Path next = ModuleBundle.withVersion(shipped, NEXT, temporary.resolve(file + ".jar"));
      Files.move(next, modules.resolve(file + "-" + NEXT + ".jar"), StandardCopyOption.ATOMIC_MOVE);
    }

    /** What became of the change to the new version; empty while it is not over. */
    String outcome(String name) throws IOException {
      for (JsonNode action : get("/mezzo/deployments").path("history")) {
        if (action.path("name").asText().contains(name)
            && action.path("to").asText().equals(NEXT)) {
          return action.path("succeeded").asText() + ": " + action.path("outcome").asText();
        }
      }
      return "";
    }
  }

  @BeforeEach
  void start() throws Exception {
    zooKeeper = new TestingServer(-1, folder.resolve("zookeeper").toFile(), true);
    open.add(zooKeeper);
    Files.writeString(folder.resolve("credentials"), PRINCIPAL + " secret\n");
  }

  @AfterEach
  void stop() throws Exception {
    for (int i = open.size() - 1; i >= 0; i--) {
      open.get(i).close();
    }
  }

  private String zk() {
    return "zk://" + zooKeeper.getConnectString() + "/mezzo";
  }

  private Master master(String name) throws IOException {
    Distribution distribution = Distribution.built().copyTo(folder.resolve(name + "-mezzo"));
    int port = Distribution.freePort();
    MezzoProcess process =
        MezzoProcess.start(
            distribution,
            folder.resolve("logs"),
            "master",
            "--zk=" + zk(),
            "--zk_session_timeout=" + SESSION.toSeconds() + "secs",
            "--quorum=1",
            "--port=" + port,
            "--work_dir=" + folder.resolve(name),
            "--authenticate_http_readonly",
            "--authenticate_http_readwrite",
            "--authenticate_http_frameworks",
            "--http_framework_authenticators=basic",
            "--credentials=" + folder.resolve("credentials"));
    open.add(process);
    return new Master(process, URI.create("http://127.0.0.1:" + port), distribution.modules());
  }

  private void agent() throws IOException {
    open.add(
        MezzoProcess.start(
            Distribution.built(),
            folder.resolve("logs"),
            "agent",
            "--master=" + zk(),
            "--port=" + Distribution.freePort(),
            "--resources=cpus:4;mem:2048",
            "--runtime_dir=" + folder.resolve("run"),
            "--work_dir=" + folder.resolve("agent")));
  }

  @Test
  void aStandbyWithNewModulesTakesOverWhenTheLeaderIsKilled() throws Exception {
    Master leader = master("first");
    Await.until("the first leads", LIMIT, leader::leads);
    Master standby = master("second");
    agent();
    Await.until(
        "the standby knows the leader",
        LIMIT,
        () -> Http.get(standby.uri().resolve("/redirect")).status() == 307);
    String before = leader.version("http-authenticator");
    assertThat(before).isNotEmpty().isNotEqualTo(NEXT);

    List<URI> masters = List.of(leader.uri(), standby.uri());
    List<URI> states = masters.stream().map(uri -> uri.resolve("/state-summary")).toList();
    List<URI> atStandby = List.of(standby.uri().resolve("/flags"));
    try (FollowingFramework framework = new FollowingFramework(masters, CREDENTIALS, PRINCIPAL, 3);
        PatientClient client = new PatientClient(states, Http::get, CREDENTIALS);
        PatientClient local = new PatientClient(atStandby, Http::get, CREDENTIALS)) {
      framework.awaitSteady();
      framework.awaitTasks(2);
      local.awaitAnswers(10);

      standby.upgrade(ALLOCATOR, folder);
      standby.upgrade(AUTHENTICATOR, folder);
      for (String name : List.of("allocator", "htpasswd")) {
        Await.until(
            name + " was swapped",
            LIMIT,
            () -> !local.failures().isEmpty() || !standby.outcome(name).isEmpty());
        assertThat(local.failures()).isEmpty();
        assertThat(standby.outcome(name)).startsWith("true: ");
      }
      assertThat(standby.version("http-authenticator")).isEqualTo(NEXT);
      local.awaitAnswers(10);
      assertThat(local.triedAgain())
          .as("requests that the swapping standby did not answer")
          .isZero();
      assertThat(leader.version("http-authenticator")).isEqualTo(before);
      framework.awaitTasks(2);
      Duration usual = framework.longestGap();

      leader.process().kill();
      framework.awaitSubscriptions(2);
      framework.awaitTasks(5);
      client.awaitAnswers(10);
      assertThat(standby.leads()).isTrue();
      assertThat(standby.version("allocator")).isEqualTo(NEXT);
      assertThat(standby.version("http-authenticator")).isEqualTo(NEXT);
      framework.drain();
      assertThat(framework.failures()).isEmpty();
      assertThat(framework.subscriptions()).isEqualTo(2);
      assertThat(client.failures()).isEmpty();
      assertThat(local.failures()).isEmpty();
      // The session has to end first, and a busy machine takes its time afterwards.
      assertThat(framework.longestGap()).isLessThan(Duration.ofSeconds(60));
      System.out.printf(
          "RollingUpgradeIT: %d tasks finished, %d accepted by the dead leader alone; %d requests"
              + " answered, %d tried again; longest gap between offers %d ms, %d ms before the"
              + " kill%n",
          framework.finished(),
          framework.neverLaunched(),
          client.answered() + local.answered(),
          client.triedAgain(),
          framework.longestGap().toMillis(),
          usual.toMillis());
    }
  }
}
