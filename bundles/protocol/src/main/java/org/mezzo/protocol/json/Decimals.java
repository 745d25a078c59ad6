package org.mezzo.protocol.json;

import com.fasterxml.jackson.core.io.NumberOutput;

/**
 * The decimal text of a floating-point number: the shortest digits that read back as the same
 * number, without exponent as long as the point is within 21 digits to the right or 6 zeros to the
 * left of the first one, and always with a fraction or an exponent: {@code 4.0}, {@code
 * 1724439540.0}, {@code 0.001}, {@code 1e30}.
 */
final class Decimals {
  /** More than any formatted number has. */
  static final int MAX_LENGTH = 32;

  /**
   * Below this, any decimal of the form n/1000 that reads back as the number has at most 15 digits,
   * and two decimals of 15 digits never read as the same number: so it is the shortest one.
   */
  private static final double EXACT_THOUSANDTHS = 1e15;

  private static final int LARGEST_PLAIN_POINT = 21;
  private static final int SMALLEST_PLAIN_POINT = -5;

  private Decimals() {}

  /** Writes a finite number from index 0 on; returns the length. */
  static int format(double value, char[] out) {
    // Nearly every double of the protocol is a resource quantity with at most three digits.
    double thousandths = value * 1000;
    if (thousandths > -EXACT_THOUSANDTHS && thousandths < EXACT_THOUSANDTHS) {
      long n = Math.round(thousandths);
      if (n / 1000.0 == value && (n != 0 || 1 / value > 0)) {
        return formatThousandths(n, out);
      }
    }
    return rearrange(NumberOutput.toString(value, true), out);
  }

  /** Writes a finite number from index 0 on; returns the length. */
  static int format(float value, char[] out) {
    return rearrange(NumberOutput.toString(value, true), out);
  }

  private static int formatThousandths(long n, char[] out) {
    int at = 0;
    if (n < 0) {
      out[at++] = '-';
      n = -n;
    }
    long whole = n / 1000;
    int fraction = (int) (n - whole * 1000);
    int width = 1;
    for (long power = 10; power <= whole; power *= 10) {
      width++;
    }
    for (int i = at + width - 1; i >= at; i--) {
      long rest = whole / 10;
      out[i] = (char) ('0' + (whole - rest * 10));
      whole = rest;
    }
    at += width;
    out[at++] = '.';
    int hundreds = fraction / 100;
    int below = fraction - hundreds * 100;
    out[at++] = (char) ('0' + hundreds);
    if (below != 0) {
      int tens = below / 10;
      int ones = below - tens * 10;
      out[at++] = (char) ('0' + tens);
      if (ones != 0) {
        out[at++] = (char) ('0' + ones);
      }
    }
    return at;
  }

  /** From Java's notation, which turns to exponents at 10^7, to ours. */
  private static int rearrange(String java, char[] out) {
    int at = 0;
    int from = 0;
    if (java.charAt(0) == '-') {
      out[at++] = '-';
      from = 1;
    }
    int end = java.indexOf('E');
    int exponent = 0;
    if (end < 0) {
      end = java.length();
    } else {
      exponent = Integer.parseInt(java, end + 1, java.length(), 10);
    }
    // Digits without point and without zeros at either end; the point stands `point` digits from
    // their start.
    char[] digits = new char[MAX_LENGTH];
    int count = 0;
    int point = java.indexOf('.') - from + exponent;
    for (int i = from; i < end; i++) {
      char c = java.charAt(i);
      if (c == '.') {
        continue;
      }
      if (count == 0 && c == '0') {
        point--;
        continue;
      }
      digits[count++] = c;
    }
    while (count > 0 && digits[count - 1] == '0') {
      count--;
    }
    if (count == 0) {
      out[at++] = '0';
      out[at++] = '.';
      out[at++] = '0';
      return at;
    }
    if (point > LARGEST_PLAIN_POINT || point < SMALLEST_PLAIN_POINT) {
      out[at++] = digits[0];
      if (count > 1) {
        out[at++] = '.';
        System.arraycopy(digits, 1, out, at, count - 1);
        at += count - 1;
      }
      String power = "e" + (point - 1);
      power.getChars(0, power.length(), out, at);
      return at + power.length();
    }
    if (point <= 0) {
      out[at++] = '0';
      out[at++] = '.';
      for (int i = point; i < 0; i++) {
        out[at++] = '0';
      }
      System.arraycopy(digits, 0, out, at, count);
      return at + count;
    }
    for (int i = 0; i < point; i++) {
      out[at++] = i < count ? digits[i] : '0';
    }
    out[at++] = '.';
    if (count <= point) {
      out[at++] = '0';
      return at;
    }
    System.arraycopy(digits, point, out, at, count - point);
    return at + count - point;
  }
}
