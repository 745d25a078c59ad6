package org.mezzo.daemon.border;

import java.util.Locale;
import java.util.Optional;
import org.mezzo.api.DaemonContext.Role;

/** What a route asks of a request before its endpoint sees it; names the realm (rule 14). */
public enum Access {
  /** Anybody. */
  NONE,
  /** {@code --authenticate_http_readonly}. */
  READONLY,
  /** {@code --authenticate_http_readwrite}. */
  READWRITE,
  /** {@code --authenticate_http_frameworks}. */
  SCHEDULER,
  /** {@code --authenticate_http_executors}. */
  EXECUTOR,
  /** {@code --authenticate_agents}; the realm is Mezzo's own. */
  AGENT;

  /** The realm that a request is authenticated for (rule 14); empty for anybody's. */
  public Optional<String> realm(Role daemon) {
    return this == NONE
        ? Optional.empty()
        : Optional.of(
            (daemon == Role.MASTER ? "mesos-master-" : "mesos-agent-")
                + name().toLowerCase(Locale.ROOT));
  }
}
