package org.mezzo.api.isolator;

import java.nio.file.Path;
import java.util.Objects;
import org.osgi.annotation.versioning.ProviderType;

/**
 * A memory cgroup of version 1, of which an isolator wants to be told when it runs out of memory.
 * The kernel says so through an {@code eventfd}, which a program in Java cannot have and the
 * agent's launcher may. Immutable; made by isolators with {@link #of}. Two are equal that are of
 * the same container and cgroup.
 */
@ProviderType
public final class CgroupWatch {

  /** What there is to tell of a watch. */
  public enum News {
    /** From now on the kernel is listened to. What happened before, the isolator looks for. */
    BEGUN,
    /**
     * The cgroup has run out of memory, at least once. The kernel is about to kill in it, or has
     * done so: what its files say now may not show it yet.
     */
    HAPPENED,
    /**
     * Nobody listens to the kernel any more, or never did: the launcher cannot, was lost, or the
     * kernel refuses. The isolator looks by itself until it is told that there is a watch again.
     */
    ENDED
  }

  private final String containerId;
  private final Path cgroup;

  private CgroupWatch(String containerId, Path cgroup) {
    this.containerId = Objects.requireNonNull(containerId, "containerId");
    this.cgroup = Objects.requireNonNull(cgroup, "cgroup");
    if (!cgroup.isAbsolute()) {
      throw new IllegalArgumentException("A cgroup has an absolute path, not '" + cgroup + "'");
    }
  }

  /**
   * A cgroup to be watched.
   *
   * @param containerId which the isolator has been asked to isolate, or to recover
   * @param cgroup its folder in the file system of the hierarchy, absolute
   * @throws IllegalArgumentException when it is not absolute
   */
  public static CgroupWatch of(String containerId, Path cgroup) {
    return new CgroupWatch(containerId, cgroup);
  }

  /** Whose it is. */
  public String containerId() {
    return containerId;
  }

  /** The folder; absolute. */
  public Path cgroup() {
    return cgroup;
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof CgroupWatch watch
        && containerId.equals(watch.containerId)
        && cgroup.equals(watch.cgroup);
  }

  @Override
  public int hashCode() {
    return Objects.hash(containerId, cgroup);
  }

  @Override
  public String toString() {
    return containerId + " in " + cgroup;
  }
}
