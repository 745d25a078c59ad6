package org.mezzo.link.wire;

/** The version of the link's protocol that this code speaks. */
public final class LinkVersion {
  /** Different majors refuse each other. */
  public static final int MAJOR = 1;

  /** Both sides speak the lower minor. */
  public static final int MINOR = 2;

  private LinkVersion() {}
}
