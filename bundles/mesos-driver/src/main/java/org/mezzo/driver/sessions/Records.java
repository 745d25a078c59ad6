package org.mezzo.driver.sessions;

import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;

/** Reads a stream of records: a length in decimal digits, a line feed, and that many bytes. */
final class Records {
  /** What no event of a real master comes near; more is taken for something else than a master. */
  private static final int LARGEST = 256 << 20;

  private final InputStream in;

  Records(InputStream in) {
    this.in = in;
  }

  /**
   * The next one.
   *
   * @throws EOFException when the stream ends, between records or within one
   * @throws IOException when it holds no records
   */
  byte[] next() throws IOException {
    int length = 0;
    int digits = 0;
    for (int next = in.read(); next != '\n'; next = in.read()) {
      if (next < 0) {
        throw new EOFException("the stream has ended");
      }
      if (next < '0' || next > '9' || ++digits > 9) {
        throw new IOException("what came is no stream of records");
      }
      length = length * 10 + next - '0';
    }
    if (digits == 0 || length > LARGEST) {
      throw new IOException("what came is no stream of records");
    }
    byte[] record = new byte[length];
    int read = 0;
    while (read < length) {
      int more = in.read(record, read, length - read);
      if (more < 0) {
        throw new EOFException("the stream has ended within an event");
      }
      read += more;
    }
    return record;
  }
}
