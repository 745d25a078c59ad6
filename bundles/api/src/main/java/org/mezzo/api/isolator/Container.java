package org.mezzo.api.isolator;

import java.nio.file.Path;
import java.util.Optional;
import java.util.OptionalLong;
import org.mezzo.protocol.v1.ContainerInfo;
import org.mezzo.resources.Resources;

/**
 * A container as isolators see it.
 *
 * @param id unique on the agent, a file name
 * @param sandbox absolute
 * @param user the account its processes run as
 * @param resources what it may use, without allocation role
 * @param limits scalars that may be used beyond the request; empty when limits equal requests
 * @param info as the framework gave it, if it did
 * @param pid of its first process; empty before it exists
 */
public record Container(
    String id,
    Path sandbox,
    String user,
    Resources resources,
    Resources limits,
    Optional<ContainerInfo> info,
    OptionalLong pid) {

  /** How far a container is, as far as an isolator was told. */
  public enum Phase {
    /** {@link Isolator#prepare} has returned for it. */
    PREPARED,
    /** It has a process, and {@link Isolator#isolate} has returned for it. */
    ISOLATED
  }

  /** How far it is, in a list of {@link Isolator#recover}. */
  public Phase phase() {
    return pid.isPresent() ? Phase.ISOLATED : Phase.PREPARED;
  }
}
