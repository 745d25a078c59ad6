package org.mezzo.containerizer.processes;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import org.mezzo.containerizer.BindMount;
import org.mezzo.containerizer.ContainerVolume;
import org.mezzo.containerizer.ContainerVolume.From;
import org.mezzo.containerizer.Containerizer.Link;
import org.mezzo.containerizer.LaunchException;

/**
 * Lets the volumes of a container appear in its sandbox, which was just made: as links, or, where
 * it has mounts, by what it says is to be mounted at points that it makes. Whose sandbox a folder
 * is in, with the rights of that user it is made, so that no link there leads anywhere its user
 * could not go; but in a sandbox that is the agent's own, where users may make nothing, the agent
 * makes the first folder and gives it away. Blocks. Safe for any thread.
 */
final class ContainerVolumes {
  private static final String MAKE_FOLDER =
      "umask 027; cd \"$1\" || exit; [ -e \"./$2\" ] || mkdir -p \"./$2\"";

  private static final String MAKE_FILE =
      "umask 027; cd \"$1\" || exit; [ -e \"./$2\" ] && [ ! -d \"./$2\" ] && exit 0;"
          + " mkdir -p \"./${2%\"$3\"}\" && : >>\"./$2\"";

  private final SystemTools tools;
  private final SandboxLinks links;

  ContainerVolumes(SystemTools tools, SandboxLinks links) {
    this.tools = tools;
    this.links = links;
  }

  /**
   * Makes the folders that are not there, and the links to them or the points where they are to be
   * mounted.
   */
  void make(ManagedContainer container, Launch launch) throws LaunchException, IOException {
    Path own = launch.request.sandbox();
    boolean given = false;
    List<Mounting.Mount> mounts = new ArrayList<>();
    for (BindMount mount : launch.request.mounts()) {
      mounts.add(mount(container, own, mount.source(), false, mount.at(), mount.readOnly()));
    }
    for (ContainerVolume volume : launch.volumes) {
      if (volume.from() == From.HOST) {
        if (!Files.exists(volume.folder())) {
          throw new LaunchException(
              "The path '"
                  + volume.folder()
                  + "' of a volume of `container.volumes` does not exist on this agent; make it, or"
                  + " give another one");
        }
        makePoint(container, own, launch.account, volume, Files.isDirectory(volume.folder()));
        mounts.add(mount(container, own, volume.folder(), false, volume.at(), volume.readOnly()));
        continue;
      }
      Path sandbox = own;
      Optional<Accounts.Account> owner = launch.account;
      if (volume.from() == From.PARENT) {
        ManagedContainer outer = container.parent.orElseThrow();
        sandbox = outer.container.sandbox();
        owner = launch.around;
        if (!given && owner.isPresent()) {
          given = true;
          for (Path shared : launch.request.shared()) {
            Sandboxes.chown(shared, owner.get());
          }
        }
        if (outer.enclosure) {
          begin(sandbox, volume.folder().getName(0), owner);
        }
      }
      make(container, sandbox, volume.folder(), owner, MAKE_FOLDER);
      Path folder = sandbox.resolve(volume.folder()).toAbsolutePath();
      if (launch.mounting) {
        makePoint(container, own, launch.account, volume, true);
        mounts.add(mount(container, own, folder, true, volume.at(), volume.readOnly()));
      } else {
        links.make(
            container.id.toString(),
            container.container.user(),
            own,
            launch.account,
            new Link(volume.at(), folder));
      }
    }
    launch.mounts = List.copyOf(mounts);
  }

  /**
   * What is mounted in a sandbox is mounted below the outermost one, which is nobody's to exchange,
   * and follows no link from there on. Elsewhere it may be what programs of root trust.
   */
  private static Mounting.Mount mount(
      ManagedContainer container,
      Path sandbox,
      Path source,
      boolean asUser,
      Path at,
      boolean readOnly) {
    if (at.isAbsolute()) {
      return new Mounting.Mount(source, asUser, at, Path.of(""), readOnly, true);
    }
    ManagedContainer outermost = container;
    while (outermost.parent.isPresent()) {
      outermost = outermost.parent.get();
    }
    Path base = outermost.container.sandbox().toAbsolutePath();
    Path below = base.relativize(sandbox.toAbsolutePath().resolve(at));
    return new Mounting.Mount(source, asUser, base, below, readOnly, false);
  }

  /** Elsewhere than in the sandbox it has to be there: the host's file system is not changed. */
  private void makePoint(
      ManagedContainer container,
      Path sandbox,
      Optional<Accounts.Account> owner,
      ContainerVolume volume,
      boolean folder)
      throws LaunchException {
    if (!volume.at().isAbsolute()) {
      make(container, sandbox, volume.at(), owner, folder ? MAKE_FOLDER : MAKE_FILE);
    } else if (!Files.exists(volume.at())) {
      throw new LaunchException(
          "The `container_path` '"
              + volume.at()
              + "' of a volume of `container.volumes` does not exist on this agent. An absolute one"
              + " has to, since the container shares the file system of the host; make it, or give"
              + " a path relative to the sandbox");
    }
  }

  /**
   * Makes a folder in a sandbox that is the agent's. Others find it with its owner or not at all,
   * also when the agent is killed in between.
   */
  private synchronized void begin(Path sandbox, Path name, Optional<Accounts.Account> owner)
      throws IOException {
    Path folder = sandbox.resolve(name);
    if (Files.exists(folder, LinkOption.NOFOLLOW_LINKS)) {
      return;
    }
    Path made = Files.createDirectory(sandbox.resolve(".volume-" + UUID.randomUUID()));
    Files.setPosixFilePermissions(made, PosixFilePermissions.fromString("rwxr-x---"));
    if (owner.isPresent()) {
      Sandboxes.chown(made, owner.get());
    }
    Files.move(made, folder, StandardCopyOption.ATOMIC_MOVE);
  }

  private void make(
      ManagedContainer container,
      Path sandbox,
      Path path,
      Optional<Accounts.Account> owner,
      String script)
      throws LaunchException {
    if (!tools.succeeds(owner, script, sandbox, path, path.getFileName())) {
      throw new LaunchException(
          "Cannot make '"
              + path
              + "' for a volume of container '"
              + container
              + "' in the sandbox '"
              + sandbox
              + "': its user"
              + owner.map(it -> " '" + it.name() + "'").orElse("")
              + " may not write there, or something on the way is no folder; give another path");
    }
  }
}
