package org.mezzo.daemon;

import java.io.IOException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import org.mezzo.files.FileFailure;
import org.mezzo.files.ProcessLock;

/**
 * Keeps a second daemon off a work directory. A lock of the operating system: it ends with the
 * process, however that ends.
 */
public final class WorkDirLock implements AutoCloseable {
  private final ProcessLock lock;

  private WorkDirLock(ProcessLock lock) {
    this.lock = lock;
  }

  /**
   * Makes the directory if need be and locks it.
   *
   * @param role names the lock, for example {@code master}: a master and an agent may share a
   *     directory
   * @throws IOException when the directory cannot be written, or another daemon holds it; the
   *     message tells which process
   */
  public static WorkDirLock acquire(Path workDir, String role) throws IOException {
    Path file = workDir.resolve("." + role + ".lock");
    ProcessLock lock =
        locked(workDir, file)
            .orElseThrow(
                () ->
                    new IOException(
                        "The work directory "
                            + workDir
                            + " is in use by another "
                            + role
                            + " (process "
                            + ProcessLock.holder(file)
                            + "): stop that one, or give this one a --work_dir of its own"));
    return new WorkDirLock(lock);
  }

  private static Optional<ProcessLock> locked(Path workDir, Path file) throws IOException {
    try {
      Files.createDirectories(workDir);
      return ProcessLock.tryAcquire(file);
    } catch (FileSystemException e) {
      throw new IOException(
          "The work directory "
              + workDir
              + " cannot be written, and nothing in it was changed: "
              + FileFailure.reason(e),
          e);
    }
  }

  /** Lets the directory go. */
  @Override
  public void close() throws IOException {
    lock.close();
  }
}
