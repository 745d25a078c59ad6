package org.mezzo.itests.cluster;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIfSystemProperty;
import org.junit.jupiter.api.io.TempDir;
import org.mezzo.fixtures.Await;
import org.mezzo.itests.cluster.ZooKeeperCluster.Master;

/** HubSpot Singularity, which speaks the v1 API by itself, asked over its own HTTP API. */
@EnabledIfSystemProperty(named = ThirdParty.PROPERTY, matches = ".+")
class SingularityIT {
  @TempDir Path folder;
  private ZooKeeperCluster cluster;
  private URI api;

  @BeforeEach
  void start() throws Exception {
    cluster = new ZooKeeperCluster(folder);
  }

  @AfterEach
  void stop() throws Exception {
    cluster.close();
  }

  private void singularity(Master master, URI agent) throws Exception {
    int port = Distribution.freePort();
    Path settings = folder.resolve("singularity.yaml");
    Files.writeString(
        settings,
        """
        server:
          type: simple
          applicationContextPath: /singularity
          connector: {type: http, bindHost: 127.0.0.1, port: %d}
          requestLog: {appenders: []}
        mesos:
          master: %s
          agentHttpPort: %d
          frameworkName: Singularity
          frameworkId: Singularity
        zookeeper: {quorum: "%s", zkNamespace: singularity}
        ui: {baseUrl: "http://127.0.0.1:%d/singularity"}
        """
            .formatted(
                port, master.uri().getAuthority(), agent.getPort(), cluster.zooKeeper(), port));
    Path jars = ThirdParty.target("singularity").resolve("jars");
    List<String> arguments = new ArrayList<>();
    arguments.add("-Xmx512m");
    arguments.addAll(
        ThirdParty.opened(
            "java.io", "java.lang", "java.lang.reflect", "java.net", "java.util", "sun.nio.ch"));
    // The client of ZooKeeper that it brings finds no server from Java 14 on.
    arguments.addAll(
        List.of(
            "-cp",
            ThirdParty.classPath(
                jars.resolve("zookeeper.jar"), jars.resolve("SingularityService-shaded.jar"))));
    arguments.addAll(List.of("com.hubspot.singularity.SingularityService", "server"));
    arguments.add(settings.toString());
    ThirdParty process = cluster.own(ThirdParty.start(folder, arguments));
    api = URI.create("http://127.0.0.1:" + port + "/singularity/api/");
    Await.until(
        "Singularity is subscribed",
        ThirdParty.LIMIT,
        () -> {
          assertThat(process.isAlive()).as(process.stdout() + process.stderr()).isTrue();
          JsonNode framework =
              Http.get(master.uri().resolve("/frameworks")).json().at("/frameworks/0");
          return framework.path("name").asText().equals("Singularity")
              && framework.path("active").asBoolean();
        });
  }

  private void deploy(String request, String id, String command) throws IOException {
    assertThat(Http.postJson(api.resolve("requests"), request).status()).isEqualTo(200);
    Http.Answer answer =
        Http.postJson(
            api.resolve("deploys"),
            """
            {"deploy": {"requestId": "%s", "id": "first", "command": "%s",
              "resources": {"cpus": 0.1, "memoryMb": 64, "numPorts": 0}}}\
            """
                .formatted(id, command));
    assertThat(answer.status()).as(answer.text()).isEqualTo(200);
  }

  /** How many tasks of a request the master has in a state. */
  private static int count(Master master, String id, String state) throws IOException {
    int count = 0;
    for (JsonNode task : Http.get(master.uri().resolve("/tasks")).json().path("tasks")) {
      if (task.path("id").asText().startsWith(id + "-")
          && task.path("state").asText().equals(state)) {
        count++;
      }
    }
    return count;
  }

  @Test
  void aOneOffEndsAndAServiceHasItsInstances() throws Exception {
    Master master = cluster.masters("master");
    URI agent = cluster.agent("agent", "--resources=cpus:2;mem:2048;disk:4000");
    master.awaitAgents(1);
    singularity(master, agent);

    deploy("{\"id\": \"once\", \"requestType\": \"RUN_ONCE\"}", "once", "echo done");
    deploy(
        "{\"id\": \"three\", \"requestType\": \"SERVICE\", \"instances\": 3}",
        "three",
        "sleep 1000");
    Await.until(
        "the one-off has ended",
        ThirdParty.LIMIT,
        () -> count(master, "once", "TASK_FINISHED") == 1);
    Await.until(
        "three instances run", ThirdParty.LIMIT, () -> count(master, "three", "TASK_RUNNING") == 3);
    Await.until(
        "Singularity knows of them, and of nothing else that runs",
        ThirdParty.LIMIT,
        () -> Http.get(api.resolve("tasks/active")).json().size() == 3);
    assertThat(count(master, "once", "TASK_FINISHED")).isEqualTo(1);
    assertThat(count(master, "three", "TASK_RUNNING")).isEqualTo(3);

    Http.Answer deleted = Http.deleteJson(api.resolve("requests/request/three"), "{}");
    assertThat(deleted.status()).as(deleted.text()).isEqualTo(200);
    Await.until(
        "the three are killed with their request",
        ThirdParty.LIMIT,
        () -> count(master, "three", "TASK_KILLED") == 3);
    assertThat(count(master, "three", "TASK_RUNNING")).isZero();
  }

