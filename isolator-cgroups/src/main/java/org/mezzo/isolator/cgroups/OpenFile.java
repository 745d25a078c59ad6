package org.mezzo.isolator.cgroups;

import java.io.File;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Path;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A small file of the kernel that is read again and again: it stays open, and a read leaves no
 * garbage. Not safe for several threads.
 */
final class OpenFile {
  private static final Logger LOG = LoggerFactory.getLogger(OpenFile.class);

  /** What was read last. */
  final byte[] bytes;

  private final Path folder;
  private final String name;
  private RandomAccessFile file;
  private boolean closed;

  /**
   * Opened with the first read that finds it.
   *
   * @param most more bytes than it has
   */
  OpenFile(Path folder, String name, int most) {
    this.folder = folder;
    this.name = name;
    bytes = new byte[most];
  }

  /** How much was read; 0 when there is nothing to read, as when the kernel has no such file. */
  int read() {
    try {
      if (file == null) {
        File found = new File(folder.toString(), name);
        if (closed || !found.exists()) {
          return 0;
        }
        file = new RandomAccessFile(found, "r");
      }
      file.seek(0);
      return Math.max(0, file.read(bytes));
    } catch (IOException e) {
      // The cgroup is gone.
      return 0;
    }
  }

  /** The number that it begins with; 0 for none. */
  long readNumber() {
    int size = read();
    long number = 0;
    for (int i = 0; i < size && bytes[i] >= '0' && bytes[i] <= '9'; i++) {
      number = number * 10 + bytes[i] - '0';
    }
    return number;
  }

  void close() {
    closed = true;
    if (file != null) {
      try {
        file.close();
      } catch (IOException e) {
        LOG.debug("Closing {} of {} failed", name, folder, e);
      }
      file = null;
    }
  }
}
