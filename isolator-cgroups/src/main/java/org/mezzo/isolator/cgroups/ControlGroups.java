package org.mezzo.isolator.cgroups;

import java.io.IOException;
import java.nio.file.DirectoryNotEmptyException;
import java.nio.file.DirectoryStream;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import org.mezzo.api.DaemonContext;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The cgroups that one isolator made below {@code <mount>/<cgroups_root>}. Several agents may share
 * that root, so each keeps a list of its own: an empty file per container in its runtime directory,
 * written before the cgroup is made and deleted after it is gone.
 */
final class ControlGroups {
  private static final Logger LOG = LoggerFactory.getLogger(ControlGroups.class);
  private static final int REMOVALS = 50;
  private static final long REMOVAL_PAUSE_MILLIS = 20;
  private static final long AGAIN_MILLIS = 1_000;

  private final Hierarchy hierarchy;
  private final Path root;
  private final Path records;
  private final String controller;

  /** Containers whose cgroups still held processes when they were to go. */
  private final Set<String> remaining = ConcurrentHashMap.newKeySet();

  /** Has no thread while nothing remains. */
  private final ScheduledThreadPoolExecutor again;

  private ControlGroups(
      Hierarchy hierarchy, Path root, Path records, String controller, String daemon) {
    this.hierarchy = hierarchy;
    this.root = root;
    this.records = records;
    this.controller = controller;
    again =
        new ScheduledThreadPoolExecutor(
            1,
            task -> {
              Thread thread = new Thread(task, daemon + "-" + controller + "-cgroups");
              thread.setDaemon(true);
              return thread;
            },
            new ThreadPoolExecutor.DiscardPolicy());
    again.setKeepAliveTime(10, TimeUnit.SECONDS);
    again.allowCoreThreadTimeOut(true);
    again.setExecuteExistingDelayedTasksAfterShutdownPolicy(false);
  }

  /**
   * Finds the controller and makes the root cgroup.
   *
   * @throws IOException when the controller is not mounted or this process may not use it; the
   *     message names the remedy
   */
  static ControlGroups open(DaemonContext context, Path mountInfo, String controller)
      throws IOException {
    String isolator = "cgroups/" + (controller.equals("memory") ? "mem" : controller);
    String remedy =
        "; or take '" + isolator + "' out of --isolation to run containers without this limit";
    Path preferred = Path.of(context.flags().getOrDefault("cgroups_hierarchy", "/sys/fs/cgroup"));
    Hierarchy hierarchy =
        Hierarchy.find(mountInfo, controller, preferred)
            .orElseThrow(
                () ->
                    new IOException(
                        "No cgroup hierarchy with the controller '"
                            + controller
                            + "' is mounted: mount one (version 1: mount -t cgroup -o "
                            + controller
                            + " cgroup "
                            + preferred.resolve(controller)
                            + ", version 2: mount -t cgroup2 none "
                            + preferred
                            + ")"
                            + remedy));
    Path root =
        hierarchy
            .mount()
            .resolve(context.flags().getOrDefault("cgroups_root", "mesos"))
            .normalize();
    if (!root.startsWith(hierarchy.mount()) || root.equals(hierarchy.mount())) {
      throw new IOException(
          "--cgroups_root must name a cgroup below " + hierarchy.mount() + ", not " + root);
    }
    try {
      makeRoot(hierarchy, root, controller);
      if (!Files.isWritable(root)) {
        throw new IOException("it is not writable");
      }
    } catch (IOException e) {
      throw new IOException(
          "Cannot make cgroups in "
              + root
              + " ("
              + ControlGroup.reason(e)
              + "): run the agent as root or give its account that folder"
              + remedy,
          e);
    }
    Path records = context.runtimeDir().resolve("isolators").resolve(isolator.replace('/', '-'));
    Files.createDirectories(records);
    return new ControlGroups(hierarchy, root, records, controller, context.daemon());
  }

  private static void makeRoot(Hierarchy hierarchy, Path root, String controller)
      throws IOException {
    Files.createDirectories(root);
    if (hierarchy.unified()) {
      delegate(root, hierarchy.mount(), controller);
    }
  }

  /** Lets the children of every cgroup from the mount down to {@code folder} use the controller. */
  private static void delegate(Path folder, Path mount, String controller) throws IOException {
    if (!folder.equals(mount)) {
      delegate(folder.getParent(), mount, controller);
    }
    ControlGroup group = new ControlGroup(folder, true);
    String enabled = ControlGroup.text(folder, "cgroup.subtree_control").orElse("");
    if (!Set.of(enabled.strip().split(" ")).contains(controller)) {
      group.write("cgroup.subtree_control", "+" + controller);
    }
  }

