package org.mezzo.deployment.journal;

import java.io.IOException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;
import org.mezzo.files.FileFailure;
import org.mezzo.files.OwnFolder;
import org.mezzo.files.ProcessLock;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The folder with the store and the journal, which one process uses at a time. */
public final class StateFolder implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(StateFolder.class);

  private final Path folder;
  private final ProcessLock lock;
  private final Journal journal;
  private final BundleStore store;

  private StateFolder(Path folder, ProcessLock lock) throws IOException {
    this.folder = folder;
    this.lock = lock;
    journal = Journal.open(folder.resolve("journal"));
    store = new BundleStore(Files.createDirectories(folder.resolve("bundles")));
  }

  /**
   * Opens it, made if it is not there, for this process's user alone: whoever could write in it
   * could have the process run what he likes.
   *
   * @param patience how long to wait for a process that uses it, which may be about to end
   * @throws IOException with a message for operators, also when another process uses it to the end
   */
  public static StateFolder open(Path folder, Duration patience) throws IOException {
    try {
      OwnFolder.closed(folder, "Or choose another work directory");
    } catch (FileSystemException e) {
      // One that names no reason of the system has said everything.
      boolean refused = e.getClass() == FileSystemException.class && e.getReason() == null;
      throw refused ? e : unusable(folder, e);
    }
    ProcessLock lock = lock(folder, patience);
    try {
      return new StateFolder(folder, lock);
    } catch (IOException e) {
      lock.close();
      throw unusable(folder, e);
    } catch (RuntimeException e) {
      lock.close();
      throw e;
    }
  }

  private static IOException unusable(Path folder, IOException why) {
    return new IOException(
        "The folder %s cannot be used: %s. Take away what is in the way, let the user '%s' write there, or give this process another --work_dir"
            .formatted(folder, FileFailure.reason(why), System.getProperty("user.name")),
        why);
  }

  private static Optional<ProcessLock> tryLock(Path folder, Path file) throws IOException {
    try {
      return ProcessLock.tryAcquire(file);
    } catch (IOException e) {
      throw unusable(folder, e);
    }
  }

  private static ProcessLock lock(Path folder, Duration patience) throws IOException {
    Path file = folder.resolve("lock");
    long begin = System.nanoTime();
    Optional<ProcessLock> lock = tryLock(folder, file);
    if (lock.isEmpty() && !patience.isZero()) {
      LOG.info(
          "Waiting at most {} s for process {}, which uses {}",
          patience.toSeconds(),
          ProcessLock.holder(file),
          folder);
    }
    while (lock.isEmpty()) {
      if (System.nanoTime() - begin >= patience.toNanos()) {
        throw new IOException(
            "The folder %s is in use by another process (%s): stop that one, or give this one a --work_dir of its own"
                .formatted(folder, ProcessLock.holder(file)));
      }
      try {
        Thread.sleep(20);
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        throw new IOException("Interrupted while waiting for " + folder, e);
      }
      lock = tryLock(folder, file);
    }
    return lock.get();
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
