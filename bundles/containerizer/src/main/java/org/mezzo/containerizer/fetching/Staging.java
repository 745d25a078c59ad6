package org.mezzo.containerizer.fetching;

import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.FileAttribute;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Optional;
import java.util.UUID;
import org.mezzo.files.TreeDeletion;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A folder closed to others, in which things become complete before they get to their place. What
 * is in it when it is closed is deleted.
 */
final class Staging implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(Staging.class);
  private static final FileAttribute<?> PRIVATE =
      PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------"));

  private final Path folder;

  private Staging(Path folder) {
    this.folder = folder;
  }

  /** A new one below a folder, which is made if it is not there. */
  static Staging below(Path parent) throws IOException {
    Files.createDirectories(parent, PRIVATE);
    return new Staging(
        Files.createDirectory(parent.resolve(UUID.randomUUID().toString()), PRIVATE));
  }

  /** A new one on the file system of a sandbox: below the usual folder, or beside the sandbox. */
  static Staging forSandbox(Path sandbox, Path usual) throws IOException {
    Files.createDirectories(usual, PRIVATE);
    return below(
        Files.getAttribute(sandbox, "unix:dev").equals(Files.getAttribute(usual, "unix:dev"))
            ? usual
            : sandbox.resolveSibling(".fetching"));
  }

  /** Deletes what earlier processes of this agent left. */
  static void clear(Path parent) throws IOException {
    try (DirectoryStream<Path> unfinished = Files.newDirectoryStream(parent)) {
      for (Path left : unfinished) {
        TreeDeletion.delete(left);
      }
    } catch (NoSuchFileException e) {
      // Nothing was fetched here yet.
      return;
    }
  }

  /** A new folder in it, made when it is asked for. */
  Path folder(String name) throws IOException {
    return Files.createDirectories(folder.resolve(name), PRIVATE);
  }

  /** Gives everything in a folder of it to a user. */
  static void give(Path tree, Optional<TaskUser> user) throws IOException {
    if (user.isEmpty()) {
      return;
    }
    int uid = (int) user.get().uid();
    int gid = (int) user.get().gid();
    Files.walkFileTree(
        tree,
        new SimpleFileVisitor<>() {
          @Override
          public FileVisitResult visitFile(Path file, BasicFileAttributes attributes)
              throws IOException {
            give(file);
            return FileVisitResult.CONTINUE;
          }

          @Override
          public FileVisitResult postVisitDirectory(Path folder, IOException failure)
              throws IOException {
            if (failure != null) {
              throw failure;
            }
            if (!folder.equals(tree)) {
              give(folder);
            }
            return FileVisitResult.CONTINUE;
          }

          private void give(Path path) throws IOException {
            Files.setAttribute(path, "unix:gid", gid, LinkOption.NOFOLLOW_LINKS);
            Files.setAttribute(path, "unix:uid", uid, LinkOption.NOFOLLOW_LINKS);
          }
        });
  }

  @Override
  public void close() {
    try {
      TreeDeletion.delete(folder);
      if (folder.getParent().endsWith(".fetching")) {
        // Others may be at work in it.
        folder.getParent().toFile().delete();
      }
    } catch (IOException e) {
      LOG.warn("Cannot delete {}: {}", folder, e.toString());
    }
  }
}
