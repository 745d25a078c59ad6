package org.mezzo.cli;

import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.mezzo.flags.FlagDefinitions;
import org.mezzo.flags.FlagException;
import org.mezzo.flags.FlagSources;

/**
 * What is given for one daemon, in falling precedence: command line, environment, {@code etc/} of
 * the distribution, and the files of an installed Mesos package.
 */
final class DaemonFlags {
  private DaemonFlags() {}

  /**
   * Collects the flags of a daemon that has the process to itself.
   *
   * @param root where the file system begins; other than {@code /} in tests
   */
  static Map<String, String> collect(
      Role role,
      FlagDefinitions definitions,
      List<String> arguments,
      Map<String, String> environment,
      Path etc,
      Path root)
      throws FlagException {
    FlagSources sources =
        new FlagSources(definitions)
            .commandLine(arguments)
            .environment(environment)
            .properties(etc.resolve(role.daemon() + ".properties"))
            .directory(etc.resolve("mezzo-" + role.daemon()));
    Path system = root.resolve("etc");
    List<String> names =
        role == Role.AGENT ? List.of("mesos-agent", "mesos-slave") : List.of("mesos-master");
    for (String name : names) {
      sources.directory(system.resolve(name));
    }
    for (String name : names) {
      sources.assignments(system.resolve("default").resolve(name), role.packageVariables());
    }
    sources.assignments(system.resolve("default").resolve("mesos"), role.packageVariables());
    sources.file(role.ensembleFlag(), system.resolve("mesos").resolve("zk"));
    return new TreeMap<>(sources.given());
  }
}
