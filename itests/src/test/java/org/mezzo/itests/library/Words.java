package org.mezzo.itests.library;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;

/** Goes into versions of a library, which differ in what they hold. */
public final class Words {
  /** The file beside this class that a version differs in. */
  public static final String FILE = "org/mezzo/itests/library/word.txt";

  /** The word of a library that does not even load. */
  public static final String UNSPEAKABLE = "unspeakable";

  /** What every version knows. */
  public static final String COMMON = "common";

  private static final String WORD = word();

  private Words() {}

  private static String word() {
    try (InputStream in = Words.class.getResourceAsStream("word.txt")) {
      String word = new String(in.readAllBytes(), StandardCharsets.UTF_8);
      if (word.equals(UNSPEAKABLE)) {
        throw new IllegalStateException("words fail me");
      }
      return word;
    } catch (IOException e) {
      throw new IllegalStateException(e);
    }
  }

  /** The word of this version. */
  public static String own() {
    return WORD;
  }

  /** Whether this version knows a word. */
  public static boolean knows(String word) {
    return word.equals(WORD) || word.equals(COMMON);
  }
}
