package org.mezzo.containerizer.fetching;

import java.io.IOException;
import java.nio.file.AtomicMoveNotSupportedException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.SecureDirectoryStream;
import java.nio.file.attribute.BasicFileAttributeView;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.ArrayDeque;
import java.util.Deque;

/**
 * Puts what was staged into a sandbox in which links may have been planted: none leads out of it,
 * and what is there under a file's own name is replaced, not followed. Folders are only ever moved
 * as a whole or entered through folders that are open, so that nothing is made by a path that
 * somebody may exchange.
 */
final class Placement {
  /** Deeper trees take more descriptors than one fetch should. */
  private static final int MOST_LEVELS = 200;

  private final Path sandbox;
  private final Path root;

  private Placement(Path sandbox, Path root) {
    this.sandbox = sandbox;
    this.root = root;
  }

  /**
   * Moves everything in a folder into the sandbox.
   *
   * @param staged a folder that nobody else can write in, on the sandbox's file system; files of it
   *     that were placed are gone afterwards
   * @throws IOException when something would get out of the sandbox, or is in the way; what was
   *     placed before stays
   */
  static void place(Path staged, Path sandbox) throws IOException {
    Path root = sandbox.toRealPath();
    try (DirectoryStream<Path> into = Files.newDirectoryStream(root)) {
      new Placement(sandbox, root).place(staged, secure(into), Path.of(""), 0);
    }
  }

  private void place(Path staged, SecureDirectoryStream<Path> into, Path way, int level)
      throws IOException {
    if (level > MOST_LEVELS) {
      throw new IOException("'" + way + "' is below more than " + MOST_LEVELS + " folders");
    }
    try (DirectoryStream<Path> members = Files.newDirectoryStream(staged);
        DirectoryStream<Path> from = Files.newDirectoryStream(staged)) {
      for (Path member : members) {
        place(member, secure(from), into, way.resolve(member.getFileName()), level);
      }
    }
  }

  private void place(
      Path member,
      SecureDirectoryStream<Path> from,
      SecureDirectoryStream<Path> into,
      Path way,
      int level)
      throws IOException {
    Path name = member.getFileName();
    boolean folder = Files.isDirectory(member, LinkOption.NOFOLLOW_LINKS);
    BasicFileAttributes there = attributes(into, name);
    if (there == null || !folder && !there.isDirectory()) {
      move(from, into, name, way);
    } else if (!folder) {
      throw new IOException("'" + sandbox.resolve(way) + "' is a folder, in the way of a file");
    } else if (there.isDirectory()) {
      try (SecureDirectoryStream<Path> next =
          into.newDirectoryStream(name, LinkOption.NOFOLLOW_LINKS)) {
        place(member, next, way, level + 1);
      }
    } else if (there.isSymbolicLink()) {
      Deque<Path> steps = new ArrayDeque<>();
      root.relativize(inside(way)).forEach(steps::add);
      try (DirectoryStream<Path> top = Files.newDirectoryStream(root)) {
        descend(secure(top), steps, next -> place(member, next, way, level + 1));
      }
    } else {
      throw new IOException("'" + sandbox.resolve(way) + "' is a file, in the way of a folder");
    }
  }

  /** The real folder that a link in the sandbox means. */
  private Path inside(Path way) throws IOException {
    Path real;
    try {
      real = root.resolve(way).toRealPath();
    } catch (NoSuchFileException e) {
      throw leadsOut(way);
    }
    if (!real.startsWith(root)) {
      throw leadsOut(way);
    }
    return real;
  }

  private IOException leadsOut(Path way) {
    return new IOException(
        "'" + sandbox.resolve(way) + "' leads out of the sandbox through a link");
  }

  private void move(
      SecureDirectoryStream<Path> from, SecureDirectoryStream<Path> into, Path name, Path way)
      throws IOException {
    try {
      from.move(name, into, name);
    } catch (AtomicMoveNotSupportedException e) {
      throw new IOException(
          "'" + sandbox.resolve(way) + "' is on another file system than its sandbox", e);
    }
  }

  private static BasicFileAttributes attributes(SecureDirectoryStream<Path> folder, Path name)
      throws IOException {
    try {
      return folder
          .getFileAttributeView(name, BasicFileAttributeView.class, LinkOption.NOFOLLOW_LINKS)
          .readAttributes();
    } catch (NoSuchFileException e) {
      return null;
    }
  }

  /** What is done in a folder that is open. */
  @FunctionalInterface
  private interface Inside {
    void in(SecureDirectoryStream<Path> folder) throws IOException;
  }

  /** Fails if any folder on the way has become a link meanwhile. */
  private static void descend(SecureDirectoryStream<Path> folder, Deque<Path> steps, Inside inside)
      throws IOException {
    Path step = steps.poll();
    if (step == null || step.toString().isEmpty()) {
      inside.in(folder);
      return;
    }
    try (SecureDirectoryStream<Path> next =
        folder.newDirectoryStream(step, LinkOption.NOFOLLOW_LINKS)) {
      descend(next, steps, inside);
    }
  }

  @SuppressWarnings("unchecked")
  private static SecureDirectoryStream<Path> secure(DirectoryStream<Path> stream)
      throws IOException {
    if (stream instanceof SecureDirectoryStream<?>) {
      return (SecureDirectoryStream<Path>) stream;
    }
    throw new IOException("This system cannot open a file beside a folder that is open");
  }
}
