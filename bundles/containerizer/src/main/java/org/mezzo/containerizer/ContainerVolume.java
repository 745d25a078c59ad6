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
 * A volume of `container.volumes`: a folder of a sandbox, or of the host, that appears elsewhere.
 * Where containers have mounts of their own (`--isolation=filesystem/linux`) it is mounted; else it
 * is a link, which only folders of sandboxes can be. Immutable.
 *
 * @param from whose folder it is
 * @param folder where it is there, normalized: absolute on the host, else relative to a sandbox and
 *     not empty
 * @param at where it appears, normalized: relative to the container's own sandbox and not empty, or
 *     absolute
 * @param readOnly whether the container cannot write to it
 */
public record ContainerVolume(From from, Path folder, Path at, boolean readOnly) {
  /** Whose folder a volume is. */
  public enum From {
    /** The container's own sandbox. */
    SELF,
    /** That of the container around, so that others in that can share it. */
    PARENT,
    /** The host's. */
    HOST
  }

  /** What gives an agent mounts. */
  private static final String REMEDY = "; an agent with --isolation=filesystem/linux provides that";

  /** Names that the agent itself uses in a sandbox. */
  private static final Set<String> TAKEN = Set.of("stdout", "stderr", "containers");

  /** The same in one of a default executor. */
  private static final Set<String> TAKEN_AROUND = Set.of("stdout", "stderr", "containers", "tasks");

  private static final String SOURCE = "source.sandbox_path.path";
  private static final String PLACE = "container_path";

  private static final String NEEDED =
      "is not one that this agent provides: it needs a `source` of type SANDBOX_PATH with a"
          + " `sandbox_path`, or of type HOST_PATH with a `host_path`, or a `host_path` of its own,"
          + " and nothing else";

  /**
   * The volumes of a container.
   *
   * @param nested whether there is a container around it
   * @param mounts whether they can be mounted
   * @throws LaunchException when there is one that cannot appear, of another type as well; names it
   *     and the remedy
   */
  public static List<ContainerVolume> of(ContainerInfo info, boolean nested, boolean mounts)
      throws LaunchException {
    if (info.getVolumesCount() == 0) {
      return List.of();
    }
    List<ContainerVolume> all = new ArrayList<>();
    for (Volume volume : info.getVolumesList()) {
      ContainerVolume one = of(volume, nested, mounts);
      for (ContainerVolume other : all) {
        if (overlap(one.at, other.at)) {
          throw bad(volume, "would appear inside the one at '" + other.at + "', or around it");
        }
      }
      all.add(one);
    }
    for (ContainerVolume one : all) {
      for (ContainerVolume other : all) {
        if (one.from == From.SELF && overlap(one.folder, other.at)) {
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

  private static ContainerVolume of(Volume volume, boolean nested, boolean mounts)
      throws LaunchException {
    boolean readOnly = volume.getMode() == Volume.Mode.RO;
    if (readOnly && !mounts) {
      throw bad(volume, "cannot be for reading only (its `mode` is RO) without mounts" + REMEDY);
    }
    From from = from(volume, nested, mounts);
    Path folder =
        switch (from) {
          case HOST -> hostPath(volume);
          case PARENT -> relative(volume, SOURCE, source(volume), TAKEN_AROUND);
          case SELF -> relative(volume, SOURCE, source(volume), TAKEN);
        };
    return new ContainerVolume(from, folder, place(volume, mounts), readOnly);
  }

  private static From from(Volume volume, boolean nested, boolean mounts) throws LaunchException {
    Source source = volume.getSource();
    boolean host = volume.hasHostPath() || source.getType() == Source.Type.HOST_PATH;
    if (volume.hasImage()
        || volume.hasHostPath() == volume.hasSource()
        || source.hasHostPath() != (host && volume.hasSource())
        || source.hasSandboxPath() == host) {
      throw bad(volume, NEEDED);
    }
    if (host) {
      if (!mounts) {
        throw bad(volume, "is a path of the host, which cannot be without mounts" + REMEDY);
      }
      return From.HOST;
    }
    if (source.getType() != Source.Type.SANDBOX_PATH) {
      throw bad(volume, NEEDED);
    }
    From from =
        switch (source.getSandboxPath().getType()) {
          case SELF -> From.SELF;
          case PARENT -> From.PARENT;
          case UNKNOWN -> throw bad(volume, "needs a `source.sandbox_path.type`, SELF or PARENT");
        };
    if (from == From.PARENT && !nested) {
      throw bad(
          volume,
          "is of type PARENT, and there is no container around this one; launch it in a group, or"
              + " give type SELF");
    }
    return from;
  }

  private static String source(Volume volume) {
    return volume.getSource().getSandboxPath().getPath();
  }

  private static Path hostPath(Volume volume) throws LaunchException {
    String field = volume.hasHostPath() ? "host_path" : "source.host_path.path";
    String text =
        volume.hasHostPath() ? volume.getHostPath() : volume.getSource().getHostPath().getPath();
    Path path = parsed(volume, field, text);
    if (!path.isAbsolute()) {
      throw bad(
          volume,
          field,
          text,
          "is not absolute; give a `source` of type SANDBOX_PATH for a folder of a sandbox");
    }
    return path;
  }

  private static Path place(Volume volume, boolean mounts) throws LaunchException {
    String text = volume.getContainerPath();
    Path path = parsed(volume, PLACE, text);
    if (!path.isAbsolute()) {
      return relative(volume, PLACE, text, TAKEN);
    }
    if (!mounts) {
      throw bad(volume, PLACE, text, "is absolute, which cannot be without mounts" + REMEDY);
    }
    if (Arrays.asList(text.split("/")).contains("..")) {
      throw bad(volume, PLACE, text, "contains '..'; give the path itself");
    }
    if (path.getNameCount() == 0) {
      throw bad(volume, PLACE, text, "is the root of everything; give a path below it");
    }
    return path;
  }

  private static Path parsed(Volume volume, String field, String text) throws LaunchException {
    try {
      return Path.of(text).normalize();
    } catch (InvalidPathException e) {
      throw bad(volume, field, text, "is no path of this machine: " + e.getReason());
    }
  }

  private static Path relative(Volume volume, String field, String text, Set<String> taken)
      throws LaunchException {
    Path path = parsed(volume, field, text);
    if (path.isAbsolute()) {
      throw bad(volume, field, text, "is absolute, and has to be relative to a sandbox");
    }
    if (Arrays.asList(text.split("/")).contains("..")) {
      throw bad(volume, field, text, "contains '..'; give a path that stays in the sandbox");
    }
    if (path.toString().isEmpty()) {
      throw bad(volume, field, text, "is the sandbox itself; give a path below it");
    }
    if (taken.contains(path.getName(0).toString())) {
      throw bad(
          volume, field, text, "begins with a name that the agent itself uses; give another one");
    }
    return path;
  }

  private static LaunchException bad(Volume volume, String field, String text, String problem) {
    return bad(volume, "has a `" + field + "`, '" + text + "', that " + problem);
  }

  private static LaunchException bad(Volume volume, String problem) {
    return new LaunchException(
        "The volume at '" + volume.getContainerPath() + "' of `container.volumes` " + problem);
  }
}
