package org.mezzo.acls;

import java.util.Optional;

/**
 * Whether somebody may do something, and why. Immutable.
 *
 * @param allowed whether it is allowed
 * @param rule the rule that was looked at
 * @param entry the entry of it that decided; empty when none is about the question, and {@code
 *     permissive} decided
 */
public record Decision(boolean allowed, AclRule rule, Optional<AclEntry> entry) {

  /** Why, for people. */
  public String reason() {
    return entry
        .map(AclEntry::toString)
        .orElseGet(
            () ->
                "no entry of "
                    + rule.field()
                    + " is about it, and permissive is "
                    + (allowed ? "true" : "false"));
  }
}
