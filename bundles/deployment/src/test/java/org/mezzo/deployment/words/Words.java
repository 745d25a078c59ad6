package org.mezzo.deployment.words;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;

/** Goes into a library: says what the bundle holds that it was loaded from. */
public final class Words {
  private Words() {}

  public static String hello() {
    try (InputStream in = Words.class.getResourceAsStream("hello.txt")) {
      return new String(in.readAllBytes(), StandardCharsets.UTF_8);
    } catch (IOException e) {
      throw new IllegalStateException(e);
    }
  }
}
