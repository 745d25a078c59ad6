package org.mezzo.cli;

import java.util.List;

/** Texts in columns, on the standard output. */
final class Table {
  private Table() {}

  /** Prints rows of as many cells as the first one has; columns are as wide as they must be. */
  static void print(List<List<String>> table) {
    int columns = table.get(0).size();
    int[] widths = new int[columns];
    for (List<String> row : table) {
      for (int i = 0; i < columns; i++) {
        widths[i] = Math.max(widths[i], row.get(i).length());
      }
    }
    for (List<String> row : table) {
      StringBuilder line = new StringBuilder();
      for (int i = 0; i < columns; i++) {
        line.append(row.get(i));
        if (i < columns - 1) {
          line.append(" ".repeat(widths[i] - row.get(i).length() + 2));
        }
      }
      System.out.println(line);
    }
  }
}
