package org.mezzo.master.rollouts;

/**
 * A module bundle that is wanted. Immutable.
 *
 * @param sha256 of the jar, in lower case hexadecimal
 * @param size of the jar, in bytes
 * @param selector on which daemons
 */
public record WantedBundle(
    String symbolicName, String version, String sha256, long size, Selector selector) {

  /** Symbolic name and version. */
  public String name() {
    return symbolicName + " " + version;
  }
}
