package org.mezzo.containerizer;

import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;

/** The native launcher, as it was built before these tests. */
final class NativeLaunchers {
  private static final Path PROGRAM =
      LauncherChoice.programIn(Path.of("../native/target/native")).toAbsolutePath().normalize();

  private NativeLaunchers() {}

  /** Skips the test where there was no compiler. */
  static LauncherChoice built() {
    assumeTrue(Files.isExecutable(PROGRAM), PROGRAM + " was not built: there is no C compiler");
    return new LauncherChoice(Optional.of(LauncherChoice.Kind.NATIVE), Optional.of(PROGRAM));
  }
}
