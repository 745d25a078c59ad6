package org.mezzo.containerizer.processes;

import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.regex.Pattern;
import org.mezzo.containerizer.LaunchException;

/**
 * How the environment of a task reaches its first process: what can be a variable of a shell is
 * exported by the shell that becomes the task, so that nobody reads it among the arguments of a
 * process. What cannot, is given to {@code env} as an argument: names that are none for a shell
 * ({@code with.dot}), that mean something to the shell itself, and those that the dynamic linker or
 * the locale of the programs in between would heed.
 *
 * @param exports one shell command, or empty
 * @param words what {@code env} is given before the command, with a blank before each
 * @param names of all variables
 */
record TaskVariables(String exports, String words, Set<String> names) {
  private static final Pattern SHELL_NAME =
      Pattern.compile("(?!BASH|COMP_|EPOCH|HIST|LC_|LD_)[A-Za-z_][A-Za-z0-9_]*");

  /** What a shell sets, refuses to set, or acts upon. */
  private static final Set<String> SHELLS_OWN =
      Set.of(
          "_",
          "DIRSTACK",
          "ENV",
          "EUID",
          "FUNCNAME",
          "GROUPS",
          "LANG",
          "LINENO",
          "OLDPWD",
          "OPTARG",
          "OPTERR",
          "OPTIND",
          "PIPESTATUS",
          "POSIXLY_CORRECT",
          "PPID",
          "PWD",
          "RANDOM",
          "SECONDS",
          "SHELLOPTS",
          "SHLVL",
          "SRANDOM",
          "UID");

  /** What the shells in between export of their own accord. */
  private static final List<String> STRAY = List.of("LC_ALL", "OLDPWD", "PWD", "SHLVL", "_");

  /**
   * Sorts variables.
   *
   * @throws LaunchException when a name cannot be one, or there is a NUL
   */
  static TaskVariables of(Map<String, String> environment) throws LaunchException {
    StringBuilder exports = new StringBuilder();
    StringBuilder words = new StringBuilder();
    for (String stray : STRAY) {
      words.append(" -u ").append(stray);
    }
    for (Map.Entry<String, String> variable : new TreeMap<>(environment).entrySet()) {
      String name = variable.getKey();
      if (name.isEmpty() || name.indexOf('=') >= 0) {
        throw new LaunchException("'" + name + "' cannot name an environment variable");
      }
      if (SHELL_NAME.matcher(name).matches() && !SHELLS_OWN.contains(name)) {
        exports.append(exports.isEmpty() ? "export " : " ").append(name).append('=');
        exports.append(ShellText.quote(variable.getValue()));
      } else {
        words.append(' ').append(ShellText.quote(name + "=" + variable.getValue()));
      }
    }
    return new TaskVariables(
        exports.toString(), words.toString(), Set.copyOf(environment.keySet()));
  }
}
