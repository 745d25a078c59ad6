package org.mezzo.cli;

import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Parameters;

/** Go back to what ran before the version of a module that runs now. */
@Command(
    name = "rollback",
    mixinStandardHelpOptions = true,
    versionProvider = Versions.class,
    description = "Go back to what ran before the version of a module that runs now.",
    footer = {"", "The version that is left is not tried again until somebody asks for it."})
final class ModuleRollbackCommand implements Callable<Integer> {
  @Mixin private DaemonTarget target;

  @Parameters(
      paramLabel = "NAME",
      description = "The symbolic name of its bundle, as mezzo module deployments has it.")
  private String name;

  @Override
  public Integer call() throws Exception {
    return new ModuleRequests(target).change("rollback", Map.of("bundle", name), Optional.empty());
  }
}
