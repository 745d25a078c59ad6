package org.mezzo.protocol.json;

import java.io.OutputStream;
import java.util.ArrayList;
import java.util.List;

/** Collects bytes in segments that double in size and are copied once, into the exact array. */
final class SegmentedOutput extends OutputStream {
  static final byte[] NOTHING = {};

  private static final int FIRST = 8 * 1024;
  private static final int LARGEST = 4 * 1024 * 1024;

  private final List<byte[]> full = new ArrayList<>();
  private int fullBytes;
  private byte[] segment = NOTHING;
  private int used;

  @Override
  public void write(int b) {
    write(new byte[] {(byte) b}, 0, 1);
  }

  @Override
  public void write(byte[] bytes, int offset, int length) {
    while (length > 0) {
      if (used == segment.length) {
        next(length);
      }
      int part = Math.min(length, segment.length - used);
      System.arraycopy(bytes, offset, segment, used, part);
      used += part;
      offset += part;
      length -= part;
    }
  }

  private void next(int atLeast) {
    if (used > 0) {
      full.add(segment);
      fullBytes = Math.addExact(fullBytes, used);
    }
    int size = Math.min(LARGEST, Math.max(FIRST, segment.length * 2));
    // The first write of a short message is also its last: no room to spare then.
    segment = new byte[full.isEmpty() && atLeast < FIRST ? atLeast : Math.max(size, atLeast)];
    used = 0;
  }

  int size() {
    return Math.addExact(fullBytes, used);
  }

  /** Everything written, after a prefix. */
  byte[] join(byte[] prefix) {
    if (prefix.length == 0 && full.isEmpty() && used == segment.length) {
      return segment;
    }
    byte[] whole = new byte[Math.addExact(prefix.length, size())];
    System.arraycopy(prefix, 0, whole, 0, prefix.length);
    int at = prefix.length;
    for (byte[] each : full) {
      System.arraycopy(each, 0, whole, at, each.length);
      at += each.length;
    }
    System.arraycopy(segment, 0, whole, at, used);
    return whole;
  }
}
