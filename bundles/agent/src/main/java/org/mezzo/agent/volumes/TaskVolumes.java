package org.mezzo.agent.volumes;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;
import org.mezzo.containerizer.BindMount;
import org.mezzo.protocol.v1.ContainerInfo;
import org.mezzo.protocol.v1.Volume;
import org.mezzo.resources.Resource;
import org.mezzo.resources.Resources;

/**
 * The persistent volumes of one task: each appears in its sandbox as a link to where its data is,
 * or, in a container with mounts, is mounted. Immutable.
 */
public record TaskVolumes(List<Mounted> volumes) {
  /** A task without volumes. */
  public static final TaskVolumes NONE = new TaskVolumes(List.of());

  /** Names that the agent itself uses in a sandbox. */
  private static final List<String> TAKEN = List.of("stdout", "stderr");

  /**
   * A volume of the task.
   *
   * @param directory where its data is
   * @param at where it appears, normalized: relative to the sandbox and not empty, or absolute
   * @param readOnly whether the task cannot write to it
   */
  public record Mounted(Resource volume, Path directory, Path at, boolean readOnly) {
    /** Whether it cannot be a link. */
    boolean needsMount() {
      return readOnly || at.isAbsolute();
    }
  }

  public TaskVolumes {
    volumes = List.copyOf(volumes);
  }

  /**
   * The volumes among the resources of a task.
   *
   * @param resources allocated to nobody
   * @param unmountable why none of them can be mounted, with the remedy: then none can be for
   *     reading only or elsewhere than in the sandbox; empty where they can
   * @throws IOException when one cannot appear where it should, naming it and the reason
   */
  public static TaskVolumes of(Resources resources, VolumeStore store, Optional<String> unmountable)
      throws IOException {
    if (resources.persistentVolumes().isEmpty()) {
      return NONE;
    }
    List<Mounted> mounted = new ArrayList<>();
    for (Resource resource : resources.persistentVolumes()) {
      Volume volume = resource.disk().orElseThrow().getVolume();
      if (volume.hasSource() || volume.hasImage()) {
        throw new IOException(
            "`disk.volume` of the persistent volume "
                + resource
                + " must have neither `source` nor `image`");
      }
      boolean readOnly = volume.getMode() == Volume.Mode.RO;
      Path at = checked(volume.getContainerPath(), resource);
      Mounted one = new Mounted(resource, store.directory(resource), at, readOnly);
      if (one.needsMount() && unmountable.isPresent()) {
        throw cannot(one, unmountable.get());
      }
      mounted.add(apart(mounted, one));
    }
    return new TaskVolumes(mounted);
  }

  private static IOException cannot(Mounted one, String why) {
    return new IOException(
        "The persistent volume "
            + one.volume()
            + (one.readOnly()
                ? ", whose mode is RO,"
                : " with the absolute container path '" + one.at() + "'")
            + " would have to be mounted, and "
            + why);
  }

  /**
   * These and others in one sandbox; one that both have appears once.
   *
   * @throws IOException when two would appear inside each other
   */
  public TaskVolumes and(TaskVolumes others) throws IOException {
    if (volumes.isEmpty() || others.volumes.isEmpty()) {
      return volumes.isEmpty() ? others : this;
    }
    List<Mounted> all = new ArrayList<>(volumes);
    for (Mounted other : others.volumes) {
      if (!all.contains(other)) {
        all.add(apart(all, other));
      }
    }
    return new TaskVolumes(all);
  }

  /** These without others. */
  public TaskVolumes without(TaskVolumes others) {
    return new TaskVolumes(
        volumes.stream().filter(mounted -> !others.volumes.contains(mounted)).toList());
  }

  private static Mounted apart(List<Mounted> others, Mounted one) throws IOException {
    for (Mounted other : others) {
      if (one.at().startsWith(other.at()) || other.at().startsWith(one.at())) {
        throw new IOException(
            "The persistent volumes "
                + other.volume()
                + " and "
                + one.volume()
                + " would appear inside each other; give them other container paths");
      }
    }
    return one;
  }

  /**
   * Looks whether they can appear in a sandbox beside the folders of sandboxes that a container
   * wants there.
   *
   * @throws IOException when two would appear inside each other
   */
  public void checkBeside(ContainerInfo container) throws IOException {
    for (Volume other : container.getVolumesList()) {
      Path at = Path.of(other.getContainerPath()).normalize();
      for (Mounted one : volumes) {
        if (one.at().startsWith(at) || at.startsWith(one.at())) {
          throw new IOException(
              "The persistent volume "
                  + one.volume()
                  + " and the one of `container.volumes` at '"
                  + other.getContainerPath()
                  + "' would appear inside each other; give them other container paths");
        }
      }
    }
  }

  /** Those of which folders are shared with a container in the one that has these. */
  public TaskVolumes sharedBy(ContainerInfo nested) {
    return new TaskVolumes(
        volumes.stream()
            .filter(one -> shared(nested).anyMatch(it -> path(it).startsWith(one.at())))
            .toList());
  }

