package org.mezzo.api.logger;

import java.util.Optional;
import org.osgi.annotation.versioning.ProviderType;

/**
 * What becomes of the output of a container. Both streams go to files in its sandbox, {@code
 * stdout} and {@code stderr}; those that are rotated never have more than their size. Immutable.
 * May have more parts in later versions; what a launcher cannot carry out fails the launch by its
 * name.
 */
@ProviderType
public final class LogPlan {
  /** The container opens its files itself, and they grow as it likes. */
  public static final LogPlan FILES = new LogPlan(Optional.empty(), Optional.empty());

  /**
   * How a file is kept small. Before it grows beyond its size {@code stdout} is renamed to {@code
   * stdout.1}, that one to {@code stdout.2} and so on, and the oldest is deleted. Nothing is lost
   * between two.
   *
   * @param bytes that a file may have, at least {@link #LEAST_BYTES}
   * @param older files that are kept beside it, 0 to {@link #MOST_OLDER}
   */
  public record Rotation(long bytes, int older) {
    /** No file can be smaller. */
    public static final long LEAST_BYTES = 4096;

    /** No more files can be kept. */
    public static final int MOST_OLDER = 1000;

    /**
     * Checks the numbers.
     *
     * @throws IllegalArgumentException when they cannot be
     */
    public Rotation {
      if (bytes < LEAST_BYTES) {
        throw new IllegalArgumentException(
            "Files of " + bytes + " bytes are too small; give at least " + LEAST_BYTES);
      }
      if (older < 0 || older > MOST_OLDER) {
        throw new IllegalArgumentException(
            older + " older files cannot be kept; give 0 to " + MOST_OLDER);
      }
    }
  }

  private final Optional<Rotation> output;
  private final Optional<Rotation> errors;

  private LogPlan(Optional<Rotation> output, Optional<Rotation> errors) {
    this.output = output;
    this.errors = errors;
  }

  /** Both files are kept small. */
  public static LogPlan rotated(Rotation output, Rotation errors) {
    return new LogPlan(Optional.of(output), Optional.of(errors));
  }

  /** How {@code stdout} is kept small; empty: it is not. */
  public Optional<Rotation> output() {
    return output;
  }

  /** How {@code stderr} is kept small; empty: it is not. */
  public Optional<Rotation> errors() {
    return errors;
  }

  /** Whether any of them is. */
  public boolean rotates() {
    return output.isPresent() || errors.isPresent();
  }
}
