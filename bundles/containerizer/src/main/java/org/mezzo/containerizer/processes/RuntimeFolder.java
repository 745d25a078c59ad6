package org.mezzo.containerizer.processes;

import java.io.IOException;
import java.nio.file.DirectoryNotEmptyException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import org.mezzo.containerizer.ContainerId;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Where containers have their files, and what the shims write there; see the package documentation
 * of the containerizer. Safe for any thread.
 */
final class RuntimeFolder {
  private static final String CONTAINERS = "containers";
  private static final String WITHDRAWN = "withdrawn";

  private static final Logger LOG = LoggerFactory.getLogger(RuntimeFolder.class);

  private final Path runtime;

  /** Makes it, closed to others. */
  RuntimeFolder(Path runtime) throws IOException {
    this.runtime = runtime;
    Files.createDirectories(runtime.resolve(CONTAINERS));
    Files.setPosixFilePermissions(runtime, PosixFilePermissions.fromString("rwx------"));
  }

  Path path() {
    return runtime;
  }

  /** What the launcher knows a container by: the path of its folder below that of all. */
  static String key(ContainerId id) {
    return id.parent().map(outer -> key(outer) + "/" + CONTAINERS + "/").orElse("") + id.fileName();
  }

  Path folder(ContainerId id) {
    return runtime.resolve(CONTAINERS).resolve(key(id));
  }

  /** How the first process ended; empty while it runs. */
  static OptionalInt status(Path folder) {
    try {
      Optional<String> line = line(folder.resolve("status"));
      return line.isPresent() ? OptionalInt.of(Integer.parseInt(line.get())) : OptionalInt.empty();
    } catch (NumberFormatException e) {
      return OptionalInt.empty();
    }
  }

  /** The first process; empty before it exists. */
  static Optional<ShimProcess> process(Path folder) {
    return line(folder.resolve("pid")).flatMap(ShimProcess::parse);
  }

  /** The cgroup, while it exists. */
  static Optional<Path> cgroup(Path folder) {
    return line(folder.resolve("cgroup")).map(Path::of).filter(Files::isDirectory);
  }

  static Optional<Path> sandbox(Path folder) {
    return line(folder.resolve("sandbox")).map(Path::of);
  }

  private static Optional<String> line(Path file) {
    try {
      String text = Files.readString(file);
      return text.endsWith("\n")
          ? Optional.of(text.substring(0, text.length() - 1))
          : Optional.empty();
    } catch (IOException e) {
      return Optional.empty();
    }
  }

  /**
   * Moves the files of a container away, so that a shim that has not written a pid by now never
   * starts it: it finds nothing where it would read and write. Whoever has, is in the files.
   *
   * @return where they are now
   */
  Path withdraw(ContainerId id) {
    Path aside = withdrawn(id);
    try {
      Files.createDirectories(aside.getParent());
      Files.move(folder(id), aside);
    } catch (IOException e) {
      LOG.debug("Nothing to withdraw of container {}", id, e);
    }
    return aside;
  }

  private Path withdrawn(ContainerId id) {
    return runtime.resolve(WITHDRAWN).resolve(id.path());
  }

  /** Deletes the files of a container; those of containers in it are gone before. */
  void delete(ContainerId id) throws IOException {
    delete(folder(id));
    delete(withdrawn(id));
  }

  private static void delete(Path folder) throws IOException {
    for (int attempt = 0; ; attempt++) {
      String[] names = folder.toFile().list();
      if (names == null) {
        Files.deleteIfExists(folder);
        return;
      }
      for (String name : names) {
        Path entry = folder.resolve(name);
        // One call of the kernel for what nearly everything is, a file; the rest finds out more.
        if (!entry.toFile().delete()) {
          if (Files.isDirectory(entry, LinkOption.NOFOLLOW_LINKS)) {
            delete(entry);
          } else {
            Files.deleteIfExists(entry);
          }
        }
      }
      try {
        Files.deleteIfExists(folder);
        return;
      } catch (DirectoryNotEmptyException e) {
        // A shim that is just ending has written its last.
        if (attempt == 2) {
          throw e;
        }
      }
    }
  }

  /** Containers that have a folder, an outer one before those in it. */
  List<ContainerId> present() throws IOException {
    List<ContainerId> found = new ArrayList<>();
    collect(runtime.resolve(CONTAINERS), Optional.empty(), found);
    return found;
  }

  private static void collect(Path folder, Optional<ContainerId> parent, List<ContainerId> found)
      throws IOException {
    try (DirectoryStream<Path> entries = Files.newDirectoryStream(folder)) {
      for (Path entry : entries) {
        Optional<String> value = value(entry.getFileName().toString());
        if (value.isPresent()) {
          ContainerId id = new ContainerId(value.get(), parent);
          found.add(id);
          collect(entry.resolve(CONTAINERS), Optional.of(id), found);
        }
      }
    } catch (NoSuchFileException e) {
      // Most containers have none in them.
    }
  }

  /** What {@link ContainerId#fileName} wrote; empty when it did not. */
  static Optional<String> value(String fileName) {
    java.io.ByteArrayOutputStream bytes = new java.io.ByteArrayOutputStream();
    try {
      for (int i = 0; i < fileName.length(); i++) {
        char c = fileName.charAt(i);
        if (c == '%') {
          bytes.write(Integer.parseInt(fileName.substring(i + 1, i + 3), 16));
          i += 2;
        } else {
          bytes.write(c);
        }
      }
      String value = bytes.toString(java.nio.charset.StandardCharsets.UTF_8);
      return ContainerId.of(value).fileName().equals(fileName)
          ? Optional.of(value)
          : Optional.empty();
    } catch (RuntimeException e) {
      return Optional.empty();
    }
  }
}
