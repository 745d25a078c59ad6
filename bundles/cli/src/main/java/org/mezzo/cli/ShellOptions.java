package org.mezzo.cli;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.mezzo.flags.FlagException;

/** The options of the Gogo shell, which every command that boots a host has; off by default. */
final class ShellOptions {
  private static final String CONSOLE = "--shell";
  private static final String BUNDLE_COMMANDS = "--shell_bundle_commands";
  private static final String SSH_PORT = "--shell_ssh_port=";
  private static final String DEFAULT_ROLE = "--shell_default_role=";
  private static final List<String> ROLES = List.of("view", "operate", "administer");
  private static final String SSH_KEYS = "--shell_authorized_keys=";

  private final Map<String, Object> properties = new LinkedHashMap<>();

  private ShellOptions() {}

  /** No shell. */
  static ShellOptions none() {
    return new ShellOptions();
  }

  /** Removes the options of the shell from arguments. */
  static ShellOptions takeFrom(List<String> arguments) throws FlagException {
    ShellOptions options = new ShellOptions();
    for (Iterator<String> each = new ArrayList<>(arguments).iterator(); each.hasNext(); ) {
      String argument = each.next();
      if (argument.equals(CONSOLE)) {
        options.properties.put("console", true);
      } else if (argument.equals(BUNDLE_COMMANDS)) {
        options.properties.put("bundleCommands", true);
      } else if (argument.startsWith(SSH_PORT)) {
        options.properties.put("sshPort", port(argument.substring(SSH_PORT.length())));
      } else if (argument.startsWith(SSH_KEYS)) {
        options.properties.put(
            "authorizedKeys",
            Path.of(argument.substring(SSH_KEYS.length())).toAbsolutePath().toString());
      } else if (argument.startsWith(DEFAULT_ROLE)) {
        options.properties.put("defaultRole", role(argument.substring(DEFAULT_ROLE.length())));
      } else {
        continue;
      }
      arguments.remove(argument);
    }
    if (options.properties.containsKey("sshPort")
        != options.properties.containsKey("authorizedKeys")) {
      throw new FlagException(
          "--shell_ssh_port=PORT and --shell_authorized_keys=FILE belong together: the shell is"
              + " reached over SSH with a key only");
    }
    if (options.properties.containsKey("defaultRole")
        && !options.properties.containsKey("sshPort")) {
      throw new FlagException(
          "--shell_default_role: roles are of keys; --shell_ssh_port=PORT"
              + " --shell_authorized_keys=FILE opens a shell for those");
    }
    if (options.properties.keySet().equals(Set.of("bundleCommands"))) {
      throw new FlagException(
          "--shell_bundle_commands: there is no shell; --shell or --shell_ssh_port=PORT opens one");
    }
    return options;
  }

  private static String role(String text) throws FlagException {
    if (!ROLES.contains(text)) {
      throw new FlagException(
          "--shell_default_role: '" + text + "' is not one of " + String.join(", ", ROLES));
    }
    return text;
  }

  private static int port(String text) throws FlagException {
    try {
      int port = Integer.parseInt(text);
      if (port >= 0 && port <= 65_535) {
        return port;
      }
    } catch (NumberFormatException e) {
      throw new FlagException("--shell_ssh_port: '" + text + "' is no number");
    }
    throw new FlagException("--shell_ssh_port: " + text + " is not between 0 and 65535");
  }

  /** Adds the shell if it is wanted. */
  void addTo(Boot boot) {
    if (!properties.isEmpty()) {
      boot.shell(properties);
    }
  }
}
