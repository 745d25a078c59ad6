package org.mezzo.containerizer.processes;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One cgroup per container that holds all its processes, so that a kill misses none: a cgroup of
 * version 2, also where that hierarchy is only mounted beside those of version 1 and limits
 * nothing, else a freezer of version 1. A process can be born into the former; to be moved into the
 * latter costs an idle machine many milliseconds.
 */
final class Cgroups {
  private static final Logger LOG = LoggerFactory.getLogger(Cgroups.class);

  /** Where systems that use version 1 mount version 2 as well. */
  private static final String BESIDE = "unified";

  private static final String FREEZE = "cgroup.freeze";

  /** Links of a folder without folders: its name, and its own. */
  private static final int EMPTY_LINKS = 2;

  private final Path hierarchy;
  private final Path root;
  private final boolean joins;

  private Cgroups(Path hierarchy, Path root, boolean joins) {
    this.hierarchy = hierarchy;
    this.root = root;
    this.joins = joins;
  }

  /** Empty when cgroups are not mounted or this process may not make any. */
  static Optional<Cgroups> find(Path hierarchy, String rootName) {
    if (isUnified(hierarchy)) {
      return usable(hierarchy, rootName).map(root -> new Cgroups(hierarchy, root, false));
    }
    Optional<Path> beside =
        isUnified(hierarchy.resolve(BESIDE))
            ? usable(hierarchy.resolve(BESIDE), rootName)
            : Optional.empty();
    return beside
        .or(() -> usable(hierarchy.resolve("freezer"), rootName))
        .map(root -> new Cgroups(hierarchy, root, true));
  }

  private static boolean isUnified(Path mount) {
    return Files.exists(mount.resolve("cgroup.controllers"));
  }

  /** A folder for the cgroups of containers, if they can be made there. */
  private static Optional<Path> usable(Path parent, String rootName) {
    if (!Files.isRegularFile(parent.resolve("cgroup.procs"))) {
      return Optional.empty();
    }
    try {
      Path root = Files.createDirectories(parent.resolve(rootName));
      Path probe = Files.createTempDirectory(root, "probe");
      boolean works =
          Files.isWritable(probe.resolve("cgroup.procs")) && Files.isWritable(freezer(probe));
      Files.delete(probe);
      return works ? Optional.of(root) : Optional.empty();
    } catch (IOException e) {
      LOG.warn(
          "Cannot make cgroups below {} ({}): where there is nothing else, a kill finds the"
              + " processes of a container by their session and environment only",
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
    try {
      Files.createDirectory(folder);
    } catch (NoSuchFileException e) {
      // Another agent that shares the root has ended and removed it.
      Files.createDirectories(root);
      Files.createDirectory(folder);
    }
  }

  /**
   * Has a process take part in whatever cgroups another one is in, but for those that hold the
   * processes of containers: what limits a container limits those nested in it. Where version 2
   * limits, it does by being in a cgroup of that one's.
   */
  void join(long pid, long other) throws IOException {
    if (!joins) {
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
    return joins;
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
    try {
      for (Path each : tree(folder)) {
        if (!without.isEmpty() && without.stream().anyMatch(each::startsWith)) {
          continue;
        }
        Files.readString(each.resolve("cgroup.procs"), StandardCharsets.ISO_8859_1)
            .lines()
            .forEach(line -> pids.add(Long.parseLong(line)));
      }
    } catch (IOException | UncheckedIOException | NumberFormatException e) {
      return pids;
    }
    pids.remove(0L);
    return pids;
  }

  /**
   * A cgroup and those below, outer ones first. Each folder has some twenty files, which need not
   * be looked at where its links tell that it has no folder.
   */
  private static List<Path> tree(Path folder) throws IOException {
    if ((int) Files.getAttribute(folder, "unix:nlink") == EMPTY_LINKS) {
      return List.of(folder);
    }
    try (Stream<Path> files = Files.walk(folder)) {
      return files.filter(Files::isDirectory).toList();
    }
  }

  /** Kills every process of the cgroup and below at once; false where the kernel cannot. */
  boolean kill(Path folder) {
    Path kill = folder.resolve("cgroup.kill");
    if (!Files.exists(kill)) {
      return false;
    }
    try {
      Files.writeString(kill, "1");
      return true;
    } catch (IOException e) {
      LOG.debug("Cannot kill {}", folder, e);
      return false;
    }
  }

  /** Stops every process of the cgroup, so that none is born while they are being listed. */
  void freeze(Path folder) {
    try {
      Path freezer = freezer(folder);
      Files.writeString(freezer, freezer.endsWith(FREEZE) ? "1" : "FROZEN");
    } catch (IOException e) {
      LOG.debug("Cannot freeze {}", folder, e);
    }
  }

  /** Lets its processes go on, and die of what killed them. */
  void thaw(Path folder) {
    try {
      Path freezer = freezer(folder);
      Files.writeString(freezer, freezer.endsWith(FREEZE) ? "0" : "THAWED");
    } catch (IOException e) {
      LOG.debug("Cannot thaw {}", folder, e);
    }
  }

  /** That of containers of an earlier process may be of the other version. */
  private static Path freezer(Path folder) {
    Path freeze = folder.resolve(FREEZE);
    return Files.exists(freeze) ? freeze : folder.resolve("freezer.state");
  }

  /** Whether the cgroup is gone; it stays as long as it holds a process. */
  boolean remove(Path folder) {
    try {
      List<Path> outerFirst = tree(folder);
      for (int i = outerFirst.size() - 1; i >= 0; i--) {
        Files.delete(outerFirst.get(i));
      }
      return true;
    } catch (NoSuchFileException e) {
      return true;
    } catch (IOException | UncheckedIOException e) {
      return !Files.exists(folder);
    }
  }
}
