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
      persist(above, name);
    } catch (NoSuchFileException e) {
      // Somebody else was faster.
      return;
    }
  }

  /**
   * As above, of something in a tree in which all that is on the way may be exchanged as well.
   *
   * @param tree whose path must be nobody else's to change
   * @param inside relative to it, at least one name
   * @throws IOException as above, and when a link or a file is on the way
   */
  public static void delete(Path tree, Path inside) throws IOException {
    try (SecureDirectoryStream<Path> top = Directories.open(tree)) {
      descend(top, inside);
    } catch (NoSuchFileException e) {
      return;
    }
  }

  private static void descend(SecureDirectoryStream<Path> directory, Path rest) throws IOException {
    Path name = rest.getName(0);
    if (rest.getNameCount() == 1) {
      persist(directory, name);
      return;
    }
    BasicFileAttributes found = Directories.attributes(directory, name);
    if (!found.isDirectory()) {
      throw new ChangedException(name);
    }
    try (SecureDirectoryStream<Path> inner = Directories.enter(directory, name, found.fileKey())) {
      descend(inner, rest.subpath(1, rest.getNameCount()));
    }
  }

  private static void persist(SecureDirectoryStream<Path> above, Path name) throws IOException {
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
