package org.mezzo.daemon;

import java.util.UUID;

/** New identifiers. */
public final class Ids {
  private Ids() {}

  /** A random UUID as text: 36 characters, lower case. */
  public static String random() {
    return UUID.randomUUID().toString();
  }
}
