package org.mezzo.flags;

import java.util.regex.Pattern;

/** Passwords in URLs, and how they are kept out of what people read. */
public final class Passwords {
  private static final Pattern IN_URL =
      Pattern.compile("(?<scheme>[A-Za-z][A-Za-z0-9+.-]*:/+[^\\s/:@]*):[^\\s/]*@");

  private Passwords() {}

  /**
   * A text with {@code ***} for the password of every URL in it of the form {@code
   * scheme://user:password@host}; any other text as it is.
   */
  public static String masked(String text) {
    return text.indexOf('@') < 0 ? text : IN_URL.matcher(text).replaceAll("${scheme}:***@");
  }
}
