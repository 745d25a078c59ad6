package org.mezzo.cli;

import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import org.mezzo.files.jars.NamedJar;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

/** Sends a module's jar to daemons, which install it; commands differ in what they expect there. */
abstract class ModuleSendCommand implements Callable<Integer> {
  private static final String STAYS =
      "What runs stays when the new version does not start or does not pass its rehearsal.";

  private final Optional<String> expected;

  @Mixin private DaemonTarget target;

  @Mixin private JarParameter jar;

  private ModuleSendCommand(Optional<String> expected) {
    this.expected = expected;
  }

  @Override
  public Integer call() throws Exception {
    try (NamedJar named = jar.open()) {
      Path file = named.file();
      Map<String, String> query = new HashMap<>(Map.of("name", file.getFileName().toString()));
      expected.ifPresent(it -> query.put("expect", it));
      return new ModuleRequests(target).change("install", query, Optional.of(file));
    }
  }

  /** {@code mezzo module install}. */
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
  static final class Install extends ModuleSendCommand {
    Install() {
      super(Optional.empty());
    }
  }

  /** {@code mezzo module update}. */
  @Command(
      name = "update",
      mixinStandardHelpOptions = true,
      versionProvider = Versions.class,
      description = "Replace an installed module by a version that is not lower.",
      footer = {"", STAYS})
  static final class Update extends ModuleSendCommand {
    Update() {
      super(Optional.of("update"));
    }
  }

  /** {@code mezzo module swap}. */
  @Command(
      name = "swap",
      mixinStandardHelpOptions = true,
      versionProvider = Versions.class,
      description = "Replace an installed module by another version of it, also by a lower one.",
      footer = {"", STAYS})
  static final class Swap extends ModuleSendCommand {
    Swap() {
      super(Optional.of("swap"));
    }
  }
}
