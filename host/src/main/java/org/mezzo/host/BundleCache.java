package org.mezzo.host;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Comparator;
import java.util.stream.Stream;

/**
 * The framework's folder of one boot. It is locked while in use, so that what a killed process left
 * behind can be told from what another one uses, and deleted by the next boot.
 */
final class BundleCache implements AutoCloseable {
  private static final String PREFIX = "boot-";
  private static final String LOCK = "lock";

  private final Path directory;
  private final FileChannel channel;

  private BundleCache(Path directory, FileChannel channel) {
    this.directory = directory;
    this.channel = channel;
  }

  static BundleCache create(Path root) throws HostException {
    try {
      Files.createDirectories(
          root, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
      sweep(root);
      Path directory = Files.createTempDirectory(root, PREFIX);
      FileChannel channel =
          FileChannel.open(
              directory.resolve(LOCK), StandardOpenOption.CREATE, StandardOpenOption.WRITE);
      channel.lock();
      return new BundleCache(directory, channel);
    } catch (IOException e) {
      throw new HostException("The bundle cache below " + root + " cannot be created: " + e, e);
    }
  }

  Path directory() {
    return directory.resolve("bundles");
  }

  @Override
  public void close() {
    try (channel) {
      delete(directory);
    } catch (IOException | UncheckedIOException e) {
      // Whatever is left is deleted by the next boot.
      return;
    }
  }

  private static void sweep(Path root) throws IOException {
    try (DirectoryStream<Path> left = Files.newDirectoryStream(root, PREFIX + "*")) {
      for (Path directory : left) {
        Path lock = directory.resolve(LOCK);
        // Without a lock file the folder is being made or deleted right now by its owner.
        if (Files.exists(lock)) {
          try (FileChannel channel = FileChannel.open(lock, StandardOpenOption.WRITE);
              FileLock free = channel.tryLock()) {
            if (free != null) {
              delete(directory);
            }
          } catch (OverlappingFileLockException e) {
            continue;
          }
        }
      }
    }
  }

  private static void delete(Path directory) throws IOException {
    try (Stream<Path> paths = Files.walk(directory)) {
      for (Path path : (Iterable<Path>) paths.sorted(Comparator.reverseOrder())::iterator) {
        Files.deleteIfExists(path);
      }
    }
  }
}
