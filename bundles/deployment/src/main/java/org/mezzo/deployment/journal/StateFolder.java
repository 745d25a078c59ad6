package org.mezzo.deployment.journal;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import org.mezzo.files.OwnFolder;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The folder with the store and the journal, which one process uses at a time. */
public final class StateFolder implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(StateFolder.class);

  private final Path folder;
  private final FileChannel lock;
  private final Journal journal;
  private final BundleStore store;

  private StateFolder(Path folder, FileChannel lock) throws IOException {
    this.folder = folder;
    this.lock = lock;
    journal = Journal.open(folder.resolve("journal"));
    store = new BundleStore(Files.createDirectories(folder.resolve("bundles")));
  }

  /**
   * Opens it, made if it is not there, for this process's user alone: whoever could write in it
   * could have the process run what he likes.
   *
   * @throws IOException with a message for operators, also when another process uses it
   */
  public static StateFolder open(Path folder) throws IOException {
    OwnFolder.closed(folder, "Or choose another work directory");
    FileChannel lock =
        FileChannel.open(
            folder.resolve("lock"), StandardOpenOption.CREATE, StandardOpenOption.WRITE);
    try {
      if (!locked(lock)) {
        throw new IOException(
            "The folder "
                + folder
                + " is in use by another process; give each its own work directory");
      }
      return new StateFolder(folder, lock);
    } catch (IOException | RuntimeException e) {
      lock.close();
      throw e;
    }
  }

  private static boolean locked(FileChannel lock) throws IOException {
    try {
      return lock.tryLock() != null;
    } catch (OverlappingFileLockException e) {
      return false;
    }
  }

  /** Where it is. */
  public Path folder() {
    return folder;
  }

  /** What is remembered. */
  public Journal journal() {
    return journal;
  }

  /** The bytes of bundles. */
  public BundleStore store() {
    return store;
  }

  @Override
  public void close() {
    try {
      journal.close();
      lock.close();
    } catch (IOException e) {
      LOG.warn("Closing {} failed: {}", folder, e.toString());
    }
  }
}
