package org.mezzo.containerizer.processes;

import java.io.IOException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.List;
import java.util.Optional;

/** Sandbox directories and their owners. */
final class Sandboxes {
  private Sandboxes() {}

  /** Makes the sandbox with empty {@code stdout} and {@code stderr}. */
  static void create(Path sandbox, Optional<Accounts.Account> owner) throws IOException {
    Files.createDirectories(sandbox);
    for (String name : List.of("stdout", "stderr")) {
      try {
        Files.createFile(sandbox.resolve(name));
      } catch (FileAlreadyExistsException e) {
        continue;
      }
    }
    if (owner.isPresent()) {
      chown(sandbox, owner.get());
    }
  }

  /** Gives everything in the sandbox to the account; links are not followed. */
  static void chown(Path sandbox, Accounts.Account owner) throws IOException {
    Files.walkFileTree(
        sandbox,
        new SimpleFileVisitor<>() {
          @Override
          public FileVisitResult preVisitDirectory(Path folder, BasicFileAttributes attributes)
              throws IOException {
            return give(folder);
          }

          @Override
          public FileVisitResult visitFile(Path file, BasicFileAttributes attributes)
              throws IOException {
            return give(file);
          }

          private FileVisitResult give(Path path) throws IOException {
            Files.setAttribute(path, "unix:uid", (int) owner.uid(), LinkOption.NOFOLLOW_LINKS);
            Files.setAttribute(path, "unix:gid", (int) owner.gid(), LinkOption.NOFOLLOW_LINKS);
            return FileVisitResult.CONTINUE;
          }
        });
  }
}
