package org.mezzo.isolator.cgroups;

import java.io.IOException;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.mezzo.api.DaemonContext;
import org.mezzo.api.isolator.Container;
import org.mezzo.api.isolator.Isolator;
import org.mezzo.api.isolator.LaunchPlan;
import org.mezzo.api.isolator.RecoveredContainer;
import org.mezzo.api.isolator.RecoveredContainer.Phase;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What the cgroup isolators have in common: a cgroup per container, made in {@link #prepare} or
 * {@link #isolate}, entered in {@link #isolate}, removed in {@link #cleanup}. A machine without the
 * controller, or an agent that may not use it, refuses launches with the reason and the remedy,
 * because a limit that was asked for must not be missing in silence.
 */
abstract class CgroupIsolator implements Isolator {
  private static final Logger LOG = LoggerFactory.getLogger(CgroupIsolator.class);

  /** The mount table of this process. */
  static final Path MOUNT_INFO = Path.of("/proc/self/mountinfo");

  private final Path mountInfo;
  private final String controller;
  private DaemonContext context;
  private ControlGroups groups;
  private String unavailable = "the isolator was not opened";

  CgroupIsolator(Path mountInfo, String controller) {
    this.mountInfo = mountInfo;
    this.controller = controller;
  }

  @Override
  public void open(DaemonContext context) throws Exception {
    this.context = context;
    try {
      groups = ControlGroups.open(context, mountInfo, controller);
      opened(groups);
    } catch (IOException e) {
      unavailable = e.getMessage();
      LOG.error("Launches on {} will fail: {}", context.daemon(), unavailable);
    }
  }

  /** The cgroups can be used. */
  abstract void opened(ControlGroups groups) throws IOException;

  /** Sets the limits of a container whose cgroup exists. */
  abstract void limit(Container container, ControlGroup group) throws IOException;

  /**
   * A container's cgroup has its process, or had it when this instance took over.
   *
   * @param state what an instance before has kept in its plan; empty for nothing
   */
  abstract void entered(Container container, ControlGroup group, byte[] state);

  final DaemonContext context() {
    return context;
  }

  /** Throws when cgroups cannot be used. */
  final ControlGroups groups() throws IOException {
    if (groups == null) {
      throw new IOException(unavailable);
    }
    return groups;
  }

  /** Whether there is a cgroup of this container to look at. */
  final boolean knows(Container container) {
    return groups != null && groups.exists(container.id());
  }

  @Override
  public void recover(List<RecoveredContainer> containers) throws Exception {
    if (groups == null) {
      return;
    }
    Set<String> running = new HashSet<>();
    for (RecoveredContainer recovered : containers) {
      Container container = recovered.container();
      running.add(container.id());
      if (recovered.phase() == Phase.PREPARED) {
        // Prepared, perhaps by another instance; what comes with its process is still to come.
        if (!groups.exists(container.id())) {
          prepare(container);
        }
        continue;
      }
      if (!groups.exists(container.id())) {
        // Launched before this isolator was selected: it is limited from now on.
        ControlGroup group = groups.create(container.id());
        limit(container, group);
        adopt(container, group);
      }
      entered(container, groups.get(container.id()), recovered.state());
    }
    groups.removeOrphans(running);
  }

  private void adopt(Container container, ControlGroup group) throws IOException {
    try {
      join(group, container.pid().getAsLong());
      LOG.info(
          "Container {} had no '{}' cgroup; its first process, and what it starts from now on, is"
              + " limited",
          container.id(),
          controller);
    } catch (IOException e) {
      LOG.warn("Container {} stays without limit: {}", container.id(), e.getMessage());
    }
  }

  @Override
  public LaunchPlan prepare(Container container) throws Exception {
    if (!groups().unified()) {
      limit(container, groups.create(container.id()));
    }
    return LaunchPlan.NONE;
  }

  @Override
  public void isolate(Container container, long pid) throws Exception {
    ControlGroup group = groups().get(container.id());
    if (groups.unified()) {
      // There is one cgroup for everything then, and the agent makes it after prepare.
      groups.create(container.id());
      limit(container, group);
    }
    join(group, pid);
    entered(container, group, new byte[0]);
  }

  /** Moves a process into the cgroup. */
  void join(ControlGroup group, long pid) throws IOException {
    group.enter(pid);
  }

  @Override
  public void update(Container container) throws Exception {
    ControlGroups existing = groups();
    if (!existing.exists(container.id())) {
      throw new IOException(
          "Container " + container.id() + " has no '" + controller + "' cgroup to update");
    }
    limit(container, existing.get(container.id()));
  }

  @Override
  public void cleanup(Container container) throws Exception {
    if (groups != null) {
      groups.remove(container.id());
    }
  }

  @Override
  public void close() {
    if (groups != null) {
      groups.close();
    }
  }
}
