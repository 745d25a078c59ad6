package org.mezzo.containerizer.processes;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Optional;
import java.util.UUID;
import org.mezzo.containerizer.Containerizer.Link;
import org.mezzo.containerizer.LaunchException;
import org.mezzo.containerizer.SandboxVolume;

/**
 * Lets volumes of type SANDBOX_PATH appear in a sandbox that was just made. Whose sandbox a folder
 * is in, with the rights of that user it is made, so that no link there leads anywhere its user
 * could not go; but in a sandbox that is the agent's own, where users may make nothing, the agent
 * makes the first folder and gives it away. Blocks. Safe for any thread.
 */
final class VolumeLinks {
  private static final String MAKE_FOLDER =
      "umask 027; cd \"$1\" || exit; [ -e \"./$2\" ] || mkdir -p \"./$2\"";

  private final SystemTools tools;
  private final SandboxLinks links;

  VolumeLinks(SystemTools tools, SandboxLinks links) {
    this.tools = tools;
    this.links = links;
  }

  /** Makes the folders that are not there, and the links to them. */
  void make(ManagedContainer container, Launch launch) throws LaunchException, IOException {
    Path own = launch.request.sandbox();
    boolean given = false;
    for (SandboxVolume volume : launch.volumes) {
      Path sandbox = own;
      Optional<Accounts.Account> owner = launch.account;
      if (volume.ofParent()) {
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
      makeFolder(container, sandbox, volume.folder(), owner);
      links.make(
          container.id.toString(),
          container.container.user(),
          own,
          launch.account,
          new Link(volume.at(), sandbox.resolve(volume.folder()).toAbsolutePath()));
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

  private void makeFolder(
      ManagedContainer container, Path sandbox, Path folder, Optional<Accounts.Account> owner)
      throws LaunchException {
    if (!tools.succeeds(owner, MAKE_FOLDER, sandbox, folder)) {
      throw new LaunchException(
          "Cannot make the folder '"
              + folder
              + "' of a volume of container '"
              + container
              + "' in the sandbox '"
              + sandbox
              + "': its user"
              + owner.map(it -> " '" + it.name() + "'").orElse("")
              + " may not write there, or something on the way is no folder; give another path");
    }
  }
}
