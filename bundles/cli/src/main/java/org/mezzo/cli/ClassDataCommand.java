package org.mezzo.cli;

import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import org.mezzo.host.HostException;
import org.mezzo.host.HostLog;
import picocli.CommandLine.Command;

/**
 * Runs a cluster for a moment. {@code bin/mezzo} starts it with a JVM that writes down the classes
 * which were loaded, so that later starts need not look for them and check them again.
 */
@Command(
    name = "class-data",
    hidden = true,
    description = "Make the class data archive, which shortens later starts.")
final class ClassDataCommand implements Callable<Integer> {
  @Override
  public Integer call() throws Exception {
    HostLog.configure(true, false, "WARN", Optional.empty(), Boot.LIBRARIES);
    try (TemporaryFolder folder = TemporaryFolder.create("mezzo-class-data-")) {
      Path work = folder.path().resolve("work");
      Places places = new Places(work, folder.path().resolve("run"));
      try (LocalCluster cluster =
          LocalCluster.plan(Home.ofThisProcess(), work, places, 0, 1, List.of())
              .start(ShellOptions.none(), true)) {
        cluster.awaitReady(Duration.ofSeconds(60), progress -> {});
      } catch (HostException e) {
        System.err.println("mezzo: the archive will be a smaller one: " + e.getMessage());
      }
    }
    return 0;
  }
}
