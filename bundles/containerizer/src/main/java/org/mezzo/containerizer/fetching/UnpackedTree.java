package org.mezzo.containerizer.fetching;

import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.FileTime;
import java.nio.file.attribute.PosixFilePermission;
import java.util.EnumSet;
import java.util.HashSet;
import java.util.Set;

/**
 * What comes out of one archive, in a folder where nobody else writes. A member that would get out
 * of the folder (by an absolute name, by {@code ..}, by going through a link of the archive, as
 * another name of a file that is not the archive's), one that is no file, folder or link, and more
 * than is allowed, are refused, and so the archive. A symbolic link may say what it likes, as those
 * of relocated environments do: nothing is ever written through it.
 */
final class UnpackedTree {
  /** More members than this are refused. */
  static final int MOST_MEMBERS = 1_000_000;

  private static final int LONGEST_NAME = 4096;
  private static final int PIECE = 65_536;

  /** Nobody but the owner may write, and the owner may go everywhere. */
  private static final int FILE_MODES = 0755;

  private static final int FOLDER_MODE = 0700;

  private final Path root;
  private final long mostBytes;
  private final Set<Path> folders = new HashSet<>();
  private long bytes;
  private int members;

  /**
   * @param root an empty folder
   * @param mostBytes of all files together
   */
  UnpackedTree(Path root, long mostBytes) {
    this.root = root;
    this.mostBytes = mostBytes;
    folders.add(root);
  }

  int members() {
    return members;
  }

  long bytes() {
    return bytes;
  }

  /** Makes a folder; nothing happens when it is there. */
  void folder(String name, int mode) throws IOException {
    count(name);
    Path path = path(name);
    if (path.equals(root)) {
      return;
    }
    enter(name, path.getParent());
    if (Files.exists(path, LinkOption.NOFOLLOW_LINKS)) {
      enter(name, path);
    } else {
      Files.createDirectory(path);
      folders.add(path);
    }
    mode(path, mode & FILE_MODES | FOLDER_MODE);
  }

  /**
   * Makes a file, in place of one with that name.
   *
   * @param content read to its end
   * @param changed null when it is not known
   */
  void file(String name, InputStream content, int mode, FileTime changed)
      throws IOException, InterruptedException {
    Path path = fresh(name);
    try (FileChannel out =
        FileChannel.open(path, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE)) {
      byte[] piece = new byte[PIECE];
      int length;
      while ((length = content.read(piece)) >= 0) {
        if (Thread.interrupted()) {
          throw new InterruptedException("Unpacking was cancelled");
        }
        bytes += length;
        if (bytes > mostBytes) {
          throw new ArchiveException(
              "unpacks to more than "
                  + mostBytes
                  + " bytes; if it is meant to, raise --fetcher_extraction_limit of the agent");
        }
        ByteBuffer left = ByteBuffer.wrap(piece, 0, length);
        while (left.hasRemaining()) {
          out.write(left);
        }
      }
    }
    mode(path, mode & FILE_MODES);
    if (changed != null) {
      Files.setLastModifiedTime(path, changed);
    }
  }

  /** Makes a symbolic link, in place of a file with that name. */
  void symbolicLink(String name, String target) throws IOException {
    Path path = fresh(name);
    String problem = "the target of the link '" + shown(name) + "' is no name of a file here";
    if (target.isEmpty() || target.length() > LONGEST_NAME || target.indexOf('\0') >= 0) {
      throw new ArchiveException(problem);
    }
    try {
      Files.createSymbolicLink(path, Path.of(target));
    } catch (InvalidPathException e) {
      throw new ArchiveException(problem);
    }
  }

  /** Gives a file that came before another name. */
  void hardLink(String name, String target) throws IOException {
    Path existing = path(target);
    if (!existing.equals(root)) {
      enter(target, existing.getParent());
    }
    if (!Files.isRegularFile(existing, LinkOption.NOFOLLOW_LINKS)) {
      throw new ArchiveException(
          "its member '"
              + shown(name)
              + "' is a hard link to '"
              + shown(target)
              + "', which is no file that came before it in the archive");
    }
    if (existing.equals(path(name))) {
      count(name);
      return;
    }
    Files.createLink(fresh(name), existing);
  }

  /** A place where nothing is. */
  private Path fresh(String name) throws IOException {
    count(name);
    Path path = path(name);
    if (path.equals(root)) {
      throw new ArchiveException("its member '" + shown(name) + "' has no name");
    }
    enter(name, path.getParent());
    if (Files.isDirectory(path, LinkOption.NOFOLLOW_LINKS)) {
      throw new ArchiveException("its member '" + shown(name) + "' is a folder before and a file");
    }
    Files.deleteIfExists(path);
    return path;
  }

  private void count(String name) throws ArchiveException {
    if (++members > MOST_MEMBERS) {
      throw new ArchiveException(
          "has more than " + MOST_MEMBERS + " members, up to '" + shown(name) + "'");
    }
  }

  private Path path(String name) throws ArchiveException {
    if (name.startsWith("/")) {
      throw new ArchiveException(
          "its member '" + shown(name) + "' has an absolute name, which leads out of the sandbox");
    }
    if (name.length() > LONGEST_NAME || name.indexOf('\0') >= 0) {
      throw new ArchiveException("a member's name is none: '" + shown(name) + "'");
    }
    Path path = root;
    try {
      for (String step : name.split("/")) {
        if (step.equals("..")) {
          throw new ArchiveException(
              "its member '" + shown(name) + "' leads out of the sandbox by '..'");
        }
        if (!step.isEmpty() && !step.equals(".")) {
          path = path.resolve(step);
        }
      }
    } catch (InvalidPathException e) {
      throw new ArchiveException(
          "its member '" + shown(name) + "' cannot be named in the agent's locale");
    }
    return path;
  }

  /** Makes sure that a folder of the tree is there, and is reached without a link. */
  private void enter(String name, Path folder) throws IOException {
    if (folders.contains(folder)) {
      return;
    }
    enter(name, folder.getParent());
    if (Files.isSymbolicLink(folder)) {
      throw new ArchiveException(
          "its member '"
              + shown(name)
              + "' would be written through its link '"
              + root.relativize(folder)
              + "'");
    }
    if (!Files.exists(folder, LinkOption.NOFOLLOW_LINKS)) {
      Files.createDirectory(folder);
    } else if (!Files.isDirectory(folder, LinkOption.NOFOLLOW_LINKS)) {
      throw new ArchiveException(
          "its member '" + shown(name) + "' is below '" + root.relativize(folder) + "', a file");
    }
    folders.add(folder);
  }

  private static void mode(Path path, int mode) throws IOException {
    Set<PosixFilePermission> permissions = EnumSet.noneOf(PosixFilePermission.class);
    PosixFilePermission[] all = PosixFilePermission.values();
    for (int bit = 0; bit < all.length; bit++) {
      if ((mode & 0400 >> bit) != 0) {
        permissions.add(all[bit]);
      }
    }
    Files.setPosixFilePermissions(path, permissions);
  }

  /** A name as it may be written into a log. */
  static String shown(String name) {
    String cut = name.length() > 200 ? name.substring(0, 200) + "..." : name;
    StringBuilder shown = new StringBuilder();
    cut.chars().forEach(c -> shown.append(Character.isISOControl(c) ? '?' : (char) c));
    return shown.toString();
  }
}
