package org.mezzo.itests.chaos;

import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** What the files below the runtime directory of an agent say of its containers. */
final class RunningContainers {
  private final Path runtime;

  RunningContainers(Path runtime) {
    this.runtime = runtime;
  }

  /**
   * A container with a first process and a shim above it, each with its start time.
   *
   * @param executor the id of the executor in whose sandbox it is
   */
  record One(String id, String executor, long pid, long started, long shim, long shimStarted) {}

  /** Those that have a process. */
  List<One> all() {
    List<One> found = new ArrayList<>();
    collect(runtime.resolve("containers"), found);
    return found;
  }

  private static void collect(Path folder, List<One> found) {
    try (DirectoryStream<Path> entries = Files.newDirectoryStream(folder)) {
      for (Path entry : entries) {
        read(entry).ifPresent(found::add);
        collect(entry.resolve("containers"), found);
      }
    } catch (IOException e) {
      // There is none in it, or it has just ended.
    }
  }

  private static Optional<One> read(Path folder) {
    try {
      String[] words = Files.readString(folder.resolve("pid")).strip().split(" ");
      Path sandbox = Path.of(Files.readString(folder.resolve("sandbox")).strip());
      return executor(sandbox)
          .map(
              executor ->
                  new One(
                      folder.getFileName().toString(),
                      executor,
                      Long.parseLong(words[0]),
                      Long.parseLong(words[1]),
                      Long.parseLong(words[2]),
                      Long.parseLong(words[3])));
    } catch (IOException | RuntimeException e) {
      return Optional.empty();
    }
  }

  private static Optional<String> executor(Path sandbox) {
    for (int i = 0; i < sandbox.getNameCount() - 1; i++) {
      if (sandbox.getName(i).toString().equals("executors")) {
        return Optional.of(sandbox.getName(i + 1).toString());
      }
    }
    return Optional.empty();
  }

  /** The process that makes containers, natively or by a shell; empty while there is none. */
  Optional<Processes.One> spawner() {
    try {
      long pid = Long.parseLong(Files.readString(runtime.resolve("launcher.pid")).strip());
      Optional<Processes.One> shell =
          Processes.find(pid).filter(one -> one.command().contains(runtime.toString()));
      if (shell.isPresent()) {
        return shell;
      }
    } catch (IOException | NumberFormatException e) {
      // It is not a shell.
    }
    return spawners().stream().findFirst();
  }

  /** Native ones of this runtime directory. */
  List<Processes.One> spawners() {
    return named("mezzo-spawner");
  }

  /** Native shims of this runtime directory. */
  List<Processes.One> shims() {
    return named("mezzo-shim");
  }

  private List<Processes.One> named(String name) {
    return Processes.all().stream()
        .filter(one -> one.name().equals(name) && one.state() != 'Z')
        .filter(one -> one.command().contains(runtime.toString()))
        .toList();
  }

  /** Folders of containers that are still there, given up ones included. */
  List<Path> folders() {
    List<Path> found = new ArrayList<>();
    for (String name : List.of("containers", "withdrawn")) {
      try (DirectoryStream<Path> entries = Files.newDirectoryStream(runtime.resolve(name))) {
        entries.forEach(found::add);
      } catch (IOException e) {
        // There never was one.
      }
    }
    return found;
  }
}
