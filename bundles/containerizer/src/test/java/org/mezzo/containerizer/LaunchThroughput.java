package org.mezzo.containerizer;

import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.mezzo.protocol.v1.CommandInfo;

/** Prints how many short containers end per second, how long one takes, and what a shim weighs. */
public final class LaunchThroughput {
  private LaunchThroughput() {}

  /** Arguments: how many containers (500), which command ({@code true}). */
  public static void main(String[] arguments) throws Exception {
    int count = arguments.length > 0 ? Integer.parseInt(arguments[0]) : 500;
    String text = arguments.length > 1 ? arguments[1] : "true";
    Path folder = Files.createTempDirectory("mezzo-throughput");
    Containerizer containerizer = new FakeAgent(folder).containerizer();
    CommandInfo command = CommandInfo.newBuilder().setShell(true).setValue(text).build();
    for (int round = 0; round < 3; round++) {
      long begin = System.nanoTime();
      List<CompletableFuture<Termination>> ends = new ArrayList<>();
      for (int i = 0; i < count; i++) {
        ends.add(launch(containerizer, folder, command, new long[2]));
      }
      for (CompletableFuture<Termination> end : ends) {
        end.get(60, TimeUnit.SECONDS);
      }
      double seconds = (System.nanoTime() - begin) / 1e9;
      System.out.printf(
          "%d containers: %.2f s, %.0f per second%n", count, seconds, count / seconds);
    }
    long[] starts = new long[100];
    long[] finishes = new long[100];
    for (int i = 0; i < starts.length; i++) {
      long begin = System.nanoTime();
      long[] at = new long[2];
      launch(containerizer, folder, command, at).get(60, TimeUnit.SECONDS);
      finishes[i] = System.nanoTime() - begin;
      starts[i] = at[0] - begin;
      Thread.sleep(5);
    }
    Arrays.sort(starts);
    Arrays.sort(finishes);
    System.out.printf(
        "one at a time: started p50 %.1f ms, p99 %.1f ms; ended p50 %.1f ms, p99 %.1f ms%n",
        starts[50] / 1e6, starts[99] / 1e6, finishes[50] / 1e6, finishes[99] / 1e6);

    launch(
        containerizer,
        folder,
        CommandInfo.newBuilder().setShell(true).setValue("sleep 60").build(),
        new long[2]);
    Thread.sleep(500);
    long pid =
        Long.parseLong(
            Files.readString(
                    folder
                        .resolve("run time/containers")
                        .resolve(containerizer.containers().iterator().next().value())
                        .resolve("pid"))
                .split(" ")[0]);
    long shim = ProcessHandle.of(pid).flatMap(ProcessHandle::parent).orElseThrow().pid();
    for (String line : Files.readAllLines(Path.of("/proc/" + shim + "/smaps_rollup"))) {
      if (line.startsWith("Pss:") || line.startsWith("Rss:")) {
        System.out.println("shim " + line);
      }
    }
    containerizer.close(Duration.ofSeconds(5));
    System.out.println("left in " + folder);
  }

  private static CompletableFuture<Termination> launch(
      Containerizer containerizer, Path folder, CommandInfo command, long[] at) {
    String id = UUID.randomUUID().toString();
    return containerizer
        .launch(LaunchRequest.builder(ContainerId.of(id), command, folder.resolve(id)).build())
        .thenCompose(
            launched -> {
              at[0] = System.nanoTime();
              return launched.termination();
            })
        .toCompletableFuture();
  }
}
