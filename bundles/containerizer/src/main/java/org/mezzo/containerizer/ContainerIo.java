package org.mezzo.containerizer;

import java.util.Optional;

/**
 * What the first process of a container reads and writes. Immutable.
 *
 * @param terminal the terminal that its input, output and errors are; empty for none. Who has one
 *     can be attached to
 * @param reach who can be at the other end
 * @param keeping what becomes of what it writes, beside that those who are attached get it
 */
public record ContainerIo(Optional<Terminal> terminal, Reach reach, Keeping keeping) {

  /** What becomes of output. */
  public enum Keeping {
    /** It is for those alone who are attached. */
    NOTHING,
    /** It goes to the files {@code stdout} and {@code stderr} in the sandbox. */
    FILES,
    /** All of it goes to the file {@code stderr} in the sandbox. */
    ERRORS,
    /**
     * It goes there as the container logger of the agent says. Where a container has the sandbox of
     * the one in which it is nested, whose files they are, that says nothing.
     */
    LOGGER
  }

  /** Who can read its output and write its input while it runs. */
  public enum Reach {
    /** Nobody; it reads nothing. */
    NOBODY,
    /** Whoever attaches. */
    ATTACHABLE,
    /** Whoever attaches; its command does not begin before somebody is there for its output. */
    AWAITED
  }

  /**
   * A terminal.
   *
   * @param window its size at first; empty when nobody has said
   */
  public record Terminal(Optional<Window> window) {}

  /**
   * The size of a terminal, in characters.
   *
   * @param rows 0 to 65,535
   * @param columns 0 to 65,535
   */
  public record Window(int rows, int columns) {
    /**
     * Checks the size.
     *
     * @throws IllegalArgumentException when no terminal can have it
     */
    public Window {
      if (rows < 0 || rows > 0xffff || columns < 0 || columns > 0xffff) {
        throw new IllegalArgumentException(
            "A window of "
                + rows
                + " rows and "
                + columns
                + " columns cannot be; give numbers from 0 to 65535");
      }
    }
  }

  /** The streams that it writes; with a terminal there is but one. */
  public enum Stream {
    STDOUT,
    STDERR
  }

  /** What tasks have: nothing to read, and what they write goes to files, by the logger. */
  public static final ContainerIo FILES =
      new ContainerIo(Optional.empty(), Reach.NOBODY, Keeping.LOGGER);

  /** The same without the logger, for what writes next to nothing. */
  public static final ContainerIo PLAIN =
      new ContainerIo(Optional.empty(), Reach.NOBODY, Keeping.FILES);

  /**
   * For what looks after another container, whose sandbox it has: its output is remarks on that.
   */
  public static final ContainerIo REMARKS =
      new ContainerIo(Optional.empty(), Reach.NOBODY, Keeping.ERRORS);

  /** What it writes is kept, and whoever attaches gets it, too, from then on. */
  public static final ContainerIo ATTACHABLE =
      new ContainerIo(Optional.empty(), Reach.ATTACHABLE, Keeping.LOGGER);

  /** What it writes is for those alone who attach, for the first of whom it waits. */
  public static final ContainerIo SESSION =
      new ContainerIo(Optional.empty(), Reach.AWAITED, Keeping.NOTHING);

  /**
   * Checks that it can be.
   *
   * @throws IllegalArgumentException for output that nobody could ever read, and a terminal that
   *     nobody may attach to
   */
  public ContainerIo {
    if (reach == Reach.NOBODY && (keeping == Keeping.NOTHING || terminal.isPresent())) {
      throw new IllegalArgumentException(
          "A container that nobody can attach to has its output in files, and no terminal");
    }
    if (reach != Reach.NOBODY && keeping == Keeping.ERRORS) {
      throw new IllegalArgumentException(
          "A container that somebody can attach to has files of their own for output and errors");
    }
  }

  /** The same with a terminal; one that nobody could attach to can be attached to then. */
  public ContainerIo on(Terminal screen) {
    return new ContainerIo(
        Optional.of(screen), reach == Reach.NOBODY ? Reach.ATTACHABLE : reach, keeping);
  }

  /** Whether somebody can attach to it. */
  public boolean attachable() {
    return reach != Reach.NOBODY;
  }
}
