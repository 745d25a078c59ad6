package org.mezzo.containerizer.processes;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Semaphore;
import org.mezzo.api.isolator.CgroupWatch;
import org.mezzo.api.isolator.LaunchPlan;
import org.mezzo.api.logger.LogPlan;
import org.mezzo.containerizer.ContainerIo;
import org.mezzo.protocol.v1.CommandInfo;

/**
 * Prints how long each launcher takes from being asked for {@code true} to the report of its end,
 * beside {@code posix_spawn} of the same on the same machine in the same run. Arguments: how many,
 * the native launcher, the program that measures {@code posix_spawn}.
 */
public final class LauncherRate {
  private static final int AT_ONCE = 8;
  private static final int WARM = 300;
  private static final int ROUNDS = 3;

  private static final LogPlan ROTATED =
      LogPlan.rotated(new LogPlan.Rotation(10 << 20, 4), new LogPlan.Rotation(10 << 20, 4));

  private LauncherRate() {}

  /** Counts ends. */
  private static final class Ends implements Launcher.Listener {
    final Semaphore free = new Semaphore(0);

    @Override
    public void started(String key, ShimProcess process) {}

    @Override
    public void exited(String key, long pid, int waitStatus) {
      if (waitStatus != 0) {
        failed(key, "ended with " + waitStatus);
      }
      free.release();
    }

    @Override
    public void failed(String key, String reason) {
      System.err.println(key + " " + reason);
      free.release();
    }

    @Override
    public void lost() {
      System.err.println("The launcher was lost");
    }

    @Override
    public void lost(String key, String reason) {
      failed(key, reason);
    }

    @Override
    public void helperLost(String key, String reason) {
      failed(key, reason);
    }

    @Override
    public void memory(Path cgroup, CgroupWatch.News news) {
      throw new IllegalStateException("Nothing is watched here");
    }
  }

  public static void main(String[] arguments) throws Exception {
    int count = Integer.parseInt(arguments[0]);
    System.out.printf("ms for each of %d%n%-14s %12s %12s%n", count, "", "one by one", "8 at once");
    for (int round = 0; round < ROUNDS; round++) {
      System.out.printf(
          "%-14s %12s %12s%n",
          "posix_spawn", spawn(arguments[2], count, 1), spawn(arguments[2], count, AT_ONCE));
      for (String kind : new String[] {"native", "rotating", "shell"}) {
        Path runtime = Files.createTempDirectory("mezzo-rate");
        Files.createDirectories(runtime.resolve("containers"));
        Ends ends = new Ends();
        SystemTools tools = SystemTools.find(Path.of("/bin/sh"));
        Launcher launcher =
            kind.equals("shell")
                ? new ShellLauncher(runtime, tools, ends)
                : new NativeLauncher(runtime, Path.of(arguments[1]), tools.shell(), ends);
        LogPlan logs = kind.equals("rotating") ? ROTATED : LogPlan.FILES;
        run(launcher, ends, runtime, "w", WARM, AT_ONCE, logs);
        double alone = run(launcher, ends, runtime, "a", count, 1, logs);
        double together = run(launcher, ends, runtime, "t", count, AT_ONCE, logs);
        System.out.printf("%-14s %12.3f %12.3f%n", kind, alone, together);
        launcher.close(false);
      }
    }
  }

  private static String spawn(String program, int count, int atOnce) throws Exception {
    Process process =
        new ProcessBuilder(
                program, Integer.toString(count), Integer.toString(atOnce), "/bin/sh", "-c", "true")
            .redirectError(ProcessBuilder.Redirect.INHERIT)
            .start();
    String took = new String(process.getInputStream().readAllBytes(), StandardCharsets.US_ASCII);
    return took.substring(0, took.indexOf(' '));
  }

  private static double run(
      Launcher launcher, Ends ends, Path runtime, String name, int count, int atOnce, LogPlan logs)
      throws Exception {
    Launcher.Start[] starts = new Launcher.Start[count];
    Arrays.setAll(starts, i -> start(runtime, name + i, logs));
    ends.free.release(atOnce);
    long begin = System.nanoTime();
    for (Launcher.Start start : starts) {
      ends.free.acquire();
      launcher.launch(start);
    }
    ends.free.acquire(atOnce);
    return (System.nanoTime() - begin) / 1e6 / count;
  }

  private static Launcher.Start start(Path runtime, String key, LogPlan logs) {
    try {
      Path folder = Files.createDirectory(runtime.resolve("containers").resolve(key));
      return new Launcher.Start(
          key,
          folder,
          folder,
          CommandInfo.newBuilder().setShell(true).setValue("true").build(),
          Map.of("PATH", SystemTools.DEFAULT_PATH),
          Optional.empty(),
          LaunchPlan.NONE,
          Optional.empty(),
          false,
          ContainerIo.FILES,
          logs,
          Optional.empty(),
          Mounting.NONE);
    } catch (IOException e) {
      throw new java.io.UncheckedIOException(e);
    }
  }
}
