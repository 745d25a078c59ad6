package org.mezzo.daemon;

import java.time.Duration;
import org.mezzo.api.DaemonContext.Role;

/**
 * What makes a daemon's frame that of a master or of an agent.
 *
 * @param pathId what may stand before every path, for example {@code slave(1)} (rule 1)
 * @param metrics what names of the daemon's metrics begin with, for example {@code slave}
 * @param httpThreads the most threads that read requests
 * @param workers the most threads for what must not run on the event loop
 * @param httpGrace how long short exchanges may take to end when the daemon ends
 */
public record DaemonKind(
    Role role, String pathId, String metrics, int httpThreads, int workers, Duration httpGrace) {

  /** What people call it, and what its locks are named after: {@code master} or {@code agent}. */
  public String noun() {
    return role.name().toLowerCase(java.util.Locale.ROOT);
  }
}
