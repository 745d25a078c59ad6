package org.mezzo.master.transitions;

import java.time.Duration;
import java.util.Optional;
import java.util.Set;

/**
 * The flags that shape transitions.
 *
 * @param roles the whitelist of {@code --roles}; empty means any role
 * @param consult whether hooks or authorizer have to be asked before a launch
 */
public record Settings(
    Duration heartbeatInterval,
    Duration agentPingTimeout,
    int maxAgentPingTimeouts,
    Duration agentReregisterTimeout,
    Duration allocationInterval,
    Optional<Duration> offerTimeout,
    Optional<Set<String>> roles,
    boolean rootSubmissions,
    boolean requireAgentDomain,
    boolean consult) {

  /** The defaults of the flags. */
  public static final Settings DEFAULT =
      new Settings(
          Duration.ofSeconds(15),
          Duration.ofSeconds(15),
          5,
          Duration.ofMinutes(10),
          Duration.ofSeconds(1),
          Optional.empty(),
          Optional.empty(),
          true,
          false,
          false);

  /** With offers that are rescinded when nobody answers them in time. */
  public Settings withOfferTimeout(Duration timeout) {
    return new Settings(
        heartbeatInterval,
        agentPingTimeout,
        maxAgentPingTimeouts,
        agentReregisterTimeout,
        allocationInterval,
        Optional.of(timeout),
        roles,
        rootSubmissions,
        requireAgentDomain,
        consult);
  }

  /** With hooks or authorizer to be asked before a launch, or without. */
  public Settings consulting(boolean ask) {
    return new Settings(
        heartbeatInterval,
        agentPingTimeout,
        maxAgentPingTimeouts,
        agentReregisterTimeout,
        allocationInterval,
        offerTimeout,
        roles,
        rootSubmissions,
        requireAgentDomain,
        ask);
  }
}
