package org.mezzo.deployment;

import java.time.Duration;
import java.time.Instant;

/**
 * One change that was made or tried.
 *
 * @param at when it began
 * @param kind what was done
 * @param symbolicName of the bundle; the file's name when it cannot be read
 * @param fromVersion what was installed before; empty when nothing was
 * @param toVersion what was to be installed; empty when it was removed
 * @param succeeded whether things are now as wanted
 * @param outcome one line in plain words; on failure what is wrong, what remains and what to do
 * @param took from beginning to end
 * @param gap the longest time for which a daemon that used the bundle was without a module
 */
public record Action(
    Instant at,
    Kind kind,
    String symbolicName,
    String fromVersion,
    String toVersion,
    boolean succeeded,
    String outcome,
    Duration took,
    Duration gap) {

  /** What can be done to a module bundle. */
  public enum Kind {
    /** Nothing of that symbolic name was there before. */
    INSTALL,
    /** Another version took over while the old one still ran. */
    SWAP,
    /** The same version with other content: stopped, replaced, started. */
    UPDATE,
    /** Taken away. */
    UNINSTALL
  }
}
