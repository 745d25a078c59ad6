package org.mezzo.protocol.recordio;

import java.io.IOException;

/** A stream that is no RecordIO, or has a record beyond the limit; fatal for the stream. */
public final class RecordFormatException extends IOException {
  private static final long serialVersionUID = 1L;

  public RecordFormatException(String message) {
    super(message);
  }
}
