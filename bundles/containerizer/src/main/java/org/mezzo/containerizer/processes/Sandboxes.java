package org.mezzo.containerizer.processes;

import java.io.IOException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/** Sandbox directories and their owners. */
final class Sandboxes {
  private Sandboxes() {}

  /**
   * Makes the sandbox with empty {@code stdout} and {@code stderr}. Its owner gets it last: until
   * then nobody else can exchange what is in it, and so nothing else is given away. For the same
   * reason no owner of anything is ever changed in a sandbox that a task has had.
   *
   * @param sandbox a new folder, in one where only the agent may write
   */
  static void create(Path sandbox, Optional<Accounts.Account> owner) throws IOException {
    Files.createDirectories(sandbox);
    for (String name : List.of("stdout", "stderr")) {
      Path file = sandbox.resolve(name);
      try {
        Files.createFile(file);
      } catch (FileAlreadyExistsException e) {
        // Whoever made it, it stays whose it is.
        continue;
      }
      if (owner.isPresent()) {
        chown(file, owner.get());
      }
    }
    if (owner.isPresent()) {
      chown(sandbox, owner.get());
    }
  }

  private static void chown(Path path, Accounts.Account owner) throws IOException {
    Files.setAttribute(path, "unix:gid", (int) owner.gid(), LinkOption.NOFOLLOW_LINKS);
    Files.setAttribute(path, "unix:uid", (int) owner.uid(), LinkOption.NOFOLLOW_LINKS);
  }
}
