package org.mezzo.coordination.store;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.Map;
import org.mezzo.coordination.Registry.Change;
import org.mezzo.files.log.RecordLog;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The registry of a master that stands alone: a log that one process has open at a time. */
final class RegistryLog implements GroupCommit.Store, AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(RegistryLog.class);

  private final FileChannel lock;
  private final RecordLog log;

  private RegistryLog(FileChannel lock, RecordLog log) {
    this.lock = lock;
    this.log = log;
  }

  static RegistryLog open(Path dir) throws IOException {
    Files.createDirectories(dir);
    FileChannel lock =
        FileChannel.open(dir.resolve("lock"), StandardOpenOption.CREATE, StandardOpenOption.WRITE);
    try {
      if (!locked(lock)) {
        throw new IOException(
            "Registry " + dir + " is in use by another master; give each its own work directory");
      }
      return new RegistryLog(
          lock,
          RecordLog.open(
              "Registry",
              "restore it from a backup, or remove it to start with an empty registry",
              dir));
    } catch (IOException | RuntimeException e) {
      lock.close();
      throw e;
    }
  }

  private static boolean locked(FileChannel lock) throws IOException {
    try {
      FileLock held = lock.tryLock();
      return held != null;
    } catch (OverlappingFileLockException e) {
      return false;
    }
  }

  /** A copy; the arrays are shared and must not be changed. */
  Map<String, byte[]> contents() {
    return log.contents();
  }

  @Override
  public void store(List<Change> changes) throws IOException {
    log.store(
        changes.stream().map(each -> new RecordLog.Change(each.key(), each.value())).toList());
  }

  @Override
  public long bytes(Change change) {
    int value = change.value() == null ? 0 : change.value().length;
    return 2L * Integer.BYTES + 3L * change.key().length() + value;
  }

  @Override
  public void close() {
    log.close();
    try {
      lock.close();
    } catch (IOException e) {
      LOG.warn("Letting go of a registry failed: {}", e.toString());
    }
  }
}
