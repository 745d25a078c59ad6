package org.mezzo.agent.tasks;

import java.nio.file.Path;
import java.util.Optional;
import org.mezzo.containerizer.ContainerId;
import org.mezzo.protocol.v1.FrameworkInfo;

/**
 * What a container gets that is nested in those of an executor. Immutable.
 *
 * @param executorUser the account of the executor, or of the task where the agent plays its
 *     executor; empty means the agent's own
 * @param user the account of the task or executor that it is nested in
 * @param sandbox of the executor
 * @param variables of the task or executor that it is nested in
 * @param rootAllowed whether anything may run as root
 */
public record NestingPlace(
    FrameworkInfo framework,
    Optional<String> executorUser,
    Optional<String> user,
    Path sandbox,
    ContainerVariables variables,
    boolean rootAllowed) {
  public NestingPlace {
    variables = variables.copy();
  }

  /** The one of two containers that is an executor's, or is in such a one itself. */
  static ContainerId secondOutermost(ContainerId id) {
    ContainerId each = id;
    while (each.parent().isPresent() && each.parent().get().parent().isPresent()) {
      each = each.parent().get();
    }
    return each;
  }
}
