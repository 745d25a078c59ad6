package org.mezzo.containerizer.processes;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.mezzo.containerizer.LauncherChoice;
import org.mezzo.containerizer.LauncherChoice.Kind;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Which launcher an agent has. */
final class Launchers {
  private static final Logger LOG = LoggerFactory.getLogger(Launchers.class);

  private Launchers() {}

  /**
   * Opens the one that is chosen; without a choice the native one where its program is there and
   * passes its test of itself, else the shell.
   *
   * @throws IOException when it cannot be opened; when the native one was chosen, with the reason
   *     and the remedy
   */
  static Launcher open(
      LauncherChoice choice, Path runtime, SystemTools tools, Launcher.Listener listener)
      throws IOException {
    if (choice.kind().equals(Optional.of(Kind.SHELL))) {
      return shell(runtime, tools, listener, "--launcher says so");
    }
    Optional<String> obstacle = obstacle(choice);
    if (obstacle.isEmpty()) {
      return new NativeLauncher(runtime, choice.program().orElseThrow(), tools.shell(), listener);
    }
    if (choice.kind().isPresent()) {
      throw new IOException(
          "There is no native launcher: "
              + obstacle.get()
              + ". Take another distribution or --launcher_dir, or --launcher=shell");
    }
    return shell(runtime, tools, listener, obstacle.get());
  }

  /** Why the native one cannot be used. */
  private static Optional<String> obstacle(LauncherChoice choice) {
    if (choice.program().isEmpty()) {
      return Optional.of("nothing says where its program is");
    }
    Path program = choice.program().get();
    if (!Files.isExecutable(program)) {
      return Optional.of(program + " is not there");
    }
    return SystemTools.succeeds(List.of(program.toString(), "self-test"))
        ? Optional.empty()
        : Optional.of("'" + program + " self-test' fails");
  }

  private static Launcher shell(
      Path runtime, SystemTools tools, Launcher.Listener listener, String why) throws IOException {
    LOG.info(
        "A shell launches containers, because {}. Beside the native launcher it takes several times"
            + " the processor time for each, does not itself end what a dead shim leaves, gives no"
            + " terminal, lets nobody attach to a container, rotates no output and does not listen"
            + " to the kernel, so that memory cgroups of version 1 are looked at ten times a"
            + " second",
        why);
    return new ShellLauncher(runtime, tools, listener);
  }
}
