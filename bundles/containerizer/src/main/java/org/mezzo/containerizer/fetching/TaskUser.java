package org.mezzo.containerizer.fetching;

import java.util.List;

/**
 * The user of a task when it is not the agent's own.
 *
 * @param uid whom what was fetched belongs to
 * @param gid the group it belongs to
 * @param switching the command line that makes the command behind it run as that user
 */
public record TaskUser(String name, long uid, long gid, List<String> switching) {
  public TaskUser {
    switching = List.copyOf(switching);
  }
}
