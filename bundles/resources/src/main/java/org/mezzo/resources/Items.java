package org.mezzo.resources;

import java.util.Arrays;

/** Sets of strings as sorted arrays without duplicates (rule 276). */
final class Items {
  static final String[] NONE = {};

  private Items() {}

  static String[] union(String[] a, String[] b) {
    String[] out = new String[a.length + b.length];
    int size = 0;
    int i = 0;
    int j = 0;
    while (i < a.length || j < b.length) {
      int order = i == a.length ? 1 : j == b.length ? -1 : a[i].compareTo(b[j]);
      if (order <= 0) {
        out[size++] = a[i++];
        j += order == 0 ? 1 : 0;
      } else {
        out[size++] = b[j++];
      }
    }
    return size == out.length ? out : Arrays.copyOf(out, size);
  }

  static String[] minus(String[] a, String[] b) {
    String[] out = new String[a.length];
    int size = 0;
    for (String item : a) {
      if (Arrays.binarySearch(b, item) < 0) {
        out[size++] = item;
      }
    }
    return size == a.length ? a : Arrays.copyOf(out, size);
  }

  static boolean contains(String[] a, String[] b) {
    for (String item : b) {
      if (Arrays.binarySearch(a, item) < 0) {
        return false;
      }
    }
    return true;
  }
}
