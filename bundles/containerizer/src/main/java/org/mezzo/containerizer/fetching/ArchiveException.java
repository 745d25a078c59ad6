package org.mezzo.containerizer.fetching;

import java.io.IOException;

/** An archive is damaged, or would do what no archive may; the message says what and where. */
final class ArchiveException extends IOException {
  private static final long serialVersionUID = 1L;

  ArchiveException(String message) {
    super(message);
  }
}
