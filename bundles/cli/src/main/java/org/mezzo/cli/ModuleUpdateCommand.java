package org.mezzo.cli;

import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Parameters;

/** Replace an installed module by a version that is not lower. */
@Command(
    name = "update",
    mixinStandardHelpOptions = true,
    versionProvider = Versions.class,
    description = "Replace an installed module by a version that is not lower.",
    footer = {
      "",
      "What runs stays when the new version does not start or does not pass its rehearsal."
    })
final class ModuleUpdateCommand implements Callable<Integer> {
  @Mixin private DaemonTarget target;

  @Parameters(paramLabel = "FILE", description = "The module's jar.")
  private Path file;

  @Override
  public Integer call() throws Exception {
    Path jar = ModuleRequests.existing(file);
    return new ModuleRequests(target)
        .change(
            "install",
            Map.of("name", jar.getFileName().toString(), "expect", "update"),
            Optional.of(jar));
  }
}