  /**
   * What starts Singularity's executor, with the driver of the distribution first, and settings of
   * its own in place of those below {@code /etc}.
   */
  private Path executor() throws IOException {
    Path own = Files.createDirectories(folder.resolve("executor"));
    for (String name : List.of("log", "meta", "defs", "rotate", "cron", "cache")) {
      Files.createDirectories(own.resolve(name));
    }
    Path settings =
        Files.writeString(
            own.resolve("singularity.yaml"),
            """
            base:
              loggingDirectory: %1$s/log
              s3UploaderMetadataDirectory: %1$s/meta
              logWatcherMetadataDirectory: %1$s/meta
            s3:
              artifactCacheDirectory: %1$s/cache
            executor:
              globalTaskDefinitionDirectory: %1$s/defs
              defaultRunAsUser: root
              logrotateCommand: /bin/true
              logrotateConfDirectory: %1$s/rotate
              logrotateHourlyConfDirectory: %1$s/rotate
              cronDirectory: %1$s/cron
            """
                .formatted(own));
    String java =
        ThirdParty.java()
            + " -Xmx256m -DsingularityConfigFilename="
            + settings
            + " "
            + String.join(
                " ",
                ThirdParty.opened(
                    "java.io", "java.lang", "java.lang.reflect", "java.net", "java.util"))
            + " -cp "
            + ThirdParty.classPath(
                ThirdParty.driver(),
                ThirdParty.target("singularity").resolve("jars/SingularityExecutor-shaded.jar"))
            + " com.hubspot.singularity.executor.SingularityExecutorRunner";
    Path script = Files.writeString(own.resolve("executor.sh"), "#!/bin/sh\nexec " + java + "\n");
    Files.setPosixFilePermissions(script, PosixFilePermissions.fromString("rwxr-xr-x"));
    return script;
  }

  @Test
  void itsExecutorRunsOnTheDriver() throws Exception {
    Assumptions.assumeTrue(
        System.getProperty("user.name").equals("root"),
        "its executor changes users, as it is set up here");
    Master master = cluster.masters("master");
    URI agent = cluster.agent("agent", "--resources=cpus:2;mem:4096;disk:4000");
    master.awaitAgents(1);
    singularity(master, agent);
    assertThat(
            Http.postJson(
                    api.resolve("requests"), "{\"id\": \"own\", \"requestType\": \"SERVICE\"}")
                .status())
        .isEqualTo(200);
    Path mark = folder.resolve("mark");
    // Its executor has the command replace a shell.
    Path service =
        Files.writeString(
            folder.resolve("service.sh"), "#!/bin/sh\ntouch %s\nexec sleep 1000\n".formatted(mark));
    Files.setPosixFilePermissions(service, PosixFilePermissions.fromString("rwxr-xr-x"));
    Http.Answer answer =
        Http.postJson(
            api.resolve("deploys"),
            """
            {"deploy": {"requestId": "own", "id": "first",
              "customExecutorCmd": "%s", "customExecutorResources": {"cpus": 0.2, "memoryMb": 512},
              "executorData": {"cmd": "%s", "user": "root"},
              "resources": {"cpus": 0.1, "memoryMb": 64, "numPorts": 0}}}\
            """
                .formatted(executor(), service));
    assertThat(answer.status()).as(answer.text()).isEqualTo(200);
    Await.until("its task runs", ThirdParty.LIMIT, () -> count(master, "own", "TASK_RUNNING") == 1);
    Await.until("what it is to do is done", ThirdParty.LIMIT, () -> Files.exists(mark));
    Http.Answer deleted = Http.deleteJson(api.resolve("requests/request/own"), "{}");
    assertThat(deleted.status()).as(deleted.text()).isEqualTo(200);
    Await.until(
        "it is killed by its executor",
        ThirdParty.LIMIT,
        () -> count(master, "own", "TASK_KILLED") == 1);
  }
}
