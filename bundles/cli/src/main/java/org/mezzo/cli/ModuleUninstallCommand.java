package org.mezzo.cli;

import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Parameters;

/** Remove a module and its jar; daemons go on without it. */
@Command(
    name = "uninstall",
    mixinStandardHelpOptions = true,
    versionProvider = Versions.class,
    description = "Remove a module and its jar; daemons go on without it.",
    footer = {"", "It is refused while another module needs it."})
final class ModuleUninstallCommand implements Callable<Integer> {
  @Mixin private DaemonTarget target;

  @Parameters(
      paramLabel = "NAME",
      description = "The symbolic name of its bundle, as mezzo module deployments has it.")
  private String name;

  @Override
  public Integer call() throws Exception {
    return new ModuleRequests(target).change("uninstall", Map.of("bundle", name), Optional.empty());
  }
}
