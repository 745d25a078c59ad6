package org.mezzo.cli;

import java.io.IOException;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import org.mezzo.flags.FlagException;
import org.mezzo.host.HostException;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

/** What an operator wants of the rollout that is under way. */
abstract class RolloutOrderCommand implements Callable<Integer> {
  @Mixin private MasterTarget target;
  private final String order;

  private RolloutOrderCommand(String order) {
    this.order = order;
  }

  @Override
  public Integer call() throws HostException, FlagException, InterruptedException {
    try (ClusterModules cluster = new ClusterModules(target)) {
      System.out.println(
          ClusterModules.line(cluster.post("/" + order, Map.of(), Optional.empty())));
      return 0;
    } catch (IOException e) {
      throw ClusterModules.failed("the rollout goes on as before", e);
    }
  }

  /** {@code mezzo module pause}. */
  @Command(
      name = "pause",
      mixinStandardHelpOptions = true,
      versionProvider = Versions.class,
      description = "Begin no further batch of the rollout until it is resumed.")
  static final class Pause extends RolloutOrderCommand {
    Pause() {
      super("pause");
    }
  }

  /** {@code mezzo module resume}. */
  @Command(
      name = "resume",
      mixinStandardHelpOptions = true,
      versionProvider = Versions.class,
      description = "Go on with the rollout.")
  static final class Resume extends RolloutOrderCommand {
    Resume() {
      super("resume");
    }
  }

  /** {@code mezzo module abort}. */
  @Command(
      name = "abort",
      mixinStandardHelpOptions = true,
      versionProvider = Versions.class,
      description = "Stop the rollout, and undo it.")
  static final class Abort extends RolloutOrderCommand {
    Abort() {
      super("abort");
    }
  }
}
