package org.mezzo.files;

import java.nio.file.FileSystemException;
import java.nio.file.Path;

/** An entry was exchanged between being looked at and being opened; worth another try. */
final class ChangedException extends FileSystemException {
  private static final long serialVersionUID = 1L;

  ChangedException(Path name) {
    super(name.toString(), null, "it was exchanged while it was opened");
  }
}
