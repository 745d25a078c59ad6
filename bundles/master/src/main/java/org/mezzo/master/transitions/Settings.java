package org.mezzo.master.transitions;

import java.time.Duration;
import java.util.Optional;
import java.util.Set;

/**
 * The flags that shape transitions. Immutable.
 *
 * @param allocationInterval {@code --allocation_interval}
 * @param consult whether hooks or authorizer have to be asked before a launch
 */
public record Settings(
    Agents agents, Frameworks frameworks, Duration allocationInterval, boolean consult) {

  /** The defaults of the flags. */
  public static final Settings DEFAULT =
      new Settings(Agents.DEFAULT, Frameworks.DEFAULT, Duration.ofSeconds(1), false);

  /**
   * Who may be an agent, and when one is given up.
   *
   * @param pingTimeout {@code --agent_ping_timeout}
   * @param maxPingTimeouts {@code --max_agent_ping_timeouts}
   * @param reregisterTimeout {@code --agent_reregister_timeout}
   * @param requireDomain {@code --require_agent_domain}
   */
  public record Agents(
      Duration pingTimeout,
      int maxPingTimeouts,
      Duration reregisterTimeout,
      boolean requireDomain) {

    /** The defaults of the flags. */
    public static final Agents DEFAULT =
        new Agents(Duration.ofSeconds(15), 5, Duration.ofMinutes(10), false);
  }

  /**
   * What frameworks may do.
   *
   * @param heartbeatInterval between the heartbeats on a scheduler's stream
   * @param roles {@code --roles}; absent for any
   * @param rootSubmissions {@code --root_submissions}
   * @param offerTimeout {@code --offer_timeout}; absent for offers that stay
   */
  public record Frameworks(
      Duration heartbeatInterval,
      Optional<Set<String>> roles,
      boolean rootSubmissions,
      Optional<Duration> offerTimeout) {

    /** The defaults of the flags. */
    public static final Frameworks DEFAULT =
        new Frameworks(
            Duration.ofSeconds(15), Optional.empty(), true, Optional.of(Duration.ofMinutes(10)));

    /** Whether a role may be used (rule 267). */
    public boolean welcomes(String role) {
      return role.equals("*") || roles.map(all -> all.contains(role)).orElse(true);
    }
  }

  /** With other agents let in, or others given up. */
  public Settings with(Agents others) {
    return new Settings(others, frameworks, allocationInterval, consult);
  }

  /** With frameworks that may do other things. */
  public Settings with(Frameworks others) {
    return new Settings(agents, others, allocationInterval, consult);
  }

  /** With offers that are rescinded when nobody answers them in time. */
  public Settings withOfferTimeout(Duration timeout) {
    return withOfferTimeout(Optional.of(timeout));
  }

  /** With offers that stay until they are answered. */
  public Settings withoutOfferTimeout() {
    return withOfferTimeout(Optional.empty());
  }

  private Settings withOfferTimeout(Optional<Duration> timeout) {
    return with(
        new Frameworks(
            frameworks.heartbeatInterval(),
            frameworks.roles(),
            frameworks.rootSubmissions(),
            timeout));
  }

  /** With hooks or authorizer to be asked before a launch, or without. */
  public Settings consulting(boolean ask) {
    return new Settings(agents, frameworks, allocationInterval, ask);
  }
}
