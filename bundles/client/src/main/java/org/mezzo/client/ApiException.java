package org.mezzo.client;

import java.io.IOException;

/** An answer that refuses a call; the message is the daemon's. */
public final class ApiException extends IOException {
  private static final long serialVersionUID = 1L;

  private final int status;

  public ApiException(int status, String message) {
    super(message.isBlank() ? "HTTP status " + status : message.strip() + " (" + status + ")");
    this.status = status;
  }

  /** The HTTP status. */
  public int status() {
    return status;
  }

  /** Whether the same call may succeed later: nobody leads now, or the daemon is recovering. */
  public boolean temporary() {
    return status >= 500 || status == 408 || status == 429;
  }
}
