package org.mezzo.cli;

import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Parameters;

/** Has daemons leave the version of a module that runs. */
abstract class ModuleLeaveCommand implements Callable<Integer> {
  private final String change;

  @Mixin private DaemonTarget target;

  @Parameters(
      paramLabel = "NAME",
      description = "The symbolic name of its bundle, as mezzo module deployments has it.")
  private String name;

  private ModuleLeaveCommand(String change) {
    this.change = change;
  }

  @Override
  public Integer call() throws Exception {
    return new ModuleRequests(target).change(change, Map.of("bundle", name), Optional.empty());
  }

  /** {@code mezzo module rollback}. */
  @Command(
      name = "rollback",
      mixinStandardHelpOptions = true,
      versionProvider = Versions.class,
      description = "Go back to what ran before the version of a module that runs now.",
      footer = {"", "The version that is left is not tried again until somebody asks for it."})
  static final class Rollback extends ModuleLeaveCommand {
    Rollback() {
      super("rollback");
    }
  }

  /** {@code mezzo module uninstall}. */
  @Command(
      name = "uninstall",
      mixinStandardHelpOptions = true,
      versionProvider = Versions.class,
      description = "Remove a module and its jar; daemons go on without it.",
      footer = {"", "It is refused while another module needs it."})
  static final class Uninstall extends ModuleLeaveCommand {
    Uninstall() {
      super("uninstall");
    }
  }
}
