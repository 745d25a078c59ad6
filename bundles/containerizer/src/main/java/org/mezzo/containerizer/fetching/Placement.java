package org.mezzo.containerizer.fetching;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.channels.Channels;
import java.nio.file.AtomicMoveNotSupportedException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.SecureDirectoryStream;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Set;

/**
 * Puts fetched files into a sandbox in which links may have been planted: none leads out of it, and
 * what is there under the file's own name is replaced, not followed.
 */
final class Placement {
  private Placement() {}

  /** The failure for a file whose folder is somewhere else in truth. */
  static IOException leadsOut(Path target) {
    return new IOException("'" + target + "' leads out of the sandbox through a link");
  }

  /**
   * Moves a file to its place with the rights of the agent; the folders on the way are made.
   *
   * @param staged a regular file, which is gone afterwards
   */
  static void move(Path staged, Path sandbox, Path target, boolean executable) throws IOException {
    if (executable) {
      Files.setPosixFilePermissions(staged, PosixFilePermissions.fromString("rwxr-xr-x"));
    }
    Path root = sandbox.toRealPath();
    move(staged, root, folder(root, sandbox, target), target.getFileName(), executable);
  }

  /**
   * Moves a file into a folder below a root; if any folder on the way has become a link meanwhile,
   * it fails.
   */
  static void move(Path staged, Path root, Path folder, Path name, boolean executable)
      throws IOException {
    try (DirectoryStream<Path> top = Files.newDirectoryStream(root);
        DirectoryStream<Path> from = Files.newDirectoryStream(staged.getParent())) {
      Deque<Path> steps = new ArrayDeque<>();
      root.relativize(folder).forEach(steps::add);
      descend(secure(top), steps, into -> put(staged, secure(from), into, name, executable));
    }
  }

  /** What is done in a folder that is open. */
  @FunctionalInterface
  private interface Inside {
    void in(SecureDirectoryStream<Path> folder) throws IOException;
  }

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

  private static void put(
      Path staged,
      SecureDirectoryStream<Path> from,
      SecureDirectoryStream<Path> into,
      Path name,
      boolean executable)
      throws IOException {
    try {
      from.move(staged.getFileName(), into, name);
    } catch (AtomicMoveNotSupportedException e) {
      copy(staged, into, name, executable);
    }
  }

  /** The real folder of the target, made if it is not there, and inside the sandbox. */
  private static Path folder(Path root, Path sandbox, Path target) throws IOException {
    Path parent = target.getParent();
    Path there = parent;
    while (!there.equals(sandbox) && !Files.exists(there, LinkOption.NOFOLLOW_LINKS)) {
      there = there.getParent();
    }
    Path real;
    try {
      real = there.toRealPath();
    } catch (NoSuchFileException e) {
      throw leadsOut(target);
    }
    if (!real.startsWith(root)) {
      throw leadsOut(target);
    }
    return Files.createDirectories(real.resolve(there.relativize(parent).toString()));
  }

  @SuppressWarnings("unchecked")
  private static SecureDirectoryStream<Path> secure(DirectoryStream<Path> stream)
      throws IOException {
    if (stream instanceof SecureDirectoryStream<?>) {
      return (SecureDirectoryStream<Path>) stream;
    }
    throw new IOException("This system cannot open a file beside a folder that is open");
  }

  /** For a sandbox on another file system than the agent's work directory. */
  private static void copy(
      Path staged, SecureDirectoryStream<Path> folder, Path name, boolean executable)
      throws IOException {
    try {
      folder.deleteFile(name);
    } catch (NoSuchFileException e) {
      // It is made now.
    }
    Set<StandardOpenOption> options =
        Set.of(StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE);
    try (OutputStream out =
        Channels.newOutputStream(
            executable
                ? folder.newByteChannel(
                    name,
                    options,
                    PosixFilePermissions.asFileAttribute(
                        PosixFilePermissions.fromString("rwxr-xr-x")))
                : folder.newByteChannel(name, options))) {
      Files.copy(staged, out);
    }
    Files.delete(staged);
  }
}
