package org.mezzo.files;

import java.nio.file.FileSystemException;

/** Something is no regular file where one is needed. */
public final class NotRegularFileException extends FileSystemException {
  private static final long serialVersionUID = 1L;

  private final boolean directory;

  NotRegularFileException(String path, boolean directory) {
    super(path, null, directory ? "it is a directory" : "it is a fifo, a socket or a device");
    this.directory = directory;
  }

  /** Whether it is a directory; else a fifo, a socket or a device. */
  public boolean directory() {
    return directory;
  }
}
