package org.mezzo.containerizer.fetching;

import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.InterruptedIOException;
import java.nio.channels.Channels;
import java.nio.channels.ClosedByInterruptException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.zip.GZIPInputStream;

/**
 * Unpacks what {@code extract} unpacks (rule 324), into a folder closed to others: nothing of an
 * archive gets into a sandbox before all of it was found harmless. Which compression a tar archive
 * has, its first bytes say. Archives are read here; bzip2 and xz are decompressed by the machine's
 * programs, as the task's user. Safe for any thread.
 */
final class Archives {
  private static final Set<String> TAR_SUFFIXES =
      Set.of(".tar", ".tgz", ".tar.gz", ".tbz2", ".tar.bz2", ".txz", ".tar.xz");
  private static final List<String> OUTPUTS = List.of("stdout", "stderr");
  private static final int PIECE = 65_536;

  private final Commands commands;
  private final long mostBytes;

  /**
   * @param mostBytes the most that one archive may unpack to
   */
  Archives(Commands commands, long mostBytes) {
    this.commands = commands;
    this.mostBytes = mostBytes;
  }

  /** The same with other ones that start programs. */
  Archives by(Commands others) {
    return new Archives(others, mostBytes);
  }

  /** Whether a file of this name is unpacked. */
  static boolean unpacks(String name) {
    return TAR_SUFFIXES.stream().anyMatch(name::endsWith)
        || name.endsWith(".zip")
        || name.endsWith(".gz") && name.length() > 3;
  }

  /**
   * Unpacks a file.
   *
   * @param name its name in the sandbox, by which it is known what it is
   * @param into an empty folder that nobody else may enter
   * @throws ArchiveException when it is refused
   */
  void unpack(Path archive, String name, Path into, Optional<TaskUser> user, FetchLog log)
      throws IOException, InterruptedException {
    UnpackedTree tree = new UnpackedTree(into, mostBytes);
    try {
      if (TAR_SUFFIXES.stream().anyMatch(name::endsWith)) {
        tar(archive, tree, user, log);
      } else if (name.endsWith(".zip")) {
        ZipReader.read(archive, log, tree);
      } else {
        try (InputStream in = new GZIPInputStream(open(archive), PIECE)) {
          tree.file(name.substring(0, name.length() - 3), in, 0644, null);
        }
      }
    } catch (ClosedByInterruptException | InterruptedIOException e) {
      Thread.interrupted();
      InterruptedException interrupted = new InterruptedException("Unpacking was cancelled");
      interrupted.initCause(e);
      throw interrupted;
    } catch (java.util.zip.ZipException | java.io.EOFException e) {
      throw new ArchiveException("is damaged: " + e.getMessage());
    }
    for (String reserved : OUTPUTS) {
      Path output = into.resolve(reserved);
      if (Files.exists(output, LinkOption.NOFOLLOW_LINKS)
          && !Files.isRegularFile(output, LinkOption.NOFOLLOW_LINKS)) {
        throw new ArchiveException(
            "its member '" + reserved + "' is no file, and the output of the task goes there");
      }
    }
  }

  private void tar(Path archive, UnpackedTree tree, Optional<TaskUser> user, FetchLog log)
      throws IOException, InterruptedException {
    byte[] magic;
    try (InputStream in = open(archive)) {
      magic = in.readNBytes(6);
    }
    if (begins(magic, 0x1f, 0x8b)) {
      try (InputStream in = new GZIPInputStream(open(archive), PIECE)) {
        TarReader.read(new BufferedInputStream(in, PIECE), tree);
      }
    } else if (begins(magic, 'B', 'Z', 'h')) {
      piped(archive, tree, user, log, "bzip2", "-dc");
    } else if (begins(magic, 0xfd, '7', 'z', 'X', 'Z', 0)) {
      piped(archive, tree, user, log, "xz", "-dc", "--memlimit-decompress=512MiB");
    } else {
      try (InputStream in = open(archive)) {
        TarReader.read(in, tree);
      }
    }
  }

  private void piped(
      Path archive, UnpackedTree tree, Optional<TaskUser> user, FetchLog log, String... command)
      throws IOException, InterruptedException {
    int status =
        commands.pipe(
            user,
            log,
            archive,
            output -> {
              try {
                TarReader.read(new BufferedInputStream(output, PIECE), tree);
              } catch (InterruptedException e) {
                throw new InterruptedIOException(e.getMessage());
              }
            },
            command);
    if (status != 0) {
      throw new ArchiveException(
          "is damaged: " + command[0] + " ended with status " + status + "; see stderr");
    }
  }

  private static InputStream open(Path archive) throws IOException {
    return new BufferedInputStream(
        Channels.newInputStream(FileChannel.open(archive, StandardOpenOption.READ)), PIECE);
  }

  private static boolean begins(byte[] bytes, int... expected) {
    if (bytes.length < expected.length) {
      return false;
    }
    for (int i = 0; i < expected.length; i++) {
      if ((bytes[i] & 0xff) != expected[i]) {
        return false;
      }
    }
    return true;
  }
}
