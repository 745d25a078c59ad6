package org.mezzo.flags;

import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Passwords in URLs and parameters, and how they are kept out of what people read. */
public final class Passwords {
  private static final Pattern IN_URL =
      Pattern.compile("(?<scheme>[A-Za-z][A-Za-z0-9+.-]*:/+[^\\s/:@]*):[^\\s/]*@");

  private static final String STRING = "\"(?:[^\"\\\\]|\\\\.)*+\"";
  private static final String KEY =
      "\"key\"\\s*:\\s*\"[^\"]*(?i:password|passwd|secret|token|credential)[^\"]*\"";
  private static final String VALUE = "\"value\"\\s*:\\s*";

  /** A parameter of a module as {@code --modules} has it, with its fields in either order. */
  private static final Pattern IN_PARAMETER =
      Pattern.compile(
          "(?<before>"
              + KEY
              + "\\s*,\\s*"
              + VALUE
              + ")"
              + STRING
              + "|"
              + VALUE
              + STRING
              + "(?<after>\\s*,\\s*"
              + KEY
              + ")");

  private Passwords() {}

  /**
   * A text with {@code ***} for the password of every URL in it of the form {@code
   * scheme://user:password@host}; any other text as it is.
   */
  public static String masked(String text) {
    return text.indexOf('@') < 0 ? text : IN_URL.matcher(text).replaceAll("${scheme}:***@");
  }

  /**
   * A text with {@code ***} for the value of every parameter of a module whose key has one of the
   * words password, passwd, secret, token and credential in it, where the text is that of {@code
   * --modules}; any other text as it is.
   */
  static String maskedParameters(String text) {
    return IN_PARAMETER
        .matcher(text)
        .replaceAll(
            found ->
                Matcher.quoteReplacement(
                    found.group(1) == null
                        ? "\"value\":\"***\"" + found.group(2)
                        : found.group(1) + "\"***\""));
  }
}
