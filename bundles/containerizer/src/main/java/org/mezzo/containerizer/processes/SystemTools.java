package org.mezzo.containerizer.processes;

import static java.util.stream.Collectors.joining;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The programs of the host that containers are started with, looked up once, never through a PATH
 * that somebody else set.
 *
 * @param env as found, with what makes it undo signals that a shell ignores in the background
 * @param argv0 whether {@code env} can set {@code argv[0]}
 * @param naming a shell whose {@code exec -a} sets {@code argv[0]}, looked for where {@code env}
 *     cannot, and needed for programs with {@code =} in their name where it can
 */
record SystemTools(
    Path shell,
    Path setsid,
    Path mkfifo,
    String env,
    boolean argv0,
    Optional<Path> naming,
    Optional<Path> setpriv,
    Optional<Path> prlimit,
    Optional<Path> id) {
  private static final Logger LOG = LoggerFactory.getLogger(SystemTools.class);

  /** What a task finds on its PATH unless it says otherwise. */
  static final String DEFAULT_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

  static SystemTools find(Path shell) throws IOException {
    Path env = require("env");
    String command = env.toString();
    if (succeeds(List.of(command, "--default-signal", "true"))) {
      command += " --default-signal";
    } else {
      LOG.warn(
          "{} does not know --default-signal: tasks may ignore SIGINT and SIGQUIT unless they set"
              + " handlers; coreutils 8.31 or later helps",
          env);
    }
    boolean argv0 = succeeds(List.of(env.toString(), "--argv0=x", "true"));
    Optional<Path> naming = shellThatNames();
    if (!argv0 && naming.isEmpty()) {
      LOG.warn(
          "Programs of commands without a shell get their own name as argv[0], not the first of the"
              + " command's arguments: neither does {} know --argv0, nor is there a shell with exec"
              + " -a. Install coreutils 9.2 or later, or bash",
          env);
    }
    return new SystemTools(
        shell,
        require("setsid"),
        require("mkfifo"),
        command,
        argv0,
        naming,
        find("setpriv"),
        find("prlimit"),
        find("id"));
  }

  private static Optional<Path> shellThatNames() {
    for (String name : List.of("bash", "ksh", "zsh")) {
      Optional<Path> shell = find(name);
      if (shell.isPresent()
          && succeeds(List.of(shell.get().toString(), "-p", "-c", "exec -a x true"))) {
        return shell;
      }
    }
    return Optional.empty();
  }

  private static Path require(String name) throws IOException {
    return find(name)
        .orElseThrow(
            () ->
                new IOException(
                    "Cannot find "
                        + name
                        + " in "
                        + DEFAULT_PATH
                        + "; install util-linux and"
                        + " coreutils"));
  }

  static Optional<Path> find(String name) {
    for (String folder : DEFAULT_PATH.split(":")) {
      Path candidate = Path.of(folder, name);
      if (Files.isExecutable(candidate)) {
        return Optional.of(candidate);
      }
    }
    return Optional.empty();
  }

  /** Whether a command ends with status 0 within ten seconds. */
  static boolean succeeds(List<String> command) {
    try {
      Process process =
          new ProcessBuilder(command)
              .redirectOutput(ProcessBuilder.Redirect.DISCARD)
              .redirectError(ProcessBuilder.Redirect.DISCARD)
              .start();
      process.getOutputStream().close();
      if (process.waitFor(10, TimeUnit.SECONDS)) {
        return process.exitValue() == 0;
      }
      process.destroyForcibly();
      return false;
    } catch (IOException e) {
      return false;
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return false;
    }
  }

  /**
   * Whether a shell script ends with status 0 within ten seconds.
   *
   * @param as whose rights it has; empty for the agent's
   * @param arguments from {@code $1} on
   */
  boolean succeeds(Optional<Accounts.Account> as, String script, Object... arguments) {
    List<String> command = new ArrayList<>();
    as.ifPresent(account -> command.addAll(switching(account)));
    command.addAll(List.of(shell.toString(), "-c", script, "sh"));
    for (Object argument : arguments) {
      command.add(argument.toString());
    }
    return succeeds(command);
  }

  /** What makes the command behind it run as an account. */
  List<String> switching(Accounts.Account account) {
    return List.of(
        setpriv.orElseThrow().toString(),
        "--reuid=" + account.uid(),
        "--regid=" + account.gid(),
        "--groups=" + account.groups().stream().map(String::valueOf).collect(joining(",")));
  }
}
