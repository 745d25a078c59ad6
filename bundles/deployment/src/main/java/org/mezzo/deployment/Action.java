package org.mezzo.deployment;

import java.time.Duration;
import java.time.Instant;
import java.util.List;

/**
 * One change that was made or tried, as a whole or not at all.
 *
 * @param id greater than those of changes before, also of processes before this one
 * @param principal who asked for it: {@code modules folder}, {@code host} (at its start), {@code
 *     deployment} (a rollback of its own accord), or what the requester said
 * @param at when it began
 * @param kind what was done
 * @param symbolicName of the bundle; the file's name when it cannot be read; the logger, or the
 *     module as {@code hook/labels}
 * @param fromVersion what was installed before; empty when nothing was; the level before
 * @param toVersion what was to be installed; empty when it was removed; the level from then on
 * @param succeeded whether things are now as wanted
 * @param outcome one line in plain words; on failure what is wrong, what remains and what to do
 * @param took from beginning to end
 * @param gap the longest time for which a daemon that used the bundle was without a module
 * @param stages how far it came, in order
 */
public record Action(
    long id,
    String principal,
    Instant at,
    Kind kind,
    String symbolicName,
    String fromVersion,
    String toVersion,
    boolean succeeded,
    String outcome,
    Duration took,
    Duration gap,
    List<Stage> stages) {

  public Action {
    stages = List.copyOf(stages);
  }

  /**
   * A point that a change has passed.
   *
   * @param what in plain words
   * @param after its beginning
   */
  public record Stage(String what, Duration after) {}

  /** What can be done to a module bundle, or around modules. */
  public enum Kind {
    /** Nothing of that symbolic name was there before. */
    INSTALL,
    /** Another version took over while the old one still ran. */
    SWAP,
    /** The same version with other content: stopped, replaced, started. */
    UPDATE,
    /** Taken away. */
    UNINSTALL,
    /** The parameters of a module were changed; the outcome says which. */
    CONFIGURE,
    /** The level of a logger was changed, or of those of a module. */
    LOG_LEVEL
  }
}
