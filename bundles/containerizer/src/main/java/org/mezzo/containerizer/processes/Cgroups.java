package org.mezzo.containerizer.processes;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
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

  private final Path hierarchy;
  private final Path root;
  private final boolean unified;

  private Cgroups(Path hierarchy, Path root, boolean unified) {
    this.hierarchy = hierarchy;
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
      return works ? Optional.of(new Cgroups(hierarchy, root, unified)) : Optional.empty();
    } catch (IOException e) {
      LOG.warn(
          "Cannot make cgroups below {} ({}): a kill finds the processes of a container by their"
              + " session and environment only",
          parent,
          e.toString());
      return Optional.empty();
    }
  }

  /** Where the cgroup of a container is to be, in that of the one it is nested in. */
  Path folder(Optional<Path> outer, String name) {
    return outer.orElse(root).resolve(name);
  }

  void create(Path folder) throws IOException {
    // Another agent that shares the root may have ended and removed it.
    Files.createDirectories(root);
    Files.createDirectory(folder);
  }

  /**
   * Has a process take part in whatever cgroups another one is in, but for those that hold the
   * processes of containers: what limits a container limits those nested in it. With version 2 it
   * does by being in a cgroup of that one's.
   */
  void join(long pid, long other) throws IOException {
    if (unified) {
      return;
    }
    Map<String, String> own = memberships(pid);
    for (Map.Entry<String, String> membership : memberships(other).entrySet()) {
      String controllers = membership.getKey();
      if (!controllers.equals("freezer") && !membership.getValue().equals(own.get(controllers))) {
        Path procs =
            hierarchy
                .resolve(controllers)
                .resolve(membership.getValue().substring(1))
                .resolve("cgroup.procs");
        if (Files.exists(procs)) {
          Files.writeString(procs, Long.toString(pid));
        }
      }
    }
  }

  /** Paths of a process by controllers, without hierarchies that have none. */
  private static Map<String, String> memberships(long pid) throws IOException {
    Map<String, String> found = new HashMap<>();
    for (String line : Files.readAllLines(Path.of("/proc", Long.toString(pid), "cgroup"))) {
      String[] parts = line.split(":", 3);
      if (parts.length == 3 && !parts[1].isEmpty() && !parts[1].startsWith("name=")) {
        found.put(parts[1], parts[2]);
      }
    }
    return found;
  }

  /** Whether what limits a container has to be {@linkplain #join joined} by those in it. */
  boolean joins() {
    return !unified;
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
    return processes(folder, Set.of());
  }

  /** The same, without those in some of the cgroups below. */
  Set<Long> processes(Path folder, Set<Path> without) {
    Set<Long> pids = new TreeSet<>();
    try (var folders = Files.walk(folder)) {
      for (Path each : (Iterable<Path>) folders.filter(Files::isDirectory)::iterator) {
        if (without.stream().anyMatch(each::startsWith)) {
          continue;
        }
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

  /** Lets its processes go on, and die of what killed them. */
  void thaw(Path folder) {
    try {
      Files.writeString(freezer(folder), unified ? "0" : "THAWED");
    } catch (IOException e) {
      LOG.debug("Cannot thaw {}", folder, e);
    }
  }

  private Path freezer(Path folder) {
    return folder.resolve(unified ? "cgroup.freeze" : "freezer.state");
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
