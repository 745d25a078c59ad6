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
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.mezzo.fixtures.Await;

/** Access control lists on a running master and agent, which go by a changed file at once. */
class AclsIT {
  private static final Duration LIMIT = Duration.ofSeconds(120);
  private static final String USER = System.getProperty("user.name");
  private static final String NOBODY = "nobody";

  @TempDir Path folder;
  private final List<AutoCloseable> open = new ArrayList<>();
  private final int port = Distribution.freePort();
  private final int agentPort = Distribution.freePort();
  private final URI master = URI.create("http://127.0.0.1:" + port);
  private final URI agent = URI.create("http://127.0.0.1:" + agentPort);

  @AfterEach
  void stop() throws Exception {
    for (int i = open.size() - 1; i >= 0; i--) {
      open.get(i).close();
    }
  }

  /** Exchanges a file as a whole. */
  private Path write(String name, String content) throws IOException {
    Path next = Files.writeString(folder.resolve(name + ".next"), content);
    return Files.move(next, folder.resolve(name), StandardCopyOption.REPLACE_EXISTING);
  }

  /** As {@code anna} sees her frameworks alone, and who may be an agent, and end frameworks. */
  private static String acls(String agents, String terminators) {
    return """
    {
      "register_agents": [
        {"principals": {"values": ["%s"]}, "agents": {"type": "ANY"}},
        {"principals": {"type": "ANY"}, "agents": {"type": "NONE"}}
      ],
      "view_frameworks": [
        {"principals": {"values": ["ops"]}, "users": {"type": "ANY"}},
        {"principals": {"values": ["anna"]}, "users": {"values": ["%s"]}},
        {"principals": {"type": "ANY"}, "users": {"type": "NONE"}}
      ],
      "teardown_frameworks": [
        {"principals": {"values": ["%s"]}, "framework_principals": {"values": ["bert"]}},
        {"principals": {"type": "NONE"}, "framework_principals": {"type": "ANY"}}
      ],
      "access_mesos_logs": [
        {"principals": {"values": ["ops"]}, "logs": {"type": "ANY"}},
        {"principals": {"type": "ANY"}, "logs": {"type": "NONE"}}
      ]
    }
    """
        .formatted(agents, USER, terminators);
  }

  private MezzoProcess start(String... arguments) throws IOException {
    MezzoProcess process =
        MezzoProcess.start(Distribution.built(), folder.resolve("logs"), arguments);
    open.add(process);
    return process;
  }

  private static String authorization(String principal) {
    return "Basic "
        + Base64.getEncoder()
            .encodeToString((principal + ":secret").getBytes(StandardCharsets.UTF_8));
  }

  private static Http.Answer get(String principal, URI uri) throws IOException {
    return Http.get(uri, "Authorization", authorization(principal));
  }

  private List<String> frameworks(String principal) throws IOException {
    List<String> ids = new ArrayList<>();
    for (JsonNode framework :
        get(principal, master.resolve("/frameworks")).json().path("frameworks")) {
      ids.add(framework.path("id").asText());
    }
    return ids;
  }

  private int teardown(String principal, String framework) throws IOException {
    return Http.post(
            master.resolve("/teardown"),
            "application/x-www-form-urlencoded",
            ("frameworkId=" + framework).getBytes(StandardCharsets.UTF_8),
            "Authorization",
            authorization(principal))
        .status();
  }

  private double metric(URI daemon, String name) throws IOException {
    return get("ops", daemon.resolve("/metrics/snapshot"))
        .json()
        .path("modules/authorizer/local/" + name)
        .asDouble(-1);
  }

  private TestFramework subscribe(String principal, String user) throws IOException {
    TestFramework framework =
        TestFramework.subscribe(
            master,
            """
            {"user":"%s","name":"acls","principal":"%s","roles":["eng"],
             "capabilities":[{"type":"MULTI_ROLE"}]}\
            """
                .formatted(user, principal),
            Map.of("Authorization", authorization(principal)));
    open.add(framework);
    return framework;
  }

