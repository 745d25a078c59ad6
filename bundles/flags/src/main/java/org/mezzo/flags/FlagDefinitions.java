package org.mezzo.flags;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/**
 * The flags of one daemon, read from the {@code OSGI-INF/mezzo/flags.tsv} of the bundle that owns
 * it (columns: name, deprecated_name, type, default, effect, purpose). Immutable, safe for any
 * thread.
 *
 * <p>Types are {@code string}, {@code bool}, {@code int}, {@code uint}, {@code uint16}, {@code
 * double}, {@code duration}, {@code bytes}, {@code path}, {@code json} and {@code document}, which
 * is JSON or the name of a file with JSON that is read whenever it changes; a question mark behind
 * the type says that there may be no value.
 */
public final class FlagDefinitions {
  /** Where a bundle keeps its definitions. */
  public static final String RESOURCE = "OSGI-INF/mezzo/flags.tsv";

  private static final List<String> COLUMNS =
      List.of("name", "deprecated_name", "type", "default", "effect", "purpose");

  private final Map<String, Definition> byName = new LinkedHashMap<>();
  private final Map<String, Definition> byAnyName = new LinkedHashMap<>();

  private FlagDefinitions(List<Definition> definitions) {
    for (Definition definition : definitions) {
      byName.put(definition.name(), definition);
      if (byAnyName.put(definition.name(), definition) != null) {
        throw new IllegalArgumentException("flag " + definition.name() + " is defined twice");
      }
    }
    for (Definition definition : definitions) {
      if (!definition.deprecatedName().isEmpty()) {
        byAnyName.putIfAbsent(definition.deprecatedName(), definition);
      }
    }
  }

  /**
   * One flag.
   *
   * @param name without dashes
   * @param deprecatedName an older name that still works, or empty
   * @param type see {@link FlagDefinitions}
   * @param defaultValue the default in text form; empty with a type that ends in a question mark
   *     means that there is none
   * @param effective whether Mezzo does anything with it yet
   * @param purpose one line for people
   */
  public record Definition(
      String name,
      String deprecatedName,
      String type,
      String defaultValue,
      boolean effective,
      String purpose) {

    /** The type without its question mark. */
    public String baseType() {
      return optional() ? type.substring(0, type.length() - 1) : type;
    }

    /** Whether the flag may have no value at all. */
    public boolean optional() {
      return type.endsWith("?");
    }
  }

  /**
   * Reads the table and closes the stream.
   *
   * @throws IllegalArgumentException for a table that is not well formed
   * @throws UncheckedIOException when the stream cannot be read
   */
  public static FlagDefinitions read(InputStream table) {
    List<Definition> definitions = new ArrayList<>();
    try (BufferedReader lines =
        new BufferedReader(new InputStreamReader(table, StandardCharsets.UTF_8))) {
      String header = lines.readLine();
      if (header == null || !List.of(header.split("\t", -1)).equals(COLUMNS)) {
        throw new IllegalArgumentException("a flags table begins with the columns " + COLUMNS);
      }
      for (String line = lines.readLine(); line != null; line = lines.readLine()) {
        String[] cells = line.split("\t", -1);
        if (cells.length != COLUMNS.size()) {
          throw new IllegalArgumentException("not a row of a flags table: " + line);
        }
        definitions.add(
            new Definition(
                cells[0], cells[1], cells[2], cells[3], cells[4].equals("yes"), cells[5]));
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    FlagDefinitions read = new FlagDefinitions(definitions);
    try {
      read.parse(Map.of());
    } catch (FlagException e) {
      throw new IllegalArgumentException("a default of the flags table is bad: " + e.getMessage());
    }
    return read;
  }

  /** In the order of the table. */
  public List<Definition> all() {
    return List.copyOf(byName.values());
  }

  /** The flag of a name or deprecated name, without dashes. */
  public Optional<Definition> find(String name) {
    return Optional.ofNullable(byAnyName.get(name));
  }

  /** As {@link #find}, and if there is none the exception names the nearest flag. */
  public Definition require(String name) throws FlagException {
    Definition definition = byAnyName.get(name);
    if (definition == null) {
      throw unknown(name, byAnyName.keySet());
    }
    return definition;
  }

  /** Those of the names that Mezzo accepts and does nothing with, in the order of the table. */
  public List<String> withoutEffect(Collection<String> names) {
    List<String> idle = new ArrayList<>();
    for (Definition definition : byName.values()) {
      if (!definition.effective() && names.contains(definition.name())) {
        idle.add(definition.name());
      }
    }
    return idle;
  }

  /**
   * Checks given texts (by flag name, without dashes) and adds defaults. A text that begins with
   * {@code file://} stands for the content of that file (rule 354), or for the file itself where
   * the type is {@code path} or {@code document}.
   *
   * @throws FlagException for an unknown name, with the nearest known one, or a bad value
   */
  public Flags parse(Map<String, String> given) throws FlagException {
    Map<String, String> texts = new TreeMap<>();
    for (Map.Entry<String, String> entry : new TreeMap<>(given).entrySet()) {
      Definition definition = require(entry.getKey());
      String text = FlagValues.resolve(definition, entry.getValue());
      if (texts.put(definition.name(), text) != null) {
        throw new FlagException(
            "flag --"
                + definition.name()
                + " is given twice, once as --"
                + definition.deprecatedName()
                + ", its old name: keep one of them");
      }
    }
    return new ParsedFlags(byName, texts);
  }

  /** The exception for a name nobody knows. */
  static FlagException unknown(String name, Collection<String> known) {
    String nearest = null;
    int least = Integer.MAX_VALUE;
    for (String candidate : known) {
      int distance = distance(name, candidate);
      if (distance < least) {
        least = distance;
        nearest = candidate;
      }
    }
    String remedy =
        nearest != null && least <= Math.max(2, name.length() / 3)
            ? ": did you mean --" + nearest + "?"
            : ": --help lists the flags there are";
    return new FlagException("unknown flag --" + name + remedy);
  }

  /** Levenshtein's distance: insertions, deletions and replacements of single characters. */
  private static int distance(String a, String b) {
    int[] previous = new int[b.length() + 1];
    int[] current = new int[b.length() + 1];
    for (int j = 0; j <= b.length(); j++) {
      previous[j] = j;
    }
    for (int i = 1; i <= a.length(); i++) {
      current[0] = i;
      for (int j = 1; j <= b.length(); j++) {
        int replace = previous[j - 1] + (a.charAt(i - 1) == b.charAt(j - 1) ? 0 : 1);
        current[j] = Math.min(replace, Math.min(previous[j], current[j - 1]) + 1);
      }
      int[] swap = previous;
      previous = current;
      current = swap;
    }
    return previous[b.length()];
  }
}