  /** Where folders of theirs appear in the sandbox of such a container, and what these are. */
  public Map<Path, Path> shownTo(ContainerInfo nested) {
    Map<Path, Path> shown = new HashMap<>();
    for (Mounted one : volumes) {
      shared(nested)
          .filter(it -> path(it).startsWith(one.at()) && !it.getContainerPath().startsWith("/"))
          .forEach(
              it ->
                  shown.put(
                      Path.of(it.getContainerPath()).normalize(),
                      one.directory().resolve(one.at().relativize(path(it)))));
    }
    return shown;
  }

  private static Stream<Volume> shared(ContainerInfo nested) {
    return nested.getVolumesList().stream()
        .filter(
            it ->
                it.getSource().getSandboxPath().getType() == Volume.Source.SandboxPath.Type.PARENT);
  }

  private static Path path(Volume shared) {
    return Path.of(shared.getSource().getSandboxPath().getPath()).normalize();
  }

  private static Path checked(String text, Resource resource) throws IOException {
    String problem = null;
    if (text.indexOf('\0') >= 0) {
      problem = "contains a zero byte";
    } else if (List.of(text.split("/")).contains("..")) {
      problem = "contains '..'; give a path that stays in the sandbox";
    } else if (text.startsWith("/")) {
      problem = Path.of(text).getNameCount() == 0 ? "is the root of everything" : null;
    } else if (Path.of(text).normalize().toString().isEmpty()) {
      problem = "is the sandbox itself; give a path below it";
    } else if (TAKEN.contains(Path.of(text).normalize().getName(0).toString())) {
      problem = "is what the agent itself writes; give another one";
    }
    if (problem != null) {
      throw new IOException(
          "The container path '" + text + "' of the persistent volume " + resource + " " + problem);
    }
    return Path.of(text).normalize();
  }

  /** Whether there is none. */
  public boolean isEmpty() {
    return volumes.isEmpty();
  }

  /** As resources, allocated to nobody. */
  public Resources resources() {
    return Resources.of(volumes.stream().map(Mounted::volume).toArray(Resource[]::new));
  }

  /**
   * Looks at where their data is. Blocks.
   *
   * @throws IOException when one cannot be used; says why
   */
  public void check(VolumeStore store) throws IOException {
    for (Mounted mounted : volumes) {
      Optional<String> obstacle = store.obstacle(mounted.volume());
      if (obstacle.isPresent()) {
        throw new IOException(obstacle.get());
      }
    }
  }

  /** What is to be mounted so that they appear in a container, once {@link #place} was called. */
  public List<BindMount> mounts() {
    return volumes.stream()
        .map(it -> new BindMount(it.directory().toAbsolutePath(), it.at(), it.readOnly()))
        .toList();
  }

  /**
   * What is to belong to the task's user of volumes that appear in a sandbox that is the user's
   * already: those that it may write to and no other task uses.
   *
   * @param used volumes of other tasks
   */
  public List<Path> owned(Resources used) {
    return volumes.stream()
        .filter(mounted -> given(mounted, used))
        .map(Mounted::directory)
        .distinct()
        .toList();
  }

  private static boolean given(Mounted mounted, Resources used) {
    return !mounted.readOnly() && !used.contains(Resources.of(mounted.volume().withCopies(1)));
  }

  /**
   * Lets the volumes appear. Blocks.
   *
   * @param sandbox new, and the agent's alone as yet, so that nobody can exchange what is made
   * @param mounted whether they are to be mounted at what is made, which otherwise are links
   * @throws IOException when one cannot be used, or cannot appear; says why
   */
  public void place(Path sandbox, VolumeStore store, boolean mounted) throws IOException {
    check(store);
    for (Mounted one : volumes) {
      if (mounted) {
        placeMount(sandbox, one);
      } else {
        placeLink(sandbox, one);
      }
    }
  }

  /** The file system of the host is not changed for a container. */
  private static void placeMount(Path sandbox, Mounted one) throws IOException {
    if (!one.at().isAbsolute()) {
      Files.createDirectories(sandbox.resolve(one.at()));
    } else if (!Files.isDirectory(one.at())) {
      throw new IOException(
          "There is no directory '"
              + one.at()
              + "' on this agent to mount the persistent volume "
              + one.volume()
              + " at. An absolute container path has to be there, since the container shares the"
              + " file system of the host; make it, or give a path relative to the sandbox");
    }
  }

  private static void placeLink(Path sandbox, Mounted one) throws IOException {
    if (one.needsMount()) {
      throw cannot(one, "the container has no mounts");
    }
    Path link = sandbox.resolve(one.at());
    Files.createDirectories(link.getParent());
    Files.createSymbolicLink(link, one.directory());
  }

  /**
   * What is to belong to the task's user, that it can use them: the folders on the way, and the
   * volumes that it may write to and no other task uses (their files stay whose they are).
   *
   * @param used volumes of other tasks
   */
  public List<Path> owned(Path sandbox, Resources used) {
    Set<Path> owned = new LinkedHashSet<>();
    for (Mounted mounted : volumes) {
      for (int depth = 1;
          !mounted.at().isAbsolute() && depth < mounted.at().getNameCount();
          depth++) {
        owned.add(sandbox.resolve(mounted.at().subpath(0, depth)));
      }
      if (given(mounted, used)) {
        owned.add(mounted.directory());
      }
    }
    return List.copyOf(owned);
  }
}