  @Test
  void whatSomebodyMaySeeAndDoIsWhatTheFileSaysNow() throws Exception {
    Path credentials = write("credentials", "ops secret\nanna secret\nbert secret\nnode secret\n");
    Path acls = write("acls.json", acls("another", "nobody-yet"));
    start(
        "master",
        "--port=" + port,
        "--work_dir=" + folder.resolve("master"),
        "--credentials=" + credentials,
        "--authenticate_http_readonly",
        "--authenticate_http_readwrite",
        "--authenticate_http_frameworks",
        "--authenticate_agents",
        "--log_dir=" + folder.resolve("log"),
        "--acls=file://" + acls);
    Await.until(
        "the master answers",
        LIMIT,
        () -> get("ops", master.resolve("/frameworks")).status() == 200);

    Path sandboxes =
        write(
            "agent-acls.json",
            "{\"access_sandboxes\": [{\"principals\": {\"values\": [\"bert\"]},"
                + " \"users\": {\"type\": \"NONE\"}}]}");
    MezzoProcess node =
        start(
            "agent",
            "--master=127.0.0.1:" + port,
            "--port=" + agentPort,
            "--work_dir=" + folder.resolve("agent"),
            "--runtime_dir=" + folder.resolve("agent-run"),
            "--resources=cpus:4;mem:1024;disk:1024",
            "--registration_backoff_factor=50ms",
            "--credential=" + write("node", "node secret\n"),
            "--http_credentials=" + credentials,
            "--authenticate_http_readonly",
            "--acls=" + sandboxes);
    Await.until(
        "the agent is refused",
        LIMIT,
        () -> node.stderr().contains("Principal 'node' may not register agents here"));
    assertThat(get("ops", master.resolve("/slaves")).json().path("slaves")).isEmpty();

    URI log = master.resolve("/files/read?offset=0&path=/master/log");
    Await.until(
        "it is in the log",
        LIMIT,
        () -> get("ops", log).text().contains("is not registered: Principal 'node'"));
    assertThat(get("anna", log).status()).isEqualTo(403);

    // It goes on trying, and is let in as soon as the file lets it.
    write("acls.json", acls("node", "nobody-yet"));
    Await.until(
        "the agent is registered",
        LIMIT,
        () -> get("ops", master.resolve("/slaves")).json().path("slaves").size() == 1);

    TestFramework annas = subscribe("anna", USER);
    TestFramework berts = subscribe("bert", NOBODY);
    assertThat(frameworks("anna")).containsExactly(annas.frameworkId());
    assertThat(frameworks("bert")).isEmpty();
    assertThat(frameworks("ops"))
        .containsExactlyInAnyOrder(annas.frameworkId(), berts.frameworkId());

    JsonNode offer = annas.await("OFFERS", event -> true).at("/offers/offers/0");
    annas.launch(offer, "t", "echo seen; sleep 1000");
    annas.awaitState("t", "TASK_RUNNING");
    URI browse =
        agent.resolve(
            "/files/browse?path=/frameworks/" + annas.frameworkId() + "/executors/t/runs/latest");
    assertThat(get("anna", browse).text()).contains("stdout");
    assertThat(get("bert", browse).status()).isEqualTo(403);

    assertThat(teardown("ops", berts.frameworkId())).isEqualTo(403);
    assertThat(frameworks("ops")).hasSize(2);
    // A file that makes no sense changes nothing, and is told.
    write("acls.json", acls("node", "ops").replace("\"ANY\"", "\"any\""));
    assertThat(teardown("ops", berts.frameworkId())).isEqualTo(403);
    assertThat(metric(master, "outdated")).isEqualTo(1);
    assertThat(metric(master, "failed_reloads")).isEqualTo(1);
    write("acls.json", acls("node", "ops"));
    assertThat(teardown("ops", annas.frameworkId())).isEqualTo(403);
    assertThat(teardown("ops", berts.frameworkId())).isEqualTo(200);
    assertThat(metric(master, "outdated")).isZero();
    assertThat(frameworks("ops")).containsExactly(annas.frameworkId());
  }

  @Test
  void theCommandLineNamesTheEntryThatDecides() throws Exception {
    Path acls = write("acls.json", acls("node", "ops"));
    MezzoProcess check =
        start(
            "acl",
            "check",
            "--acls=" + acls,
            "--principal=anna",
            "--action=TEARDOWN_FRAMEWORK",
            "--object=bert");
    assertThat(check.await(LIMIT)).isEqualTo(1);
    assertThat(check.stdout()).startsWith("denied\n  teardown_frameworks[1] (line 13): {");
  }

  @Test
  void aDaemonDoesNotStartWithListsThatMakeNoSense() throws Exception {
    for (String daemon : List.of("master", "agent")) {
      MezzoProcess process =
          start(
              daemon,
              "--acls={\"run_tasks\": [{\"principals\": {\"type\": \"ANY\"}}]}",
              "--work_dir=" + folder.resolve(daemon),
              daemon.equals("agent") ? "--master=127.0.0.1:" + port : "--port=" + port);
      assertThat(process.await(LIMIT)).isEqualTo(2);
      assertThat(process.stderr()).contains("flag --acls: run_tasks[0].users (line 1) is missing");
    }
  }
}
