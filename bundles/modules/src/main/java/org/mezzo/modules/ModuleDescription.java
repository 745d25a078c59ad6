package org.mezzo.modules;

import java.util.List;

/**
 * What is known of one registered module.
 *
 * @param state {@code available}, {@code opening} (a lease is about to move to it), {@code leased},
 *     {@code draining} or {@code quarantined}
 * @param problem why it is quarantined, with the stack of the thread when a call does not return;
 *     empty otherwise
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
    List<String> daemons) {
  public ModuleDescription {
    daemons = List.copyOf(daemons);
  }
}
