package org.mezzo.master.constraints;

import java.util.ArrayDeque;

/**
 * What an expression would grow to, told from its text; as exact as it has to be to keep away what
 * must not be compiled, while the compiler judges whether the text is an expression at all.
 *
 * @param size about how many instructions it takes
 * @param repetitions the largest product of counts {@code {n,m}} that contain each other
 * @param depth of its groups
 */
record RegexShape(long size, long repetitions, int depth) {
  /** RE2's own limits. */
  static final int MAX_DEPTH = 1_000;

  static final int MAX_REPETITIONS = 1_000;

  private static final long MUCH = 1L << 40;

  static RegexShape of(String regex) {
    return new Scan(regex).shape();
  }

  /** A part of the expression: its size, and how often what is in it is repeated. */
  private record Part(long size, long repetitions) {
    static final Part EMPTY = new Part(0, 1);
    static final Part ATOM = new Part(1, 1);

    Part and(Part next) {
      return new Part(Math.min(MUCH, size + next.size), Math.max(repetitions, next.repetitions));
    }

    Part times(long count) {
      return new Part(
          Math.min(MUCH, Math.max(1, size) * Math.max(1, count)),
          Math.min(MUCH, repetitions * Math.max(1, count)));
    }
  }

  private static final class Scan {
    private final String text;
    private final ArrayDeque<Part> outer = new ArrayDeque<>();
    private int position;
    private int depth;

    /** What was read of the present group, but for its last part, which may yet be repeated. */
    private Part group = Part.EMPTY;

    private Part last = Part.EMPTY;

    Scan(String text) {
      this.text = text;
    }

    RegexShape shape() {
      while (position < text.length()) {
        char next = text.charAt(position++);
        switch (next) {
          case '\\' -> escape();
          case '[' -> characterClass();
          case '(' -> open();
          case ')' -> close();
          case '{' -> repeat();
          case '*', '+', '?' -> last = last.and(Part.ATOM);
          default -> part(Part.ATOM);
        }
      }
      while (!outer.isEmpty()) {
        close();
      }
      Part whole = group.and(last);
      return new RegexShape(whole.size, whole.repetitions, depth);
    }

    private void part(Part next) {
      group = group.and(last);
      last = next;
    }

    private void open() {
      group = group.and(last);
      outer.push(group);
      depth = Math.max(depth, outer.size());
      group = Part.EMPTY;
      // A group notes where it begins and ends.
      last = new Part(2, 1);
    }

    private void close() {
      if (!outer.isEmpty()) {
        last = group.and(last);
        group = outer.pop();
      }
    }

    private void escape() {
      if (position >= text.length()) {
        return;
      }
      char kind = text.charAt(position++);
      if (kind == 'Q') {
        int end = text.indexOf("\\E", position);
        int stop = end < 0 ? text.length() : end;
        part(new Part(stop - position, 1));
        position = end < 0 ? stop : end + 2;
        return;
      }
      part(Part.ATOM);
      boolean named = kind == 'p' || kind == 'P' || kind == 'x';
      if (named && position < text.length() && text.charAt(position) == '{') {
        int end = text.indexOf('}', position);
        position = end < 0 ? text.length() : end + 1;
      }
    }

    private void characterClass() {
      int from = position;
      if (from < text.length() && text.charAt(from) == '^') {
        from++;
      }
      int i = from;
      while (i < text.length() && (text.charAt(i) != ']' || i == from)) {
        if (text.startsWith("[:", i) && text.indexOf(":]", i) > 0) {
          i = text.indexOf(":]", i) + 2;
        } else {
          i += text.charAt(i) == '\\' ? 2 : 1;
        }
      }
      if (i < text.length()) {
        position = i + 1;
      }
      part(Part.ATOM);
    }

    /** {@code {n}}, {@code {n,}} and {@code {n,m}}; anything else stands for itself. */
    private void repeat() {
      int i = position;
      long count = 0;
      long number = 0;
      boolean digits = false;
      while (i < text.length() && (Character.isDigit(text.charAt(i)) || text.charAt(i) == ',')) {
        if (text.charAt(i) == ',') {
          count = number;
          number = 0;
        } else {
          digits = true;
          number = Math.min(MUCH, 10 * number + Character.digit(text.charAt(i), 10));
        }
        i++;
      }
      if (digits && i < text.length() && text.charAt(i) == '}') {
        position = i + 1;
        last = last.times(Math.max(count, number));
      } else {
        part(Part.ATOM);
      }
    }
  }
}
