package org.mezzo.shell.terminal;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** Text in columns as wide as their widest cell; a cell shows the first line of its text. */
public final class Table {
  private final List<String[]> rows = new ArrayList<>();

  /** With these titles. */
  public Table(String... titles) {
    rows.add(titles);
  }

  /** Adds a row of as many cells. */
  public Table row(Object... cells) {
    String[] row = new String[cells.length];
    for (int i = 0; i < cells.length; i++) {
      String text = String.valueOf(cells[i]);
      // Names come from strangers, and control characters are orders to a terminal.
      row[i] = text.lines().findFirst().orElse("").replaceAll("\\p{Cntrl}", "?");
    }
    rows.add(row);
    return this;
  }

  /** One of rows of texts, of which the first may have titles; empty when it is anything else. */
  static Optional<Table> of(Object rows) {
    if (!(rows instanceof List<?> list)
        || list.isEmpty()
        || !(list.get(0) instanceof List<?> first)
        || !list.stream()
            .allMatch(row -> row instanceof List<?> cells && cells.size() == first.size())) {
      return Optional.empty();
    }
    Table table = new Table();
    table.rows.clear();
    list.forEach(row -> table.row(((List<?>) row).toArray()));
    return Optional.of(table);
  }

  @Override
  public String toString() {
    int columns = rows.get(0).length;
    int[] widths = new int[columns];
    for (String[] row : rows) {
      for (int i = 0; i < columns; i++) {
        widths[i] = Math.max(widths[i], row[i].length());
      }
    }
    StringBuilder text = new StringBuilder();
    for (String[] row : rows) {
      StringBuilder line = new StringBuilder();
      for (int i = 0; i < columns; i++) {
        line.append(row[i]).append(" ".repeat(widths[i] - row[i].length() + 2));
      }
      text.append(line.toString().stripTrailing()).append('\n');
    }
    return text.toString().stripTrailing();
  }
}
