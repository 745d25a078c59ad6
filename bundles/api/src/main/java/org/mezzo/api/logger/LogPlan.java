package org.mezzo.api.logger;

import java.nio.file.Path;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import org.osgi.annotation.versioning.ProviderType;

/**
 * What becomes of the output of a container. Both streams go to files in its sandbox, {@code
 * stdout} and {@code stderr}; those that are rotated never have more than their size. A stream that
 * has a {@link Helper} goes to that program instead, and its file stays empty. Immutable. May have
 * more parts in later versions; what a launcher cannot carry out fails the launch by its name.
 */
@ProviderType
public final class LogPlan {
  /** The container opens its files itself, and they grow as it likes. */
  public static final LogPlan FILES =
      new LogPlan(Optional.empty(), Optional.empty(), Optional.empty(), Optional.empty());

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

  /**
   * A program that reads a stream of one container on its standard input, which ends with the
   * container. The container's shim starts it, before the task goes on: a program that cannot be
   * run fails the launch. It has the rights of the task's user, begins in the sandbox, and is in
   * nothing else of the container: not in its cgroup, network or limits, so that a task that is
   * killed for its memory loses no output. Its standard output goes nowhere, its errors to the
   * container's {@code stderr}.
   *
   * <p>The task waits for a slow one as on any pipe, and never for one that is gone: what that has
   * not read, and all that comes, is in the file of the stream, rotated as the plan says, with what
   * became of the helper. When all of the container has ended a helper has 5 seconds to read what
   * there is and to end; then it is killed, and the file has what it did not read. What it leaves
   * behind ends with it.
   *
   * @param program absolute path on the agent's machine
   * @param arguments behind the program's name
   * @param environment all of its variables; the task's own are not added
   */
  public record Helper(Path program, List<String> arguments, Map<String, String> environment) {
    /**
     * Checks that a kernel takes them.
     *
     * @throws IllegalArgumentException when it would not
     */
    public Helper {
      if (!program.isAbsolute()) {
        throw new IllegalArgumentException(
            "The helper '" + program + "' is no absolute path; give one");
      }
      arguments = List.copyOf(arguments);
      environment = Collections.unmodifiableMap(new TreeMap<>(environment));
      arguments.forEach(argument -> plain(argument, "an argument"));
      environment.forEach(
          (name, value) -> {
            plain(name + value, "the variable '" + name + "'");
            if (name.isEmpty() || name.indexOf('=') >= 0) {
              throw new IllegalArgumentException(
                  "'" + name + "' cannot name a variable of a helper; leave out '='");
            }
          });
    }

    private static void plain(String text, String what) {
      if (text.indexOf('\0') >= 0) {
        throw new IllegalArgumentException("There is a NUL in " + what + " of a helper; remove it");
      }
    }
  }

  private final Optional<Rotation> output;
  private final Optional<Rotation> errors;
  private final Optional<Helper> outputHelper;
  private final Optional<Helper> errorsHelper;

  private LogPlan(
      Optional<Rotation> output,
      Optional<Rotation> errors,
      Optional<Helper> outputHelper,
      Optional<Helper> errorsHelper) {
    this.output = output;
    this.errors = errors;
    this.outputHelper = outputHelper;
    this.errorsHelper = errorsHelper;
  }

  /** Both files are kept small. */
  public static LogPlan rotated(Rotation output, Rotation errors) {
    return new LogPlan(
        Optional.of(output), Optional.of(errors), Optional.empty(), Optional.empty());
  }

  /** The same with a program that reads the output. */
  public LogPlan withOutputHelper(Helper helper) {
    return new LogPlan(output, errors, Optional.of(helper), errorsHelper);
  }

  /** The same with a program that reads the errors. */
  public LogPlan withErrorsHelper(Helper helper) {
    return new LogPlan(output, errors, outputHelper, Optional.of(helper));
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

  /** What reads the output; empty: it goes to its file. */
  public Optional<Helper> outputHelper() {
    return outputHelper;
  }

  /**
   * What reads the errors; empty: they go to their file. A container with a terminal has none of
   * its own.
   */
  public Optional<Helper> errorsHelper() {
    return errorsHelper;
  }

  /** Whether there is any helper. */
  public boolean helps() {
    return outputHelper.isPresent() || errorsHelper.isPresent();
  }
}
