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
import org.junit.jupiter.api.io.TempDir;
import org.mezzo.fixtures.Await;

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

  private static final String HELPER =
      """
      {"libraries":[{"modules":[{"name":"helper","parameters":[
        {"key":"program","value":"/bin/sh"},
        {"key":"argument.1","value":"-c"},
        {"key":"argument.2","value":"%s"}]}]}]}\
      """;

  private static final String READS =
      "case $MESOS_TASK_ID in dies) read line; exit 3;; never) exec sleep 1000;; esac;"
          + " cat >read.$MEZZO_LOG_STREAM";

  private static Path sandbox(Path folder, String task) throws IOException {
    try (Stream<Path> files = Files.walk(folder.resolve("agent/slaves"), 8)) {
      return files
          .filter(path -> path.endsWith(Path.of("executors", task, "runs", "latest")))
          .findFirst()
          .orElseThrow()
          .toRealPath();
    }
  }

  private static void awaitText(Path file, String wanted) {
    Await.until(
        file + " has '" + wanted + "'",
        MasterAndAgent.LIMIT,
        () -> Files.exists(file) && Files.readString(file).contains(wanted));
  }

  /**
   * Invariant: programs that read output read on while there is no agent, and what one that dies or
   * never reads has not read is in the file.
   */
  @Test
  void aProgramReadsItWhateverBecomesOfTheAgent(@TempDir Path folder) throws Exception {
    try (MasterAndAgent daemons = new MasterAndAgent(folder)) {
      String[] flags = {
        "--resources=cpus:8;mem:4096;disk:1024",
        "--container_logger=helper",
        "--modules=" + HELPER.formatted(READS).strip()
      };
      daemons.startMaster("--allocation_interval=100ms");
      MezzoProcess agent = daemons.startAgent(flags);
      daemons.awaitAgent(true);
      TestFramework framework =
          daemons.own(
              TestFramework.subscribe(
                  daemons.master(),
                  """
                  {"user":"%s","name":"output","roles":["r"],"checkpoint":true,
                   "failover_timeout":600.0,"capabilities":[{"type":"MULTI_ROLE"}]}\
                  """
                      .formatted(System.getProperty("user.name"))));
      List<String> tasks = List.of("reads", "dies", "never");
      framework.launch(
          framework.await("OFFERS", event -> true, MasterAndAgent.LIMIT).at("/offers/offers/0"),
          tasks,
          "echo one; while [ ! -e end ]; do sleep 0.05; done; echo two; echo err >&2");
      for (String task : tasks) {
        framework.awaitState(task, "TASK_RUNNING");
      }
      awaitText(sandbox(folder, "reads").resolve("read.stdout"), "one");
      agent.killAlone();
      daemons.awaitAgent(false);
      for (String task : tasks) {
        Files.createFile(sandbox(folder, task).resolve("end"));
      }
      Path read = sandbox(folder, "reads");
      awaitText(read.resolve("read.stdout"), "one\ntwo\n");
      awaitText(read.resolve("read.stderr"), "err\n");
      assertThat(read.resolve("stdout")).isEmptyFile();
      assertThat(read.resolve("stderr")).isEmptyFile();
      Path dead = sandbox(folder, "dies").resolve("stdout");
      awaitText(dead, "two\n");
      assertThat(Files.readAllLines(dead))
          .contains("mezzo: the output helper '/bin/sh' ended with status 3", "two")
          .doesNotContain("one");
      Path unread = sandbox(folder, "never").resolve("stdout");
      awaitText(unread, "one\ntwo\n");
      assertThat(unread).content().contains("did not end within 5 s of its container");
      daemons.startAgent(flags);
      daemons.awaitAgent(true);
      for (String task : tasks) {
        framework.awaitState(task, "TASK_FINISHED");
      }
    }
  }
}
