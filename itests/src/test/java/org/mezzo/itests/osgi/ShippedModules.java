package org.mezzo.itests.osgi;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;

/** The distribution's {@code modules/}, copied so that a test may change it. */
public final class ShippedModules {
  private ShippedModules() {}

  /** The folder, which goes with the test. */
  public static Path copy() throws IOException {
    Path copy = BuildFolders.create("modules");
    Path shipped = Path.of(System.getProperty("mezzo.distribution"), "modules");
    try (Stream<Path> jars = Files.list(shipped)) {
      for (Path jar : jars.filter(file -> file.toString().endsWith(".jar")).toList()) {
        Files.copy(jar, copy.resolve(jar.getFileName()));
      }
    }
    return BuildFolders.goneAtExit(copy);
  }
}
