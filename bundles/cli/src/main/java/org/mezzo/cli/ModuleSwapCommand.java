package org.mezzo.cli;

import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Parameters;

/** Replace an installed module by another version of it, also by a lower one. */
@Command(
    name = "swap",
    mixinStandardHelpOptions = true,
    versionProvider = Versions.class,
    description = "Replace an installed module by another version of it, also by a lower one.",
    footer = {
      "",
      "What runs stays when the new version does not start or does not pass its rehearsal."
    })
final class ModuleSwapCommand implements Callable<Integer> {
  @Mixin private DaemonTarget target;

  @Parameters(paramLabel = "FILE", description = "The module's jar.")
  private Path file;

  @Override
  public Integer call() throws Exception {
    Path jar = ModuleRequests.existing(file);
    return new ModuleRequests(target)
        .change(
            "install",
            Map.of("name", jar.getFileName().toString(), "expect", "swap"),
            Optional.of(jar));
  }
}
