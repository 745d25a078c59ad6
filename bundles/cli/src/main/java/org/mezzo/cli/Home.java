package org.mezzo.cli;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.zip.ZipEntry;
import java.util.zip.ZipFile;
import org.mezzo.flags.FlagDefinitions;

/** The folder of an unpacked distribution. */
record Home(Path directory) {

  /** The distribution that {@code bin/mezzo} belongs to. */
  static Home ofThisProcess() {
    String home = System.getProperty("mezzo.home");
    if (home == null) {
      throw new IllegalStateException("The system property mezzo.home is not set: use bin/mezzo");
    }
    return new Home(Path.of(home).toAbsolutePath().normalize());
  }

  Path system() {
    return directory.resolve("system");
  }

  Path modules() {
    return directory.resolve("modules");
  }

  /** What was in {@link #modules} when the distribution was made: lines of SHA-256 and name. */
  Path shippedModules() {
    return directory.resolve("lib").resolve("modules.sha256");
  }

  Path etc() {
    return directory.resolve("etc");
  }

  /** The flags of a daemon, which its bundle carries. */
  FlagDefinitions definitions(Role role) {
    String name = "mezzo-" + role.daemon() + "-*.jar";
    try (DirectoryStream<Path> levels = Files.newDirectoryStream(system())) {
      for (Path level : levels) {
        try (DirectoryStream<Path> jars = Files.newDirectoryStream(level, name)) {
          for (Path jar : jars) {
            return definitions(jar);
          }
        }
      }
    } catch (IOException e) {
      throw new UncheckedIOException("The distribution " + directory + " cannot be read", e);
    }
    throw new IllegalStateException("There is no " + name + " below " + system());
  }

  private static FlagDefinitions definitions(Path jar) throws IOException {
    try (ZipFile zip = new ZipFile(jar.toFile())) {
      ZipEntry entry = zip.getEntry(FlagDefinitions.RESOURCE);
      if (entry == null) {
        throw new IllegalStateException(jar + " has no " + FlagDefinitions.RESOURCE);
      }
      try (InputStream table = zip.getInputStream(entry)) {
        return FlagDefinitions.read(table);
      }
    }
  }
}
