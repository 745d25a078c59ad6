package org.mezzo.containerizer;

import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import org.mezzo.protocol.v1.ContainerInfo;
import org.mezzo.protocol.v1.Volume;
import org.mezzo.protocol.v1.Volume.Source;

/**
 * A volume of type SANDBOX_PATH: a folder of a sandbox that appears elsewhere, as a link, for
 * containers have no mounts of their own. Immutable.
 *
 * @param ofParent whether the folder is in the sandbox of the container around, so that others in
 *     that can share it; otherwise in the container's own
 * @param folder where it is there, relative, normalized and not empty
 * @param at where it appears in the container's own sandbox, likewise
 */
public record SandboxVolume(boolean ofParent, Path folder, Path at) {
  /** Names that the agent itself uses in a sandbox. */
  private static final Set<String> TAKEN = Set.of("stdout", "stderr", "containers");

  /** The same in one of a default executor. */
  private static final Set<String> TAKEN_AROUND = Set.of("stdout", "stderr", "containers", "tasks");

  /**
   * The volumes of a container.
   *
   * @param nested whether there is a container around it
   * @throws LaunchException when there is one that cannot appear, of another type as well; names it
   *     and the remedy
   */
  public static List<SandboxVolume> of(ContainerInfo info, boolean nested) throws LaunchException {
    if (info.getVolumesCount() == 0) {
      return List.of();
    }
    List<SandboxVolume> all = new ArrayList<>();
    for (Volume volume : info.getVolumesList()) {
      SandboxVolume one = of(volume, nested);
      for (SandboxVolume other : all) {
        if (overlap(one.at, other.at)) {
          throw bad(volume, "would appear inside the one at '" + other.at + "', or around it");
        }
      }
      all.add(one);
    }
    for (SandboxVolume one : all) {
      for (SandboxVolume other : all) {
        if (!one.ofParent && overlap(one.folder, other.at)) {
          throw new LaunchException(
              "The folder '"
                  + one.folder
                  + "' of a volume of `container.volumes` of type SELF and '"
                  + other.at
                  + "', where one appears, are inside each other; give them other paths");
        }
      }
    }
    return List.copyOf(all);
  }

  private static boolean overlap(Path one, Path other) {
    return one.startsWith(other) || other.startsWith(one);
  }

  private static SandboxVolume of(Volume volume, boolean nested) throws LaunchException {
    Source source = volume.getSource();
    if (source.getType() != Source.Type.SANDBOX_PATH
        || !source.hasSandboxPath()
        || volume.hasHostPath()
        || volume.hasImage()) {
      throw bad(
          volume,
          "is not one that this agent provides: it needs a `source` of type SANDBOX_PATH with a"
              + " `sandbox_path`, and nothing else");
    }
    if (volume.getMode() == Volume.Mode.RO) {
      throw bad(
          volume,
          "cannot be for reading only without mounts, which this agent does not make: its `mode`"
              + " must be RW");
    }
    boolean ofParent =
        switch (source.getSandboxPath().getType()) {
          case SELF -> false;
          case PARENT -> true;
          case UNKNOWN -> throw bad(volume, "needs a `source.sandbox_path.type`, SELF or PARENT");
        };
    if (ofParent && !nested) {
      throw bad(
          volume,
          "is of type PARENT, and there is no container around this one; launch it in a group, or"
              + " give type SELF");
    }
    Path folder =
        checked(
            volume,
            "source.sandbox_path.path",
            source.getSandboxPath().getPath(),
            ofParent ? TAKEN_AROUND : TAKEN);
    return new SandboxVolume(
        ofParent, folder, checked(volume, "container_path", volume.getContainerPath(), TAKEN));
  }

  private static Path checked(Volume volume, String field, String text, Set<String> taken)
      throws LaunchException {
    String problem = null;
    Path path = Path.of("");
    try {
      path = Path.of(text).normalize();
    } catch (InvalidPathException e) {
      problem = "is no path of this machine: " + e.getReason();
    }
    if (problem != null) {
      // Nothing more can be said of it.
    } else if (path.isAbsolute()) {
      problem = "is absolute, and without mounts it has to be relative to a sandbox";
    } else if (Arrays.asList(text.split("/")).contains("..")) {
      problem = "contains '..'; give a path that stays in the sandbox";
    } else if (path.toString().isEmpty()) {
      problem = "is the sandbox itself; give a path below it";
    } else if (taken.contains(path.getName(0).toString())) {
      problem = "begins with a name that the agent itself uses; give another one";
    }
    if (problem != null) {
      throw bad(volume, "has a `" + field + "`, '" + text + "', that " + problem);
    }
    return path;
  }

  private static LaunchException bad(Volume volume, String problem) {
    return new LaunchException(
        "The volume at '" + volume.getContainerPath() + "' of `container.volumes` " + problem);
  }
}
