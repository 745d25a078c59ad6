package org.mezzo.resources;

import java.util.Arrays;

/**
 * Sets of unsigned 64 bit integers as an array of inclusive bounds {@code begin, end, begin, end,
 * ...}, ascending, with a gap between any two spans (rule 274).
 */
final class Spans {
  static final long[] NONE = {};

  private Spans() {}

  /** Sorts and coalesces pairs of bounds, each with begin at most end. */
  static long[] coalesce(long[] bounds) {
    int n = bounds.length / 2;
    if (isCoalesced(bounds)) {
      return bounds;
    }
    Integer[] order = new Integer[n];
    Arrays.setAll(order, i -> i);
    Arrays.sort(order, (a, b) -> Long.compareUnsigned(bounds[2 * a], bounds[2 * b]));
    long[] out = new long[bounds.length];
    int size = 0;
    for (int i : order) {
      size = append(out, size, bounds[2 * i], bounds[2 * i + 1]);
    }
    return trim(out, size);
  }

  private static boolean isCoalesced(long[] bounds) {
    for (int i = 2; i < bounds.length; i += 2) {
      if (touches(bounds[i - 1], bounds[i])) {
        return false;
      }
    }
    return true;
  }

  /** Whether a span beginning at {@code begin} overlaps or follows one ending at {@code end}. */
  private static boolean touches(long end, long begin) {
    return end == -1 || Long.compareUnsigned(begin, end + 1) <= 0;
  }

  private static int append(long[] out, int size, long begin, long end) {
    if (size > 0 && touches(out[size - 1], begin)) {
      if (Long.compareUnsigned(end, out[size - 1]) > 0) {
        out[size - 1] = end;
      }
      return size;
    }
    out[size] = begin;
    out[size + 1] = end;
    return size + 2;
  }

  private static long[] trim(long[] out, int size) {
    return size == out.length ? out : Arrays.copyOf(out, size);
  }

  static long[] union(long[] a, long[] b) {
    if (a.length == 0) {
      return b;
    }
    if (b.length == 0) {
      return a;
    }
    long[] out = new long[a.length + b.length];
    int size = 0;
    int i = 0;
    int j = 0;
    while (i < a.length || j < b.length) {
      if (j == b.length || (i < a.length && Long.compareUnsigned(a[i], b[j]) <= 0)) {
        size = append(out, size, a[i], a[i + 1]);
        i += 2;
      } else {
        size = append(out, size, b[j], b[j + 1]);
        j += 2;
      }
    }
    return trim(out, size);
  }

  static long[] minus(long[] a, long[] b) {
    if (a.length == 0 || b.length == 0) {
      return a;
    }
    long[] out = new long[a.length + b.length];
    int size = 0;
    int j = 0;
    for (int i = 0; i < a.length; i += 2) {
      long begin = a[i];
      long end = a[i + 1];
      while (j < b.length && Long.compareUnsigned(b[j + 1], begin) < 0) {
        j += 2;
      }
      boolean left = true;
      for (int k = j; left && k < b.length && Long.compareUnsigned(b[k], end) <= 0; k += 2) {
        if (Long.compareUnsigned(b[k], begin) > 0) {
          out[size++] = begin;
          out[size++] = b[k] - 1;
        }
        left = Long.compareUnsigned(b[k + 1], end) < 0;
        begin = b[k + 1] + 1;
      }
      if (left) {
        out[size++] = begin;
        out[size++] = end;
      }
    }
    return trim(out, size);
  }

  /** Whether each span of {@code b} lies within one of {@code a} (rule 275). */
  static boolean contains(long[] a, long[] b) {
    int i = 0;
    for (int j = 0; j < b.length; j += 2) {
      while (i < a.length && Long.compareUnsigned(a[i + 1], b[j + 1]) < 0) {
        i += 2;
      }
      if (i == a.length || Long.compareUnsigned(a[i], b[j]) > 0) {
        return false;
      }
    }
    return true;
  }

  /** How many integers there are, at most {@link Long#MAX_VALUE}. */
  static long count(long[] spans) {
    long count = 0;
    for (int i = 0; i < spans.length; i += 2) {
      long more = spans[i + 1] - spans[i] + 1;
      count += more;
      if (more <= 0 || count < 0) {
        return Long.MAX_VALUE;
      }
    }
    return count;
  }
}
