package org.mezzo.api.contender;

import java.util.Objects;
import java.util.Optional;

/** How a master stands in the election. */
public final class Standing {
  private final boolean leading;
  private final Optional<String> claim;
  private final String reason;

  private Standing(boolean leading, Optional<String> claim, String reason) {
    this.leading = leading;
    this.claim = claim;
    this.reason = reason;
  }

  /** It leads. */
  public static Standing leads() {
    return new Standing(true, Optional.empty(), "");
  }

  /**
   * It leads as long as a node is there.
   *
   * @param claim the path of the node in the ZooKeeper of {@code --zk}, from its root
   * @throws IllegalArgumentException when that is no path
   */
  public static Standing leads(String claim) {
    if (!claim.startsWith("/") || claim.endsWith("/") || claim.length() > 1024) {
      throw new IllegalArgumentException(
          "a claim must be the path of a node, of at most 1024 characters, and begin with a slash");
    }
    return new Standing(true, Optional.of(claim), "");
  }

  /**
   * It does not lead, or not any more.
   *
   * @param reason why, for people, in one line
   */
  public static Standing follows(String reason) {
    return new Standing(false, Optional.empty(), Objects.requireNonNull(reason, "reason"));
  }

  /** Whether it leads. */
  public boolean isLeading() {
    return leading;
  }

  /** The path of the node that is there as long as it leads; empty where there is none. */
  public Optional<String> claim() {
    return claim;
  }

  /** Why it does not lead; empty for one that does. */
  public String reason() {
    return reason;
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof Standing that
        && leading == that.leading
        && claim.equals(that.claim)
        && reason.equals(that.reason);
  }

  @Override
  public int hashCode() {
    return Objects.hash(leading, claim, reason);
  }

  @Override
  public String toString() {
    return leading ? "leads" + claim.map(it -> " by " + it).orElse("") : "follows: " + reason;
  }
}
