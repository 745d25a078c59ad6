package org.mezzo.containerizer.isolation;

import static java.util.stream.Collectors.joining;

import java.util.EnumSet;
import java.util.HashMap;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import org.mezzo.api.isolator.LaunchPlan;
import org.mezzo.api.isolator.LaunchPlan.Feature;
import org.mezzo.api.isolator.LaunchPlan.Mount;
import org.mezzo.api.isolator.LaunchPlan.Namespace;
import org.mezzo.api.isolator.LaunchPlan.Rlimit;
import org.mezzo.containerizer.LaunchException;

/**
 * What the isolators of one container want of the launcher, joined fragment by fragment. Belongs to
 * one launch.
 */
final class JoinedPlan {
  private final Set<Feature> features;
  private final LaunchPlan.Builder all = LaunchPlan.builder();
  private final Map<String, Rlimit> rlimits = new HashMap<>();
  private final Map<String, String> limitedBy = new HashMap<>();

  /**
   * Empty.
   *
   * @param features what the launcher can carry out
   */
  JoinedPlan(Set<Feature> features) {
    this.features = features;
  }

  /**
   * Adds a fragment.
   *
   * @param isolator whose it is
   * @throws LaunchException when the launcher cannot do what it asks for, or when it contradicts
   *     the fragment of another isolator
   */
  void add(String isolator, LaunchPlan fragment) throws LaunchException {
    Set<Feature> missing = EnumSet.noneOf(Feature.class);
    missing.addAll(fragment.features());
    missing.removeAll(features);
    if (!missing.isEmpty()) {
      throw new LaunchException(
          "Isolator '"
              + isolator
              + "' asks for "
              + missing.stream().map(Feature::name).collect(joining(", "))
              + ", which the launcher of this agent cannot carry out; take the isolator out of"
              + " --isolation, or do without what needs it");
    }
    fragment.environment().forEach(all::variable);
    for (Namespace namespace : fragment.namespaces()) {
      if (namespace != Namespace.MOUNT) {
        throw new LaunchException(
            "Isolator '"
                + isolator
                + "' asks for a namespace "
                + namespace
                + " of the container's own; the launchers of this agent make MOUNT alone");
      }
      all.namespace(namespace);
    }
    for (Mount mount : fragment.mounts()) {
      check(isolator, mount);
      all.mount(mount);
    }
    if (fragment.tty()) {
      all.tty();
    }
    for (Map.Entry<String, Rlimit> limit : fragment.rlimits().entrySet()) {
      String name = limit.getKey();
      Rlimit before = rlimits.putIfAbsent(name, limit.getValue());
      if (before != null && !before.equals(limit.getValue())) {
        throw new LaunchException(
            "Isolators '"
                + limitedBy.get(name)
                + "' and '"
                + isolator
                + "' contradict each other: both set "
                + name);
      }
      limitedBy.putIfAbsent(name, isolator);
      all.rlimit(name, limit.getValue());
    }
  }

  private static void check(String isolator, Mount mount) throws LaunchException {
    Set<String> unknown = new TreeSet<>(mount.options());
    unknown.removeAll(Set.of("bind", "rbind", "ro", "rw"));
    String problem = null;
    if (mount.type().isPresent()) {
      problem = "type " + mount.type().get();
    } else if (!unknown.isEmpty()) {
      problem = "options " + String.join(",", unknown);
    } else if (!mount.source().startsWith("/") || !mount.target().isAbsolute()) {
      problem = "a path that is not absolute";
    }
    if (problem != null) {
      throw new LaunchException(
          "Isolator '"
              + isolator
              + "' asks for a mount at '"
              + mount.target()
              + "' with "
              + problem
              + "; the launchers of this agent make bind mounts of absolute paths, with the options"
              + " ro and rw");
    }
  }

  LaunchPlan plan() {
    return all.build();
  }
}
