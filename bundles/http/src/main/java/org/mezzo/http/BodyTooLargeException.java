package org.mezzo.http;

import java.io.IOException;

/** A request body beyond its limit; answered with 413. */
public final class BodyTooLargeException extends IOException {
  private static final long serialVersionUID = 1L;

  public BodyTooLargeException(long limit) {
    super("Request body is larger than the limit of " + limit + " bytes");
  }
}
