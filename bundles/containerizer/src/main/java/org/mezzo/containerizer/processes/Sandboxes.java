package org.mezzo.containerizer.processes;

import java.io.IOException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/** Sandbox directories and their owners. */
final class Sandboxes {
  private Sandboxes() {}

  private static final Set<PosixFilePermission> FOLDER =
      PosixFilePermissions.fromString("rwxr-x---");
  private static final Set<PosixFilePermission> FILE = PosixFilePermissions.fromString("rw-r-----");

  /**
   * Makes the sandbox with empty {@code stdout} and {@code stderr}. It is the owner's and may be
   * read by the owner's group; other users of the machine stay outside. Its owner gets it last:
   * until then nobody else can exchange what is in it, and so nothing else is given away. For the
   * same reason no owner of anything is ever changed in a sandbox that a task has had.
   *
   * @param sandbox a new folder, in one where only the agent may write
   * @param owned folders that become the owner's like the sandbox, without what is in them
   */
  static void create(Path sandbox, List<Path> owned, Optional<Accounts.Account> owner)
      throws IOException {
    if (!Files.isDirectory(sandbox)) {
      Files.createDirectories(sandbox);
    }
    Files.setPosixFilePermissions(sandbox, FOLDER);
    for (String name : List.of("stdout", "stderr")) {
      Path file = sandbox.resolve(name);
      try {
        Files.createFile(file, PosixFilePermissions.asFileAttribute(FILE));
      } catch (FileAlreadyExistsException e) {
        // Whoever made it, it stays whose it is.
        continue;
      }
      if (owner.isPresent()) {
        chown(file, owner.get());
      }
    }
    if (owner.isPresent()) {
      for (Path folder : owned) {
        chown(folder, owner.get());
      }
      chown(sandbox, owner.get());
    }
  }

  /**
   * What keeps an account out of its sandbox, as far as the modes of the folders above tell, with
   * the remedy; empty when nothing does.
   */
  static Optional<String> obstacle(Path sandbox, Accounts.Account account) throws IOException {
    Path real = sandbox.toRealPath();
    for (int depth = 0; depth <= real.getNameCount(); depth++) {
      Path folder = depth == 0 ? real.getRoot() : real.getRoot().resolve(real.subpath(0, depth));
      Map<String, Object> attributes = Files.readAttributes(folder, "unix:mode,uid,gid");
      int mode = (Integer) attributes.get("mode") & 07777;
      int uid = (Integer) attributes.get("uid");
      long gid = Integer.toUnsignedLong((Integer) attributes.get("gid"));
      int enter;
      if (Integer.toUnsignedLong(uid) == account.uid()) {
        enter = 0100;
      } else if (account.groups().contains(gid)) {
        enter = 0010;
      } else {
        enter = 0001;
      }
      if ((mode & enter) == 0) {
        return Optional.of(
            String.format(
                "The task's user '%s' cannot enter '%s' (mode %04o, owner %d, group %d), below"
                    + " which its sandbox '%s' is; let it pass (chmod o+x '%s') or give the agent"
                    + " another --work_dir",
                account.name(), folder, mode, Integer.toUnsignedLong(uid), gid, sandbox, folder));
      }
    }
    return Optional.empty();
  }

  /** Gives something to an account, and nothing that is in it. */
  static void chown(Path path, Accounts.Account owner) throws IOException {
    Files.setAttribute(path, "unix:gid", (int) owner.gid(), LinkOption.NOFOLLOW_LINKS);
    Files.setAttribute(path, "unix:uid", (int) owner.uid(), LinkOption.NOFOLLOW_LINKS);
  }
}
