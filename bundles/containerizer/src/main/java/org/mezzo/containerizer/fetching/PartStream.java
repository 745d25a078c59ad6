package org.mezzo.containerizer.fetching;

import java.io.IOException;
import java.io.InputStream;

/** So many bytes of something that goes on behind them, or should. For one thread. */
abstract class PartStream extends InputStream {
  private long left;

  /** Begins where {@link #next} does. */
  PartStream(long size) {
    this.left = size;
  }

  /** The next bytes, as of {@link InputStream#read(byte[], int, int)}. */
  abstract int next(byte[] bytes, int offset, int length) throws IOException;

  /** What is thrown when there are not so many. */
  abstract IOException cutOff();

  @Override
  public final int read() throws IOException {
    byte[] one = new byte[1];
    return read(one, 0, 1) < 0 ? -1 : one[0] & 0xff;
  }

  @Override
  public final int read(byte[] bytes, int offset, int length) throws IOException {
    if (left == 0) {
      return -1;
    }
    int count = next(bytes, offset, (int) Math.min(length, left));
    if (count < 0) {
      throw cutOff();
    }
    left -= count;
    return count;
  }
}
