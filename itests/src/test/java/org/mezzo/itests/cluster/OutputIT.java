package org.mezzo.itests.cluster;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** Where the output of command tasks goes, with and without a terminal. */
class OutputIT {
  private static final long SIZE = 10 << 20;
  private static LocalCluster cluster;

  @BeforeAll
  static void start() throws Exception {
    assumeTrue(
        Files.exists(Distribution.built().home().resolve("lib/native")),
        "there is no native launcher, and the shell has no terminals and rotates nothing");
    cluster = LocalCluster.start(Distribution.built(), 1);
  }

  @AfterAll
  static void stop() {
    if (cluster != null) {
      cluster.close();
    }
  }

  private static Path sandbox(String task) throws IOException {
    try (Stream<Path> files = Files.walk(cluster.folder().resolve("work"))) {
      return files
          .filter(path -> path.toString().endsWith("/executors/" + task + "/runs/latest"))
          .findFirst()
          .orElseThrow()
          .toRealPath();
    }
  }

  private static void run(String id, String command, String more) throws Exception {
    try (TestFramework framework =
        TestFramework.subscribe(
            cluster.master(),
            "{\"user\":\""
                + System.getProperty("user.name")
                + "\",\"name\":\"output\",\"roles\":[\"output\"],"
                + "\"capabilities\":[{\"type\":\"MULTI_ROLE\"}]}")) {
      framework.launch(
          framework.await("OFFERS", event -> true).at("/offers/offers/0"),
          List.of(id),
          Http.JSON.createObjectNode().put("shell", true).put("value", command),
          (ObjectNode) Http.JSON.readTree(more.replace('\'', '"')));
      framework.awaitState(id, "TASK_FINISHED");
      framework.teardown();
    }
  }

  @Test
  void itIsKeptInFilesThatStaySmall() throws Exception {
    run("much", "seq 4000000; seq 10 >&2", "{}");
    Path sandbox = sandbox("much");
    long next = 1;
    for (String name : List.of("stdout.3", "stdout.2", "stdout.1", "stdout")) {
      Path file = sandbox.resolve(name);
      if (Files.exists(file)) {
        assertThat(Files.size(file)).as(name).isLessThanOrEqualTo(SIZE);
        for (String line : Files.readAllLines(file)) {
          assertThat(line).isEqualTo(Long.toString(next++));
        }
      }
    }
    assertThat(next).isEqualTo(4_000_001);
    assertThat(sandbox.resolve("stdout.2")).exists();
    assertThat(Files.readAllLines(sandbox.resolve("stderr"))).hasSize(10);
  }

  @Test
  void aTaskMayHaveATerminal() throws Exception {
    run(
        "screen",
        "tty; stty size; echo $TERM",
        "{'container':{'type':'MESOS','tty_info':{'window_size':{'rows':30,'columns':99}}}}");
    assertThat(Files.readAllLines(sandbox("screen").resolve("stdout")))
        .hasSize(3)
        .satisfies(lines -> assertThat(lines.get(0)).startsWith("/dev/pts/"))
        .endsWith("30 99", "xterm");
  }
}
