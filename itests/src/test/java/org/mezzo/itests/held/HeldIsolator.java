package org.mezzo.itests.held;

import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import org.mezzo.api.DaemonContext;
import org.mezzo.api.isolator.Container;
import org.mezzo.api.isolator.Isolator;
import org.mezzo.api.isolator.LaunchPlan;
import org.mezzo.api.isolator.RecoveredContainer;
import org.mezzo.itests.held.Hold.Step;

/**
 * Leaves a file for each container, which outlives the agent, as cgroups do. Goes into test
 * bundles.
 */
public final class HeldIsolator implements Isolator {
  /** The folder of the files, in the agent's runtime directory. */
  public static final String MARKS = "held-marks";

  /** The variable that tells a task which version has prepared it. */
  public static final String VARIABLE = "HELD_VERSION";

  private Path marks;

  @Override
  public void open(DaemonContext context) throws IOException {
    Hold.at(context.rehearsal() ? Step.REHEARSED : Step.OPENED);
    marks = Files.createDirectories(context.runtimeDir().resolve(MARKS));
  }

  @Override
  public void recover(List<RecoveredContainer> containers) throws IOException {
    Hold.at(Step.TAKING_OVER);
    Set<String> there =
        containers.stream().map(it -> it.container().id()).collect(Collectors.toSet());
    try (DirectoryStream<Path> files = Files.newDirectoryStream(marks)) {
      for (Path file : files) {
        if (!there.contains(file.getFileName().toString())) {
          Files.delete(file);
        }
      }
    }
  }

  @Override
  public LaunchPlan prepare(Container container) throws IOException {
    Files.writeString(marks.resolve(container.id()), Hold.version());
    Hold.at(Step.CALLED);
    return LaunchPlan.environment(Map.of(VARIABLE, Hold.version()));
  }

  @Override
  public void isolate(Container container, long pid) throws IOException {
    if (!Files.exists(marks.resolve(container.id()))) {
      throw new IOException("container " + container.id() + " is not known");
    }
  }

  @Override
  public void cleanup(Container container) throws IOException {
    Files.deleteIfExists(marks.resolve(container.id()));
  }
}
