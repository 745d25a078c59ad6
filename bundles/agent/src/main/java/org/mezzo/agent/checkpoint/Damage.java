package org.mezzo.agent.checkpoint;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import org.mezzo.api.Metrics;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What is done about something that an earlier process kept and that is damaged ({@code --strict},
 * rule 175): it ends the start, or what can be read of it is used and the file goes aside. Nothing
 * is ever deleted. Safe for any thread.
 */
public final class Damage {
  private static final Logger LOG = LoggerFactory.getLogger(Damage.class);
  private static final DateTimeFormatter TIME =
      DateTimeFormatter.ofPattern("yyyyMMdd-HHmmss").withZone(ZoneOffset.UTC);

  private final boolean strict;
  private final Clock clock;
  private final Metrics.Counter errors;

  /**
   * Nothing is damaged yet.
   *
   * @param strict whether damage ends the start
   */
  public Damage(boolean strict, Clock clock, Metrics metrics) {
    this.strict = strict;
    this.clock = clock;
    errors = metrics.counter("slave/recovery_errors");
  }

  /** Whether damage ends the start. */
  public boolean strict() {
    return strict;
  }

  /**
   * What an operator can do, as the end of a sentence.
   *
   * @param otherwise what it costs to start all the same
   */
  public static String remedy(String otherwise) {
    return "bring a copy of it back, or start once with --no-strict: "
        + otherwise
        + ", and the damaged file is kept beside it";
  }

  /** Where a damaged file goes; nothing is there yet. */
  public Path asideOf(Path file) {
    return beside(file, "damaged", clock.instant());
  }

  /** A name beside the file under which nothing is there yet. */
  static Path beside(Path file, String why, Instant when) {
    String name = file.getFileName() + "." + why + "-" + TIME.format(when);
    Path free = file.resolveSibling(name);
    for (int i = 1; Files.exists(free, LinkOption.NOFOLLOW_LINKS); i++) {
      free = file.resolveSibling(name + "-" + i);
    }
    return free;
  }

  /**
   * A whole file is damaged: it goes aside.
   *
   * @param how it is damaged
   * @param otherwise what it costs to start all the same, as of {@link #remedy}
   * @throws IOException in strict mode, and where it cannot be moved; it stays where it is then
   */
  public void found(Path file, Exception how, String otherwise) throws IOException {
    if (strict) {
      throw new IOException(
          file + " is damaged (" + how.getMessage() + "); " + remedy(otherwise), how);
    }
    Path aside = asideOf(file);
    Files.move(file, aside);
    told(
        file
            + " is damaged ("
            + how.getMessage()
            + ") and set aside as "
            + aside
            + ": "
            + otherwise);
  }

  /** Something is damaged, for people; the start goes on. */
  public void told(String message) {
    errors.increment();
    LOG.error("{}", message);
  }
}
