package org.mezzo.containerizer;

import java.nio.file.Path;
import java.util.Optional;

/**
 * What starts the processes of containers ({@code --launcher}, {@code --launcher_dir}). Immutable.
 *
 * @param kind empty for the native one where there is one that works, else the shell
 * @param program the native launcher's; empty when nobody knows of one
 */
public record LauncherChoice(Optional<Kind> kind, Optional<Path> program) {

  /** The launchers that there are. */
  public enum Kind {
    NATIVE,
    SHELL
  }

  /** The shell, which is always there. */
  public static final LauncherChoice SHELL =
      new LauncherChoice(Optional.of(Kind.SHELL), Optional.empty());

  /**
   * The program that makes connections in the networks of containers: the native launcher's, unless
   * the shell was chosen.
   */
  public Optional<Path> relay() {
    return kind.equals(Optional.of(Kind.SHELL)) ? Optional.empty() : program;
  }

  /**
   * Where a distribution has the program for this machine.
   *
   * @param libraries a folder like {@code lib/native}
   */
  public static Path programIn(Path libraries) {
    String architecture = System.getProperty("os.arch");
    return libraries
        .resolve("linux-" + (architecture.equals("amd64") ? "x86_64" : architecture))
        .resolve("mezzo-launcher");
  }
}
