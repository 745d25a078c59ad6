package org.mezzo.cli;

import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Parameters;

/** Install a module, or a version that is not lower, while daemons run. */
@Command(
    name = "install",
    mixinStandardHelpOptions = true,
    versionProvider = Versions.class,
    description = "Install a module, or a version that is not lower, while daemons run.",
    footer = {
      "",
      "The daemon puts the jar into its folder of modules. All daemons of one process share its"
          + " modules."
    })
final class ModuleInstallCommand implements Callable<Integer> {
  @Mixin private DaemonTarget target;

  @Parameters(paramLabel = "FILE", description = "The module's jar.")
  private Path file;

  @Override
  public Integer call() throws Exception {
    Path jar = ModuleRequests.existing(file);
    return new ModuleRequests(target)
        .change("install", Map.of("name", jar.getFileName().toString()), Optional.of(jar));
  }
}
