package org.mezzo.deployment;

import java.time.Instant;

/**
 * Why the bundle with a digest is not tried again until somebody asks for it.
 *
 * @param digest of its bytes
 * @param symbolicName of the bundle
 * @param version of the bundle
 * @param kind what became of it
 * @param reason in plain words
 * @param at when it was passed
 */
public record Verdict(
    String digest, String symbolicName, String version, Kind kind, String reason, Instant at) {

  /** Whether it ended the process. */
  public boolean isFatal() {
    return kind == Kind.FATAL;
  }

  /** What became of a bundle. */
  public enum Kind {
    /** It did not get as far as taking over. */
    REFUSED("refused"),
    /** It took over, and was replaced by what ran before. */
    ROLLED_BACK("rolled back"),
    /** It did not return from being started or stopped. */
    HUNG("barred"),
    /** The process ended while it was started or opened. */
    FATAL("skipped");

    private final String word;

    Kind(String word) {
      this.word = word;
    }

    /** As in "it was refused". */
    public String word() {
      return word;
    }
  }
}
