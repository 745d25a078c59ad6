package org.mezzo.itests.cluster;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.net.URI;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIfSystemProperty;
import org.junit.jupiter.api.io.TempDir;
import org.mezzo.fixtures.Await;
import org.mezzo.itests.cluster.ZooKeeperCluster.Master;

/**
 * Apache Flink's session cluster on Mesos, with the driver of the distribution first in its {@code
 * lib}, and a job that is submitted as its users do.
 */
@EnabledIfSystemProperty(named = ThirdParty.PROPERTY, matches = ".+")
class FlinkIT {
  /** What Flink 1.12 reaches into on Java 17. */
  private static final List<String> OPENED =
      ThirdParty.opened("java.lang", "java.lang.ref", "java.util", "sun.net.util");

  private static final String SCRIPT = "mesos-taskmanager.sh";
  private static final String TASK_MANAGER = "taskmanager-00001";

  @TempDir Path folder;
  private ZooKeeperCluster cluster;
  private URI flink;

  @BeforeEach
  void start() throws Exception {
    cluster = new ZooKeeperCluster(folder);
  }

  @AfterEach
  void stop() throws Exception {
    cluster.close();
  }

  private Path home() {
    return folder.resolve("flink");
  }

  /** An installation, of which Flink sends a copy to each of its task managers. */
  private void install() throws IOException {
    Path built = ThirdParty.target("flink").resolve("home");
    Path lib = Files.createDirectories(home().resolve("lib"));
    // Flink follows links to files, not to folders.
    Path bin = Files.createDirectories(home().resolve("bin"));
    Files.createSymbolicLink(bin.resolve(SCRIPT), built.resolve("bin").resolve(SCRIPT));
    Files.createSymbolicLink(lib.resolve("00-mezzo-mesos-driver.jar"), ThirdParty.driver());
    try (DirectoryStream<Path> jars = Files.newDirectoryStream(built.resolve("lib"))) {
      for (Path jar : jars) {
        Files.createSymbolicLink(lib.resolve(jar.getFileName()), jar);
      }
    }
    int port = Distribution.freePort();
    flink = URI.create("http://127.0.0.1:" + port);
    Files.writeString(
        Files.createDirectories(home().resolve("conf")).resolve("flink-conf.yaml"),
        """
        mesos.master: %s
        mesos.resourcemanager.tasks.cpus: 1.0
        containerized.taskmanager.env.JAVA_HOME: %s
        taskmanager.memory.process.size: 1024m
        taskmanager.numberOfTaskSlots: 1
        jobmanager.rpc.address: 127.0.0.1
        jobmanager.rpc.port: %d
        rest.address: 127.0.0.1
        rest.port: %d
        env.java.opts: %s
        """
            .formatted(
                cluster.zk(),
                System.getProperty("java.home"),
                Distribution.freePort(),
                port,
                String.join(" ", OPENED)));
  }

  private ThirdParty java(String... main) throws IOException {
    List<String> arguments = new ArrayList<>();
    arguments.add("-Xmx512m");
    arguments.addAll(OPENED);
    Path lib = home().resolve("lib");
    arguments.addAll(List.of("-cp", ThirdParty.classPath(ThirdParty.driver(), lib + "/*")));
    arguments.addAll(List.of(main));
    return cluster.own(
        ThirdParty.start(
            folder,
            arguments,
            Map.of(
                "FLINK_CONF_DIR", home().resolve("conf").toString(),
                "FLINK_BIN_DIR", home().resolve("bin").toString(),
                "FLINK_LIB_DIR", lib.toString())));
  }

  private ThirdParty session() throws IOException {
    return java("org.apache.flink.mesos.entrypoint.MesosSessionClusterEntrypoint");
  }

  private ThirdParty submit(String... job) throws IOException {
    List<String> main = new ArrayList<>(List.of("org.apache.flink.client.cli.CliFrontend", "run"));
    main.addAll(List.of("-c", "Words", ThirdParty.target("flink").resolve("jobs.jar").toString()));
    main.addAll(List.of(job));
    return java(main.toArray(String[]::new));
  }

  private static void awaitSubscribed(Master master, ThirdParty session) {
    Await.until(
        "Flink is subscribed to " + master.uri(),
        ThirdParty.LIMIT,
        () -> {
          assertThat(session.isAlive()).as(session.stderr()).isTrue();
          JsonNode framework =
              Http.get(master.uri().resolve("/frameworks")).json().at("/frameworks/0");
          return framework.path("name").asText().equals("Flink")
              && framework.path("active").asBoolean();
        });
  }

  /** All tasks that a master knows of, also those of ended frameworks, with their states. */
  private static List<String> tasks(Master master) throws IOException {
    List<String> tasks = new ArrayList<>();
    for (JsonNode task : Http.get(master.uri().resolve("/tasks")).json().path("tasks")) {
      tasks.add(task.path("id").asText() + " " + task.path("state").asText());
    }
    return tasks;
  }

  @Test
  void aJobIsDoneWhicheverMasterDies() throws Exception {
    Master first = cluster.masters("first", "second", "third");
    cluster.agent("agent", "--resources=cpus:2;mem:4096;disk:1000;ports:[31000-31999]");
    first.awaitAgents(1);
    install();
    ThirdParty session = session();
    awaitSubscribed(first, session);
    assertThat(tasks(first)).isEmpty();

    ThirdParty job = submit("60000", folder.toString());
    Await.until(
        "the job is in its middle",
        ThirdParty.LIMIT,
        () -> {
          assertThat(job.isAlive()).as(job.stdout() + job.stderr()).isTrue();
          return Files.exists(folder.resolve("begun"));
        });
    assertThat(tasks(first)).containsExactly(TASK_MANAGER + " TASK_RUNNING");

    first.process().kill();
    Master next = cluster.awaitLeaderAfter(first);
    awaitSubscribed(next, session);
    Await.until(
        "the task manager is known to the next master",
        ThirdParty.LIMIT,
        () -> tasks(next).contains(TASK_MANAGER + " TASK_RUNNING"));
    Files.createFile(folder.resolve("gate"));
    assertThat(job.await()).as(job.stdout() + job.stderr()).isZero();
    assertThat(job.stdout()).contains("Counted [(0,15000), (1,15000), (2,15000), (3,15000)]");
    assertThat(tasks(next)).as("no other was needed").hasSize(1);

    assertThat(Http.deleteJson(flink.resolve("/cluster"), "").status()).isEqualTo(200);
    assertThat(session.await()).as(session.stderr()).isZero();
    Await.until(
        "the task manager is gone with its framework",
        ThirdParty.LIMIT,
        () -> tasks(next).equals(List.of(TASK_MANAGER + " TASK_KILLED")));
    JsonNode frameworks = Http.get(next.uri().resolve("/frameworks")).json();
    assertThat(frameworks.path("frameworks")).isEmpty();
    assertThat(frameworks.at("/completed_frameworks/0/name").asText()).isEqualTo("Flink");
  }
}
