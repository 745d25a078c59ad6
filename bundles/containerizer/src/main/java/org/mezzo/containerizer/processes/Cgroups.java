package org.mezzo.containerizer.processes;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One cgroup per container that holds all its processes, so that a kill misses none: a freezer of
 * version 1, or a cgroup of version 2.
 */
final class Cgroups {
  private static final Logger LOG = LoggerFactory.getLogger(Cgroups.class);

  private final Path root;
  private final boolean unified;

  private Cgroups(Path root, boolean unified) {
    this.root = root;
    this.unified = unified;
  }

  /** Empty when cgroups are not mounted or this process may not make any. */
  static Optional<Cgroups> find(Path hierarchy, String rootName) {
    boolean unified = Files.exists(hierarchy.resolve("cgroup.controllers"));
    Path parent = unified ? hierarchy : hierarchy.resolve("freezer");
    if (!Files.isRegularFile(parent.resolve("cgroup.procs"))) {
      return Optional.empty();
    }
    try {
      Path root = Files.createDirectories(parent.resolve(rootName));
      Path probe = Files.createTempDirectory(root, "probe");
      boolean works = Files.isWritable(probe.resolve("cgroup.procs"));
      Files.delete(probe);
      return works ? Optional.of(new Cgroups(root, unified)) : Optional.empty();
    } catch (IOException e) {
      LOG.warn(
          "Cannot make cgroups below {} ({}): a kill finds the processes of a container by their"
              + " session and environment only",
          parent,
          e.toString());
      return Optional.empty();
    }
  }

  Path create(String containerId) throws IOException {
    Path folder = root.resolve(containerId);
    // Another agent that shares the root may have ended and removed it.
    Files.createDirectories(root);
    Files.createDirectory(folder);
    return folder;
  }

  /** Removes what holds the cgroups of containers, unless there is one, of any agent. */
  void close() {
    try {
      Files.deleteIfExists(root);
    } catch (IOException e) {
      LOG.debug("{} stays: {}", root, e.toString());
    }
  }

  /** Every process in the cgroup and below; empty when it does not exist. */
  Set<Long> processes(Path folder) {
    Set<Long> pids = new TreeSet<>();
    try (var folders = Files.walk(folder)) {
      for (Path each : (Iterable<Path>) folders.filter(Files::isDirectory)::iterator) {
        for (String line : Files.readAllLines(each.resolve("cgroup.procs"))) {
          pids.add(Long.parseLong(line.trim()));
        }
      }
    } catch (IOException | java.io.UncheckedIOException | NumberFormatException e) {
      return pids;
    }
    pids.remove(0L);
    return pids;
  }

  /** Stops every process of the cgroup, so that none is born while they are being listed. */
  void freeze(Path folder) {
    try {
      Files.writeString(freezer(folder), unified ? "1" : "FROZEN");
    } catch (IOException e) {
      LOG.debug("Cannot freeze {}", folder, e);
    }
  }

  /** The file that thaws the cgroup when {@link #thaw} is written into it. */
  Path freezer(Path folder) {
    return folder.resolve(unified ? "cgroup.freeze" : "freezer.state");
  }

  String thaw() {
    return unified ? "0" : "THAWED";
  }

  /** Whether the cgroup is gone; it stays as long as it holds a process. */
  boolean remove(Path folder) {
    try (var folders = Files.walk(folder)) {
      for (Path each :
          folders.filter(Files::isDirectory).sorted(java.util.Comparator.reverseOrder()).toList()) {
        Files.delete(each);
      }
      return true;
    } catch (NoSuchFileException e) {
      return true;
    } catch (IOException | java.io.UncheckedIOException e) {
      return !Files.exists(folder);
    }
  }
}
