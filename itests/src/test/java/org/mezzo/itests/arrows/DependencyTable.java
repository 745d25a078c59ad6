package org.mezzo.itests.arrows;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The table of folders in {@code docs/architecture.md}: which part may depend on which. A row's
 * last cell lists parts by the last name of their folder, separated by commas; {@code X and what
 * that uses} stands for X and everything in the row of X, {@code everything} for every part, and
 * {@code –} for none.
 */
final class DependencyTable {
  private static final String HEADING = "## Folders";
  private static final Pattern FOLDER = Pattern.compile("`([^`]+?)/?`");
  private static final Pattern NAME = Pattern.compile("[a-z][a-z0-9-]*");
  private static final String INHERITED = " and what that uses";

  /** The cell of each folder, in the order of the table. */
  private final Map<String, String> cells = new LinkedHashMap<>();

  private DependencyTable() {}

  /**
   * Reads the table.
   *
   * @throws IllegalArgumentException when it is not there, or a cell cannot be understood
   */
  static DependencyTable read(String page) {
    DependencyTable table = new DependencyTable();
    int heading = page.indexOf(HEADING + "\n");
    if (heading < 0) {
      throw new IllegalArgumentException("The page has no section '" + HEADING + "'");
    }
    for (String line : page.substring(heading).lines().dropWhile(it -> !isRow(it)).toList()) {
      if (!isRow(line)) {
        break;
      }
      String[] columns = line.split("\\|", -1);
      if (columns.length != 5) {
        throw new IllegalArgumentException("Not a row of three cells: " + line);
      }
      Matcher folders = FOLDER.matcher(columns[1]);
      while (folders.find()) {
        if (table.cells.put(folders.group(1), columns[3].strip()) != null) {
          throw new IllegalArgumentException(folders.group(1) + " has two rows");
        }
      }
    }
    if (table.cells.isEmpty()) {
      throw new IllegalArgumentException("The section '" + HEADING + "' has no table of folders");
    }
    table.cells.keySet().forEach(table::allowed);
    return table;
  }

  private static boolean isRow(String line) {
    return line.startsWith("|");
  }

  /** The modules of the build that have code of their own to look at, by their folder. */
  static List<String> modules(Path repository) throws IOException {
    Matcher module =
        Pattern.compile("<module>([^<]+)</module>")
            .matcher(Files.readString(repository.resolve("pom.xml")));
    List<String> modules = new ArrayList<>();
    while (module.find()) {
      // The parent of those below it.
      if (!module.group(1).equals("bundles")) {
        modules.add(module.group(1));
      }
    }
    return modules;
  }

  /** The last name of a folder, which cells use. */
  static String name(String folder) {
    return folder.substring(folder.lastIndexOf('/') + 1);
  }

  /** The folder of the row that a module belongs to: its own, or one above it. */
  Optional<String> row(String module) {
    return cells.keySet().stream()
        .filter(folder -> module.equals(folder) || module.startsWith(folder + "/"))
        .findFirst();
  }

  /** All folders that have a row. */
  Set<String> folders() {
    return cells.keySet();
  }

  /** Names of the parts that the row of a folder allows; empty for every part. */
  Optional<Set<String>> allowed(String folder) {
    String cell = cells.get(folder);
    if (cell.equals("everything")) {
      return Optional.empty();
    }
    Set<String> allowed = new TreeSet<>();
    if (cell.equals("–")) {
      return Optional.of(allowed);
    }
    for (String entry : cell.split(",")) {
      String name = entry.strip();
      boolean inherits = name.endsWith(INHERITED);
      if (inherits) {
        name = name.substring(0, name.length() - INHERITED.length());
      }
      String other = folder(name, folder);
      allowed.add(name);
      if (inherits) {
        allowed.addAll(
            allowed(other)
                .orElseThrow(() -> new IllegalArgumentException(folder + " inherits everything")));
      }
    }
    return Optional.of(allowed);
  }

  private String folder(String name, String of) {
    if (!NAME.matcher(name).matches()) {
      throw new IllegalArgumentException(
          "The row of " + of + " may depend on '" + name + "', which is no name of a folder");
    }
    return cells.keySet().stream()
        .filter(folder -> name(folder).equals(name))
        .findFirst()
        .orElseThrow(
            () ->
                new IllegalArgumentException(
                    "The row of " + of + " may depend on " + name + ", which has no row"));
  }
}
