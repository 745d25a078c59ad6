package org.mezzo.containerizer;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.mezzo.fixtures.Await;
import org.mezzo.protocol.v1.CommandInfo;

class LeftoversTest {
  @TempDir Path folder;

  /** Plays the agent that is killed; lives in a process of its own. */
  public static final class Victim {
    private Victim() {}

    public static void main(String[] arguments) throws Exception {
      Path folder = Path.of(arguments[0]);
      Containerizer containerizer = new FakeAgent(folder).containerizer();
      for (String command : List.of("echo $$ >pid; exec sleep 1000", "exit 5")) {
        String id = command.startsWith("echo") ? "runs" : "over";
        containerizer
            .launch(
                LaunchRequest.builder(
                        ContainerId.of(id),
                        CommandInfo.newBuilder().setShell(true).setValue(command).build(),
                        folder.resolve(id))
                    .build())
            .toCompletableFuture()
            .get(60, TimeUnit.SECONDS);
      }
      Await.until("the task runs", () -> Files.size(folder.resolve("runs/pid")) > 0);
      Runtime.getRuntime().halt(9);
    }
  }

  @Test
  void tasksSurviveAKilledAgentAndTheNextOneEndsThem() throws Exception {
    Process agent =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-Xmx64m",
                FakeAgent.SAME_CGROUPS,
                "-cp",
                System.getProperty("java.class.path"),
                Victim.class.getName(),
                folder.toString())
            .redirectErrorStream(true)
            .redirectOutput(folder.resolve("victim.log").toFile())
            .start();
    assertThat(agent.waitFor(60, TimeUnit.SECONDS)).isTrue();
    assertThat(agent.exitValue()).as(Files.readString(folder.resolve("victim.log"))).isEqualTo(9);
    long pid = Long.parseLong(Files.readString(folder.resolve("runs/pid")).trim());
    assertThat(ProcessHandle.of(pid).map(ProcessHandle::isAlive)).contains(true);

    try (Containerizer next = new FakeAgent(folder).containerizer()) {
      var leftovers = next.recover(id -> false).toCompletableFuture().get(60, TimeUnit.SECONDS);
      assertThat(leftovers)
          .extracting(leftover -> leftover.containerId().value())
          .contains("runs")
          .isSubsetOf("runs", "over");
      assertThat(
              leftovers.stream()
                  .filter(leftover -> leftover.containerId().equals(ContainerId.of("runs")))
                  .findFirst()
                  .orElseThrow()
                  .termination()
                  .toCompletableFuture()
                  .get(60, TimeUnit.SECONDS)
                  .signal())
          .hasValue(9);
      assertThat(next.containers()).isEmpty();
    }
    Await.until(
        "the task has ended",
        () -> !ProcessHandle.of(pid).map(ProcessHandle::isAlive).orElse(false));
    assertThat(folder.resolve("run time/containers")).isEmptyDirectory();
  }
}
