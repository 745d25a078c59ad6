package org.mezzo.http;

import java.io.IOException;

/** Why a stream was cut whose client does not read what is sent to it. */
public final class SlowClientException extends IOException {
  private static final long serialVersionUID = 1L;

  /** With what waited, and for how long. */
  public SlowClientException(String message) {
    super(message);
  }
}