  boolean unified() {
    return hierarchy.unified();
  }

  /** The cgroup of a container, whether it exists or not. */
  ControlGroup get(String containerId) {
    return new ControlGroup(root.resolve(containerId), hierarchy.unified());
  }

  boolean exists(String containerId) {
    return Files.isDirectory(root.resolve(containerId));
  }

  ControlGroup create(String containerId) throws IOException {
    ControlGroup group = get(containerId);
    Path record = records.resolve(containerId);
    // Another agent that shares the root may have ended and removed it.
    makeRoot(hierarchy, root, controller);
    if (hierarchy.unified() && exists(containerId)) {
      // Shared with other isolators and the one that kills: whoever made it removes it, as the last
      // one, when the others have read what they want to know of it.
      return group;
    }
    try {
      if (!Files.exists(record)) {
        Files.createFile(record);
      }
      Files.createDirectory(group.folder());
    } catch (FileAlreadyExistsException e) {
      return group;
    } catch (IOException e) {
      throw new IOException(
          "Cannot make the cgroup " + group.folder() + ": " + ControlGroup.reason(e), e);
    }
    return group;
  }

  /**
   * Removes a container's cgroup, if there is one and, in version 2, it was made here. A process
   * that was just killed may be accounted for a moment longer, so this tries again for about a
   * second.
   *
   * @throws IOException when it still holds processes then; it is tried again about once a second
   */
  void remove(String containerId) throws IOException, InterruptedException {
    Path folder = root.resolve(containerId);
    if (hierarchy.unified() && !Files.exists(records.resolve(containerId))) {
      return;
    }
    for (int tries = 1; ; tries++) {
      if (removeOnce(folder)) {
        Files.deleteIfExists(records.resolve(containerId));
        return;
      }
      if (tries == REMOVALS) {
        removeLater(containerId);
        throw new IOException(
            "The cgroup " + folder + " still holds processes " + get(containerId).processes());
      }
      Thread.sleep(REMOVAL_PAUSE_MILLIS);
    }
  }

  private void removeLater(String containerId) {
    if (remaining.add(containerId)) {
      again.schedule(() -> removeAgain(containerId), AGAIN_MILLIS, TimeUnit.MILLISECONDS);
    }
  }

  private void removeAgain(String containerId) {
    remaining.remove(containerId);
    if (!removeLeft(containerId)) {
      removeLater(containerId);
    }
  }

  private boolean removeLeft(String containerId) {
    try {
      if (removeOnce(root.resolve(containerId))) {
        Files.deleteIfExists(records.resolve(containerId));
        LOG.info("Removed the cgroup that container {} left behind", containerId);
        return true;
      }
    } catch (IOException e) {
      LOG.debug("The cgroup {} cannot be removed", root.resolve(containerId), e);
    }
    return false;
  }

  private static boolean removeOnce(Path folder) throws IOException {
    try (DirectoryStream<Path> entries = Files.newDirectoryStream(folder, Files::isDirectory)) {
      for (Path nested : entries) {
        if (!removeOnce(nested)) {
          return false;
        }
      }
    } catch (NoSuchFileException e) {
      return true;
    }
    try {
      Files.deleteIfExists(folder);
      return true;
    } catch (DirectoryNotEmptyException e) {
      return false;
    } catch (java.nio.file.FileSystemException e) {
      // The kernel answers EBUSY as long as a process is left.
      return !Files.exists(folder);
    }
  }

  /** Removes what holds the cgroups of containers, unless there is one, of any agent. */
  void close() {
    again.shutdownNow();
    try {
      Files.deleteIfExists(root);
    } catch (IOException e) {
      LOG.debug("{} stays: {}", root, e.toString());
    }
  }

  /** Removes the cgroups this isolator made for containers that do not run any more. */
  void removeOrphans(Set<String> running) throws IOException {
    Set<String> orphans = new TreeSet<>();
    try (DirectoryStream<Path> entries = Files.newDirectoryStream(records)) {
      for (Path entry : entries) {
        orphans.add(entry.getFileName().toString());
      }
    }
    orphans.removeAll(running);
    for (String orphan : orphans) {
      if (!removeLeft(orphan)) {
        LOG.warn(
            "The cgroup {} of a container that is gone still holds processes {}; it is removed"
                + " when they are gone",
            root.resolve(orphan),
            get(orphan).processes());
        removeLater(orphan);
      }
    }
  }
}
