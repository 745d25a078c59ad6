package org.mezzo.shell.terminal;

import java.io.InputStream;
import java.io.OutputStream;
import java.util.List;
import java.util.Set;
import org.apache.felix.service.command.CommandProcessor;
import org.apache.felix.service.command.CommandSession;
import org.apache.felix.service.command.Function;

/** Opens sessions of the shell, with what holds in all of them. Safe for any thread. */
final class Sessions {
  /** Commands of Felix that change bundles, of which deployment would know nothing. */
  private static final List<String> BUNDLE_COMMANDS =
      List.of(
          "bundlelevel",
          "frameworklevel",
          "install",
          "refresh",
          "start",
          "stop",
          "uninstall",
          "update");

  /** Those that Mezzo has, too: without a scope these are Mezzo's. */
  private static final Set<String> OWN = Set.of("install", "uninstall");

  private final CommandProcessor processor;
  private final Gate gate;
  private final boolean bundleCommands;

  /**
   * Over the commands that there are.
   *
   * @param access what each of them needs
   * @param bundleCommands whether Felix's commands that change bundles can be used
   */
  Sessions(CommandProcessor processor, CommandAccess access, boolean bundleCommands) {
    this.processor = processor;
    gate = new Gate(access);
    this.bundleCommands = bundleCommands;
  }

  /** What each line goes through before it runs. */
  Gate gate() {
    return gate;
  }

  /** A session of somebody; to be closed. */
  CommandSession open(InputStream in, OutputStream out, Caller caller) {
    CommandSession session = processor.createSession(in, out, out);
    caller.enter(session);
    // Where several scopes have a command it is Mezzo's.
    session.put("SCOPE", "mezzo:*");
    if (!bundleCommands) {
      for (String command : BUNDLE_COMMANDS) {
        session.put("felix:" + command, off(command));
        if (!OWN.contains(command)) {
          session.put(command, off(command));
        }
      }
    }
    return session;
  }

  private static Function off(String command) {
    return (session, arguments) -> {
      throw new IllegalStateException(
          "felix:"
              + command
              + " is off: it would change bundles behind the back of what deploys modules. Use"
              + " mezzo:install, mezzo:swap, mezzo:rollback and mezzo:uninstall, or start with"
              + " --shell_bundle_commands");
    };
  }
}
