package org.mezzo.itests.cluster;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Unmodified client libraries written by others run a task to its end. */
class ThirdPartyClientsIT {
  private static LocalCluster cluster;
  @TempDir Path folder;

  @BeforeAll
  static void start() throws Exception {
    cluster = LocalCluster.start(Distribution.built(), 1);
  }

  @AfterAll
  static void stop() {
    if (cluster != null) {
      cluster.close();
    }
  }

  @Test
  void rxJava() throws Exception {
    Path target = Path.of(System.getProperty("mezzo.clients.rxjava"));
    run(
        folder,
        List.of(
            Path.of(System.getProperty("java.home"), "bin", "java").toString(),
            "-cp",
            target.resolve("classes") + ":" + target.resolve("lib") + "/*",
            "org.mezzo.itests.rxjava.RxJavaFramework",
            cluster.master() + "/api/v1/scheduler"));
  }

  @Test
  void node() throws Exception {
    Path client = Path.of(System.getProperty("mezzo.clients.node"));
    assumeTrue(
        Files.isDirectory(client.resolve("node_modules/mesos-framework")),
        "mesos-framework is not installed: run npm install in itests/clients-node");
    run(
        client,
        List.of(
            "node",
            client.resolve("framework.js").toString(),
            cluster.master().getHost(),
            String.valueOf(cluster.master().getPort())));
  }

  private void run(Path directory, List<String> command) throws IOException, InterruptedException {
    Path output = folder.resolve("output");
    Process process =
        new ProcessBuilder(command)
            .directory(directory.toFile())
            .redirectErrorStream(true)
            .redirectOutput(output.toFile())
            .start();
    try {
      boolean ended = process.waitFor(120, TimeUnit.SECONDS);
      String text = Files.readString(output);
      assertThat(ended).as(text).isTrue();
      assertThat(process.exitValue()).as(text).isZero();
      assertThat(text).contains("TASK_RUNNING", "TASK_FINISHED");
    } finally {
      process.destroyForcibly();
    }
  }
}
