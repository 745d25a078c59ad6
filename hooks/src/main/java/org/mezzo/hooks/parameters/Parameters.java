package org.mezzo.hooks.parameters;

import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The parameters of one hook, read one by one. Whatever is wrong is an {@link
 * IllegalArgumentException} that names the parameter and says what may be there; what nobody has
 * read in the end is one, too.
 */
public final class Parameters {
  private static final Pattern SIZE = Pattern.compile("(\\d{1,12})(B|KB|MB|GB)");

  private final String hook;
  private final Map<String, String> given;
  private final Set<String> unread;

  /** Reads those of a hook. */
  public Parameters(String hook, Map<String, String> given) {
    this.hook = hook;
    this.given = given;
    unread = new TreeSet<>(given.keySet());
  }

  /** What there is below a prefix, by the rest of the names; none of which is empty. */
  public Map<String, String> below(String prefix) {
    Map<String, String> found = new TreeMap<>();
    given.forEach(
        (name, value) -> {
          if (name.startsWith(prefix)) {
            unread.remove(name);
            if (name.length() == prefix.length()) {
              throw wrong(name, "has no name behind '" + prefix + "'");
            }
            found.put(name.substring(prefix.length()), value);
          }
        });
    return found;
  }

  /** A text; the other one where there is none. */
  public String text(String name, String other) {
    unread.remove(name);
    return given.getOrDefault(name, other);
  }

  /** Yes or no; no where there is nothing. */
  public boolean flag(String name) {
    String value = text(name, "false");
    if (!value.equals("true") && !value.equals("false")) {
      throw wrong(name, "is '" + value + "'; give it 'true' or 'false'");
    }
    return value.equals("true");
  }

  /** A whole number within bounds. */
  public int number(String name, int other, int least, int most) {
    String value = text(name, Integer.toString(other));
    try {
      int number = Integer.parseInt(value);
      if (number >= least && number <= most) {
        return number;
      }
    } catch (NumberFormatException e) {
      // Said below.
    }
    throw wrong(name, "is '" + value + "'; give it a whole number from " + least + " to " + most);
  }

  /** Bytes, as {@code 10MB}; KB are 1024. */
  public long size(String name, String other, long least) {
    String value = text(name, other);
    Matcher parts = SIZE.matcher(value);
    if (parts.matches()) {
      long bytes = Long.parseLong(parts.group(1)) << 10 * "BKMG".indexOf(parts.group(2).charAt(0));
      if (bytes >= least) {
        return bytes;
      }
    }
    throw wrong(
        name,
        "is '" + value + "'; give it a number with B, KB, MB or GB, of " + least + "B at least");
  }

  /** What is wrong with one. */
  public IllegalArgumentException wrong(String name, String problem) {
    return new IllegalArgumentException(
        "Parameter '" + name + "' of hook '" + hook + "' " + problem);
  }

  /**
   * Refuses what was not read.
   *
   * @param known how parameters are named, for people
   */
  public void refuseOthers(String known) {
    if (!unread.isEmpty()) {
      throw wrong(unread.iterator().next(), "is unknown; there are " + known);
    }
  }
}
