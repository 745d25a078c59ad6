package org.mezzo.flags;

import java.io.IOException;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.math.RoundingMode;
import java.nio.charset.CharacterCodingException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Locale;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** The text forms of flag values (rules 354 and 355). */
public final class FlagValues {
  private static final Pattern DURATION =
      Pattern.compile("(-?[0-9]*\\.?[0-9]+|-?[0-9]+\\.)([a-z]+)");
  private static final Pattern BYTES = Pattern.compile("([0-9]+)([A-Z]+)");
  private static final Map<String, Long> NANOS =
      Map.of(
          "ns", 1L,
          "us", 1_000L,
          "ms", 1_000_000L,
          "secs", 1_000_000_000L,
          "mins", 60_000_000_000L,
          "hrs", 3_600_000_000_000L,
          "days", 86_400_000_000_000L,
          "weeks", 604_800_000_000_000L);
  private static final Map<String, Integer> BYTE_SHIFT =
      Map.of("B", 0, "KB", 10, "MB", 20, "GB", 30, "TB", 40);
  private static final String FILE = "file://";

  private FlagValues() {}

  /**
   * A number and one of the units ns, us, ms, secs, mins, hrs, days, weeks; rounded to nanoseconds.
   *
   * @throws IllegalArgumentException with a message for people
   */
  public static Duration duration(String text) {
    Matcher matcher = DURATION.matcher(text.strip());
    Long unit = matcher.matches() ? NANOS.get(matcher.group(2)) : null;
    if (unit == null) {
      throw new IllegalArgumentException(
          "'"
              + text
              + "' is no duration: write a number and one of ns, us, ms, secs, mins, hrs,"
              + " days, weeks, for example 10secs");
    }
    try {
      return Duration.ofNanos(
          new BigDecimal(matcher.group(1))
              .multiply(BigDecimal.valueOf(unit))
              .setScale(0, RoundingMode.HALF_UP)
              .longValueExact());
    } catch (ArithmeticException e) {
      throw new IllegalArgumentException("'" + text + "' is too long: 15250weeks are the most", e);
    }
  }

  /**
   * A whole number and one of the units B, KB, MB, GB, TB, which are powers of 1024.
   *
   * @throws IllegalArgumentException with a message for people
   */
  public static long bytes(String text) {
    Matcher matcher = BYTES.matcher(text.strip());
    Integer shift = matcher.matches() ? BYTE_SHIFT.get(matcher.group(2)) : null;
    if (shift == null) {
      throw new IllegalArgumentException(
          "'"
              + text
              + "' is no size: write a whole number and one of B, KB, MB, GB, TB, for"
              + " example 64MB");
    }
    try {
      return new BigInteger(matcher.group(1)).shiftLeft(shift).longValueExact();
    } catch (ArithmeticException e) {
      throw new IllegalArgumentException("'" + text + "' is too large for a size", e);
    }
  }

  /**
   * {@code true} or {@code 1}, {@code false} or {@code 0}; the empty text is true, as in {@code
   * --name}.
   *
   * @throws IllegalArgumentException with a message for people
   */
  public static boolean bool(String text) {
    switch (text.strip().toLowerCase(Locale.ROOT)) {
      case "":
      case "true":
      case "1":
        return true;
      case "false":
      case "0":
        return false;
      default:
        throw new IllegalArgumentException("'" + text + "' is neither true nor false");
    }
  }

  /** What the getters will read: files are read, values checked, booleans brought to one form. */
  static String resolve(FlagDefinitions.Definition definition, String text) throws FlagException {
    String resolved = text;
    if (text.startsWith(FILE)) {
      String name = text.substring(FILE.length());
      resolved =
          switch (definition.baseType()) {
            case "path" -> name;
            case "document" -> text;
            default -> content(definition, name);
          };
    }
    try {
      switch (definition.baseType()) {
        case "bool":
          return Boolean.toString(bool(resolved));
        case "duration":
          duration(resolved);
          return resolved.strip();
        case "bytes":
          bytes(resolved);
          return resolved.strip();
        case "double":
          decimal(resolved);
          return resolved.strip();
        case "int":
          return whole(resolved, Long.MIN_VALUE, Long.MAX_VALUE);
        case "uint":
          return whole(resolved, 0, 0xffff_ffffL);
        case "uint16":
          return whole(resolved, 0, 65_535);
        case "path":
          if (resolved.isEmpty()) {
            throw new IllegalArgumentException("the path is empty");
          }
          return resolved;
        case "document":
          if (resolved.isBlank()) {
            throw new IllegalArgumentException("the text is empty");
          }
          return resolved;
        case "string":
        case "json":
          return resolved;
        default:
          throw new IllegalStateException("type " + definition.type() + " is not known");
      }
    } catch (IllegalArgumentException e) {
      throw new FlagException("flag --" + definition.name() + ": " + e.getMessage());
    }
  }

  static double decimal(String text) {
    double value;
    try {
      value = Double.parseDouble(text.strip());
    } catch (NumberFormatException e) {
      throw new IllegalArgumentException("'" + text + "' is no number", e);
    }
    if (!Double.isFinite(value)) {
      throw new IllegalArgumentException("'" + text + "' is no finite number");
    }
    return value;
  }

  private static String whole(String text, long least, long most) {
    long value;
    try {
      value = Long.parseLong(text.strip());
    } catch (NumberFormatException e) {
      throw new IllegalArgumentException("'" + text + "' is no whole number", e);
    }
    if (value < least || value > most) {
      throw new IllegalArgumentException(text + " is not between " + least + " and " + most);
    }
    return Long.toString(value);
  }

  /** A trailing line end is an editor's, not part of the value. */
  private static String content(FlagDefinitions.Definition definition, String name)
      throws FlagException {
    try {
      return Files.readString(Path.of(name)).stripTrailing();
    } catch (CharacterCodingException e) {
      throw new FlagException(
          "flag --" + definition.name() + ": " + name + " is not a text in UTF-8");
    } catch (IOException | IllegalArgumentException e) {
      throw new FlagException(
          "flag --"
              + definition.name()
              + ": cannot read "
              + name
              + "; give an absolute path of a readable file as file:///path");
    }
  }
}
