package org.mezzo.itests.osgi;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;

/**
 * New folders for jars that a test builds, in the folder of the build: what lies in the system's
 * folder for temporary files may be swept away by others while a test runs.
 */
public final class BuildFolders {
  private BuildFolders() {}

  public static Path create(String name) throws IOException {
    Path base = Files.createDirectories(Path.of(System.getProperty("mezzo.build"), "jars"));
    return Files.createTempDirectory(base, name).toAbsolutePath();
  }

  /** Deletes a folder with all that it holds now when the test's process ends. */
  public static Path goneAtExit(Path folder) throws IOException {
    folder.toFile().deleteOnExit();
    try (Stream<Path> jars = Files.list(folder)) {
      jars.forEach(jar -> jar.toFile().deleteOnExit());
    }
    return folder;
  }
}
