package org.mezzo.files;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/**
 * A file that one process holds at a time, and that says which one. A lock of the operating system:
 * it ends with the process, however that ends. The file itself stays. Safe for any thread.
 */
public final class ProcessLock implements AutoCloseable {
  /**
   * What this process holds. Such a file must not be opened again: closing it would end the lock.
   */
  private static final Set<Path> HELD = ConcurrentHashMap.newKeySet();

  private final Path key;
  private final FileChannel channel;

  private ProcessLock(Path key, FileChannel channel) {
    this.key = key;
    this.channel = channel;
  }

  /**
   * Takes the lock if nobody has it, this process included.
   *
   * @param file made if it is not there; its folder must be
   * @return empty when it is held; {@link #holder} tells by whom
   * @throws IOException when the file cannot be made or written
   */
  public static Optional<ProcessLock> tryAcquire(Path file) throws IOException {
    Path key = key(file);
    if (!HELD.add(key)) {
      return Optional.empty();
    }
    ProcessLock lock = null;
    try {
      lock = lock(key);
      return Optional.ofNullable(lock);
    } finally {
      if (lock == null) {
        HELD.remove(key);
      }
    }
  }

  private static ProcessLock lock(Path key) throws IOException {
    FileChannel channel =
        FileChannel.open(key, StandardOpenOption.CREATE, StandardOpenOption.WRITE);
    boolean locked = false;
    try {
      // Far beyond the text, so that the holder's pid stays readable where locks are mandatory.
      locked = channel.tryLock(Long.MAX_VALUE - 1, 1, false) != null;
      if (locked) {
        long pid = ProcessHandle.current().pid();
        channel.truncate(0);
        channel.write(ByteBuffer.wrap(Long.toString(pid).getBytes(StandardCharsets.US_ASCII)), 0);
      }
      return locked ? new ProcessLock(key, channel) : null;
    } catch (IOException | RuntimeException e) {
      locked = false;
      throw e;
    } finally {
      if (!locked) {
        channel.close();
      }
    }
  }

  private static Path key(Path file) throws IOException {
    Path absolute = file.toAbsolutePath();
    return absolute.getParent().toRealPath().resolve(absolute.getFileName());
  }

  /**
   * The process that took the lock last, for messages.
   *
   * @return its id, or {@code unknown}
   */
  public static String holder(Path file) {
    try {
      Path key = key(file);
      if (HELD.contains(key)) {
        return Long.toString(ProcessHandle.current().pid());
      }
      try (FileChannel channel = FileChannel.open(key, StandardOpenOption.READ)) {
        ByteBuffer text = ByteBuffer.allocate(32);
        channel.read(text, 0);
        String pid = new String(text.array(), 0, text.position(), StandardCharsets.US_ASCII).trim();
        return pid.isEmpty() ? "unknown" : pid;
      }
    } catch (IOException e) {
      return "unknown";
    }
  }

  /** Lets it go. */
  @Override
  public void close() throws IOException {
    channel.close();
    HELD.remove(key);
  }
}
