package org.mezzo.containerizer.logging;

import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Executor;
import org.mezzo.api.isolator.Container;
import org.mezzo.api.logger.ContainerLogger;
import org.mezzo.api.logger.LogPlan;
import org.mezzo.containerizer.ContainerizerHost;
import org.mezzo.containerizer.ContainerizerOptions.Logging;
import org.mezzo.containerizer.LaunchException;
import org.mezzo.modules.Kinds;
import org.mezzo.modules.ModuleChain;
import org.mezzo.modules.ModuleChain.Member;
import org.mezzo.modules.ModuleChain.Selection;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The container logger of one agent. A logger that was asked for by name is never left out: what it
 * says and cannot be carried out, and that there is none, refuses launches. The one that agents
 * have by themselves is passed over where the launcher rotates nothing.
 */
public final class Loggers implements AutoCloseable {
  /** Has containers open their files themselves, and needs no module. */
  public static final String SANDBOX = "sandbox";

  private static final String ROTATION = "rotation";
  private static final String OUTPUT_HELPER = "output-helper";

  private static final Logger LOG = LoggerFactory.getLogger(Loggers.class);
  private static final CompletionStage<LogPlan> FILES =
      CompletableFuture.completedStage(LogPlan.FILES);

  private final Set<String> able;
  private final ModuleChain<ContainerLogger> loggers;

  /**
   * Leases the logger that is chosen.
   *
   * @param able what the launcher can do for output, by the names of its features
   * @param events where the lease reports
   */
  public Loggers(ContainerizerHost host, Logging choice, Set<String> able, Executor events) {
    this.able = able;
    loggers = host.modules().chain(Kinds.CONTAINER_LOGGER, modules(choice), events);
  }

  private List<String> modules(Logging choice) {
    Optional<String> name = choice.logger().filter(it -> !it.equals(SANDBOX));
    if (name.isPresent() && !choice.demanded() && !able.contains(ROTATION)) {
      LOG.info(
          "Output of containers goes to files that nothing keeps small, because the launcher of"
              + " this agent cannot rotate them; --container_logger={} would have launches fail"
              + " instead",
          name.get());
      return List.of();
    }
    return name.map(List::of).orElse(List.of());
  }

  /** Containers that are launched from now on have that logger, once it has opened. */
  public void select(Logging choice) {
    loggers.select(modules(choice));
  }

  /**
   * What becomes of the output of a container.
   *
   * @return fails with {@link LaunchException} when the logger does not say, or says what cannot be
   *     done
   */
  public CompletionStage<LogPlan> prepare(Container container, Map<String, String> environment) {
    if (loggers.isEmpty()) {
      return FILES;
    }
    Selection<ContainerLogger> selection = loggers.now();
    if (selection.members().isEmpty()) {
      selection.close();
      return FILES;
    }
    Member<ContainerLogger> logger = selection.members().get(0);
    return logger
        .lease()
        .ask(
            "prepare",
            module ->
                Objects.requireNonNull(
                    module.prepare(container, environment), "prepare returned null"))
        .handle(
            (plan, failure) -> {
              selection.close();
              if (failure != null) {
                throw new CompletionException(
                    LaunchException.of(
                        "Container logger '" + logger.name() + "'",
                        "install its module or give --container_logger another one",
                        failure));
              }
              check(logger.name(), plan);
              return plan;
            });
  }

  private void check(String name, LogPlan plan) {
    Set<String> missing = new TreeSet<>();
    if (plan.rotates()) {
      missing.add(ROTATION);
    }
    if (plan.helps()) {
      missing.add(OUTPUT_HELPER);
    }
    missing.removeAll(able);
    if (!missing.isEmpty()) {
      throw new CompletionException(
          new LaunchException(
              "The launcher of this agent cannot do '"
                  + String.join("', '", missing)
                  + "', which container logger '"
                  + name
                  + "' needs; take the native launcher, or --container_logger="
                  + SANDBOX));
    }
  }

  @Override
  public void close() {
    loggers.close();
  }
}
