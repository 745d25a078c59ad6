package org.mezzo.daemon.files;

import java.io.IOException;

/** Why a virtual path cannot be shown; the message is meant for the client and may be empty. */
public final class FileException extends IOException {
  private static final long serialVersionUID = 1L;

  private final int status;

  public FileException(int status, String message) {
    super(message);
    this.status = status;
  }

  /** The HTTP status that tells it: 400 or 404. */
  public int status() {
    return status;
  }
}
