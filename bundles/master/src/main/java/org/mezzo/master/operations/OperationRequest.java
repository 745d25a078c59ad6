package org.mezzo.master.operations;

import java.util.Optional;
import java.util.Set;
import org.mezzo.master.ledger.Account;
import org.mezzo.protocol.v1.AgentInfo;
import org.mezzo.protocol.v1.FrameworkInfo;
import org.mezzo.protocol.v1.Offer;

/**
 * An operation that somebody wants, with what it is judged by.
 *
 * @param message in the form of reservation stacks; of a framework with allocation roles
 * @param principal who wants it; empty when that is not known
 * @param framework empty when an operator wants it
 * @param account of the agent
 * @param agent what the agent can do
 */
public record OperationRequest(
    Offer.Operation message,
    Optional<String> principal,
    Optional<Asking> framework,
    Account account,
    Set<AgentInfo.Capability.Type> agent) {

  /**
   * A framework that wants something.
   *
   * @param roles it is subscribed to
   * @param capabilities it declared
   */
  public record Asking(Set<String> roles, Set<FrameworkInfo.Capability.Type> capabilities) {}
}
