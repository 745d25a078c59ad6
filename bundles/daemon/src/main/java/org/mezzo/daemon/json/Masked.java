package org.mezzo.daemon.json;

import org.mezzo.flags.Passwords;
import org.mezzo.protocol.v1.CommandInfo;
import org.mezzo.protocol.v1.ExecutorInfo;
import org.mezzo.protocol.v1.HealthCheck;
import org.mezzo.protocol.v1.Task;

/**
 * Messages as they are shown: without the passwords in the URIs of their commands, which are the
 * framework's secrets. Stateless.
 */
public final class Masked {
  private Masked() {}

  /** An executor without passwords. */
  public static ExecutorInfo executor(ExecutorInfo info) {
    return info.getCommand().getUrisCount() == 0
        ? info
        : info.toBuilder().setCommand(command(info.getCommand())).build();
  }

  /** A task without passwords, which the command of its health check may have. */
  public static Task task(Task task) {
    return task.getHealthCheck().getCommand().getUrisCount() == 0
        ? task
        : task.toBuilder().setHealthCheck(healthCheck(task.getHealthCheck())).build();
  }

  /** A health check without passwords. */
  public static HealthCheck healthCheck(HealthCheck check) {
    return check.getCommand().getUrisCount() == 0
        ? check
        : check.toBuilder().setCommand(command(check.getCommand())).build();
  }

  private static CommandInfo command(CommandInfo command) {
    CommandInfo.Builder masked = command.toBuilder();
    for (CommandInfo.URI.Builder uri : masked.getUrisBuilderList()) {
      uri.setValue(Passwords.masked(uri.getValue()));
    }
    return masked.build();
  }
}
