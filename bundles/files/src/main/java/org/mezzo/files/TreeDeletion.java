package org.mezzo.files;

import java.io.IOException;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.FileSystemException;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.SecureDirectoryStream;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.UUID;

/**
 * Deletes a directory tree in which somebody else may exchange files, directories and links
 * meanwhile: nothing outside of it is ever touched, and neither a fifo nor any depth of directories
 * stops it.
 */
public final class TreeDeletion {
  /** Deeper directories are moved up, so that no tree takes all descriptors or the stack. */
  private static final int MOST_LEVELS = 32;

  private static final int ATTEMPTS = 5;

  private final SecureDirectoryStream<Path> top;
  private boolean movedUp;

  private TreeDeletion(SecureDirectoryStream<Path> top) {
    this.top = top;
  }

  /**
   * Deletes a file, a link, or a directory with everything in it; nothing happens when it is not
   * there. Blocks.
   *
   * @param root whose parent's path must be nobody else's to change
   * @throws IOException when something cannot be deleted, also because somebody goes on writing
   */
  public static void delete(Path root) throws IOException {
    Path absolute = root.toAbsolutePath();
    Path name = absolute.getFileName();
    try (SecureDirectoryStream<Path> above = Directories.open(absolute.getParent())) {
      for (int attempt = 1; ; attempt++) {
        try {
          delete(above, name);
          return;
        } catch (FileSystemException e) {
          if (attempt == ATTEMPTS || e instanceof NoSuchFileException) {
            throw e;
          }
        }
      }
    } catch (NoSuchFileException e) {
      // Somebody else was faster.
      return;
    }
  }

  private static void delete(SecureDirectoryStream<Path> above, Path name) throws IOException {
    BasicFileAttributes found = Directories.attributes(above, name);
    if (!found.isDirectory()) {
      above.deleteFile(name);
      return;
    }
    try (SecureDirectoryStream<Path> top = Directories.enter(above, name, found.fileKey())) {
      TreeDeletion deletion = new TreeDeletion(top);
      do {
        deletion.movedUp = false;
        try (SecureDirectoryStream<Path> again = Directories.again(top)) {
          deletion.clear(again, 0);
        }
      } while (deletion.movedUp);
    }
    above.deleteDirectory(name);
  }

  private void clear(SecureDirectoryStream<Path> directory, int level) throws IOException {
    try {
      for (Path entry : directory) {
        try {
          remove(directory, entry.getFileName(), level);
        } catch (NoSuchFileException e) {
          // It went away by itself, or was exchanged: what is there now keeps the directory.
          continue;
        }
      }
    } catch (DirectoryIteratorException e) {
      throw e.getCause();
    }
  }

  private void remove(SecureDirectoryStream<Path> directory, Path name, int level)
      throws IOException {
    BasicFileAttributes found = Directories.attributes(directory, name);
    if (!found.isDirectory()) {
      directory.deleteFile(name);
    } else if (level == MOST_LEVELS) {
      directory.move(name, top, Path.of(".deleting-" + UUID.randomUUID()));
      movedUp = true;
    } else {
      try (SecureDirectoryStream<Path> inner =
          Directories.enter(directory, name, found.fileKey())) {
        clear(inner, level + 1);
      }
      directory.deleteDirectory(name);
    }
  }
}
