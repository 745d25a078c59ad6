package org.mezzo.containerizer;

import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.mezzo.protocol.v1.CommandInfo;
import org.mezzo.protocol.v1.ContainerInfo;
import org.mezzo.resources.Resources;

/**
 * What to run.
 *
 * @param containerId unique on the agent: letters, digits, {@code -} and {@code _} only
 * @param command what runs and which URIs it needs (rules 200, 320); its environment and user are
 *     not looked at, they come as {@code environment} and {@code user}
 * @param environment the whole environment of the first process; isolators may add to it
 * @param user the account to run as; empty means the agent's own
 * @param sandbox absolute; made if it does not exist
 * @param resources what the container may use, without allocation role
 * @param limits scalars that may be used beyond {@code resources}; empty when there are none
 * @param info as the framework gave it, if it did
 * @param rootAllowed whether the command may run as an account with the user id 0; looked at only
 *     where containers run as their user ({@code --switch_user}, an agent that is root)
 * @param owned directories beside the sandbox itself that are given to the user before anything
 *     runs, not what is in them; nobody but the agent may be able to exchange one
 */
public record LaunchRequest(
    String containerId,
    CommandInfo command,
    Map<String, String> environment,
    Optional<String> user,
    Path sandbox,
    Resources resources,
    Resources limits,
    Optional<ContainerInfo> info,
    boolean rootAllowed,
    List<Path> owned) {
  /** A request whose command may run as any account. */
  public LaunchRequest(
      String containerId,
      CommandInfo command,
      Map<String, String> environment,
      Optional<String> user,
      Path sandbox,
      Resources resources,
      Resources limits,
      Optional<ContainerInfo> info) {
    this(
        containerId, command, environment, user, sandbox, resources, limits, info, true, List.of());
  }

  public LaunchRequest {
    environment = Map.copyOf(environment);
    owned = List.copyOf(owned);
    if (!containerId.matches("[A-Za-z0-9_-]{1,242}")) {
      throw new IllegalArgumentException("'" + containerId + "' cannot name a container");
    }
  }
}
