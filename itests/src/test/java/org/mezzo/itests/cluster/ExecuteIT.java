package org.mezzo.itests.cluster;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.mezzo.fixtures.Await;

/** {@code bin/mezzo execute} on a temporary cluster, as a user's first command. */
class ExecuteIT {
  @TempDir Path folder;

  @Test
  void printsOutputAndExitsWithTheStatusOfTheTask() throws Exception {
    try (MezzoProcess execute =
        MezzoProcess.start(
            Distribution.built(),
            folder,
            "execute",
            "--command=echo hello; echo oops >&2; exit 3")) {
      assertThat(execute.await(Duration.ofSeconds(90))).as(execute.stderr()).isEqualTo(3);
      assertThat(execute.stdout()).isEqualTo("hello\n");
      assertThat(execute.stderr())
          .startsWith(
              "mezzo: no --master and no MEZZO_MASTER: starting a cluster of its own for this"
                  + " command\n")
          .contains("oops", "TASK_RUNNING", "TASK_FAILED");
    }
  }

  @Test
  void runsAProgramOnTheMasterOfTheEnvironment() throws Exception {
    try (LocalCluster cluster = LocalCluster.start(Distribution.built(), 1)) {
      String master = "127.0.0.1:" + cluster.master().getPort();
      ProcessBuilder builder =
          new ProcessBuilder(
                  Distribution.built().command().toString(),
                  "execute",
                  "--timeout=1m30s",
                  "--",
                  "printf",
                  "[%s]",
                  "a  b",
                  "$HOME",
                  "--master=x")
              .redirectOutput(folder.resolve("out").toFile())
              .redirectError(folder.resolve("err").toFile())
              .redirectInput(ProcessBuilder.Redirect.from(Path.of("/dev/null").toFile()));
      builder.environment().put("MEZZO_MASTER", master);
      builder.environment().put("JAVA_HOME", System.getProperty("java.home"));
      Process process = builder.start();
      assertThat(process.waitFor(90, TimeUnit.SECONDS)).isTrue();
      assertThat(folder.resolve("err"))
          .content()
          .contains("TASK_FINISHED")
          .doesNotContain("cluster of its own");
      assertThat(folder.resolve("out")).hasContent("[a  b][$HOME][--master=x]");
      assertThat(process.exitValue()).isZero();
    }
  }

  @Test
  void asTheFirstProcessItLeavesNoZombies() throws Exception {
    List<String> space = List.of("unshare", "--pid", "--fork", "--mount-proc");
    assumeTrue(succeeds(space), "process namespaces need root and unshare");
    List<String> command = new ArrayList<>(space);
    command.add(Distribution.built().command().toString());
    command.add("execute");
    command.add(
        "--command=(sleep 0.1 &); sleep 1; cat /proc/1/comm;"
            + " while cat /proc/[0-9]*/status 2>/dev/null | grep -q '^State:.Z';"
            + " do sleep 0.1; done; echo none; exit 3");
    ProcessBuilder builder =
        new ProcessBuilder(command)
            .redirectOutput(folder.resolve("out").toFile())
            .redirectError(folder.resolve("err").toFile())
            .redirectInput(ProcessBuilder.Redirect.from(Path.of("/dev/null").toFile()));
    builder.environment().put("JAVA_HOME", System.getProperty("java.home"));
    Process process = builder.start();
    try {
      assertThat(process.waitFor(90, TimeUnit.SECONDS)).isTrue();
      assertThat(folder.resolve("out"))
          .as(Files.readString(folder.resolve("err")))
          .hasContent("mezzo\nnone");
      assertThat(process.exitValue()).isEqualTo(3);
    } finally {
      process.descendants().forEach(ProcessHandle::destroyForcibly);
      process.destroyForcibly();
    }
  }

  private static boolean succeeds(List<String> prefix) throws InterruptedException {
    List<String> command = new ArrayList<>(prefix);
    command.add("true");
    try {
      return new ProcessBuilder(command).start().waitFor() == 0;
    } catch (IOException e) {
      return false;
    }
  }

  @Test
  void leavesNothingBehindAlsoWhenKilled() throws Exception {
    Path temporary = Files.createDirectory(folder.resolve("tmp"));
    String marker = "31.41592" + System.nanoTime() % 100_000;
    ProcessBuilder builder =
        new ProcessBuilder(
                Distribution.built().command().toString(),
                "execute",
                "--command=echo started; sleep " + marker)
            .redirectErrorStream(true)
            .redirectOutput(folder.resolve("out").toFile())
            .redirectInput(ProcessBuilder.Redirect.from(Path.of("/dev/null").toFile()));
    builder.environment().put("TMPDIR", temporary.toString());
    builder.environment().put("JAVA_HOME", System.getProperty("java.home"));
    Process process = builder.start();
    try {
      Await.until(
          "the task runs",
          Duration.ofSeconds(90),
          () -> Files.readString(folder.resolve("out")).contains("started"));
      Stream.concat(Stream.of(process.toHandle()), process.descendants())
          .filter(each -> each.info().command().orElse("").endsWith("/java"))
          .forEach(ProcessHandle::destroyForcibly);
      process.destroyForcibly();
      Await.until("the task is gone", Duration.ofSeconds(60), () -> commandLines(marker).isEmpty());
      Await.until(
          "the temporary folder is empty",
          Duration.ofSeconds(60),
          () -> {
            try (Stream<Path> left = Files.list(temporary)) {
              return left.findAny().isEmpty();
            }
          });
    } finally {
      process.destroyForcibly();
    }
  }

  private static List<String> commandLines(String marker) throws Exception {
    try (Stream<Path> processes = Files.list(Path.of("/proc"))) {
      return processes
          .filter(path -> path.getFileName().toString().matches("\\d+"))
          .map(
              path -> {
                try {
                  return Files.readString(path.resolve("cmdline"));
                } catch (Exception gone) {
                  return "";
                }
              })
          .filter(line -> line.contains("sleep") && line.contains(marker))
          .toList();
    }
  }
}
