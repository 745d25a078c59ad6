package org.mezzo.modules;

import java.util.List;

/**
 * What is known of one registered module.
 *
 * @param state {@code available}, {@code opening} (a lease is about to move to it), {@code leased},
 *     {@code draining} or {@code quarantined}
 * @param problem why it is quarantined, with the stack of the thread when a call does not return;
 *     empty otherwise
 * @param illness what it says itself is wrong with it, or why it does not say; empty when it is
 *     well, or nobody leases it
 * @param loggers what the names of its loggers begin with: its own, and the package of its
 *     component where that is known
 * @param daemons names of the daemons that lease it
 */
public record ModuleDescription(
    String kind,
    String name,
    String version,
    String author,
    String description,
    long bundleId,
    String bundleName,
    String bundleVersion,
    String state,
    String problem,
    String illness,
    List<String> loggers,
    List<String> daemons) {
  public ModuleDescription {
    loggers = List.copyOf(loggers);
    daemons = List.copyOf(daemons);
  }

  /** Why it is not as it should be, for people: quarantined, or ill by its own word; or empty. */
  public String ailment() {
    if (state.equals("quarantined")) {
      return "%s '%s' failed: %s".formatted(kind, name, problem);
    }
    return illness.isEmpty() ? "" : "%s '%s' is not well: %s".formatted(kind, name, illness);
  }
}
