package org.mezzo.daemon;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;

/**
 * Keeps a second daemon off a work directory. A lock of the operating system: it ends with the
 * process, however that ends.
 */
public final class WorkDirLock implements AutoCloseable {
  private final FileChannel channel;

  private WorkDirLock(FileChannel channel) {
    this.channel = channel;
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
    Files.createDirectories(workDir);
    Path file = workDir.resolve("." + role + ".lock");
    FileChannel channel =
        FileChannel.open(
            file, StandardOpenOption.CREATE, StandardOpenOption.READ, StandardOpenOption.WRITE);
    try {
      FileLock lock = tryLock(channel);
      if (lock == null) {
        throw new IOException(
            "The work directory "
                + workDir
                + " is in use by another "
                + role
                + " (process "
                + holder(channel)
                + "): stop that one, or give this one a --work_dir of its own");
      }
      byte[] pid = Long.toString(ProcessHandle.current().pid()).getBytes(StandardCharsets.US_ASCII);
      channel.truncate(0);
      channel.write(ByteBuffer.wrap(pid), 0);
      return new WorkDirLock(channel);
    } catch (IOException | RuntimeException e) {
      channel.close();
      throw e;
    }
  }

  private static FileLock tryLock(FileChannel channel) throws IOException {
    try {
      // Far beyond the text, so that the holder's pid stays readable where locks are mandatory.
      return channel.tryLock(Long.MAX_VALUE - 1, 1, false);
    } catch (OverlappingFileLockException e) {
      return null;
    }
  }

  private static String holder(FileChannel channel) throws IOException {
    ByteBuffer text = ByteBuffer.allocate(32);
    channel.read(text, 0);
    String pid = new String(text.array(), 0, text.position(), StandardCharsets.US_ASCII).trim();
    return pid.isEmpty() ? "unknown" : pid;
  }

  /** Lets the directory go. */
  @Override
  public void close() throws IOException {
    channel.close();
  }
}
