package org.mezzo.testing.contract;

import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.mezzo.api.DaemonContext.Role;
import org.mezzo.api.isolator.Container;
import org.mezzo.api.logger.ContainerLogger;

/**
 * The rules of {@link ContainerLogger}: it has a plan for every container, and what users write
 * into the environment of a task is refused, if at all, by a checked exception, so that it fails
 * their launch and costs nobody else the logger. {@link ModuleContract} says how to extend it.
 */
public abstract class ContainerLoggerContract extends ParallelContract<ContainerLogger> {
  private static final List<String> ODD =
      List.of("", "-1", "many", "999999999999999999999", "0B", "10MB\n", "é", "\0", "%n", "=");

  /** For subclasses. */
  protected ContainerLoggerContract() {}

  /** Names of variables of a task that the logger looks at; none by default. */
  protected List<String> variables() {
    return List.of();
  }

  @Override
  Role role() {
    return Role.AGENT;
  }

  @Override
  Duration deadline() {
    return Duration.ofSeconds(5);
  }

  @Override
  int callers() {
    return 16;
  }

  @Override
  void use(Instance<ContainerLogger> logger, Random random) {
    for (int i = 0; i < 3; i++) {
      Container container = container(random);
      Map<String, String> environment =
          random.nextBoolean() ? Map.of() : Map.of("PATH", "/bin", "A", Samples.text(random));
      logger.ask("prepare", it -> it.prepare(container, environment));
    }
  }

  private Container container(Random random) {
    String id = "container-" + random.nextInt(100);
    return Container.builder(id, Path.of("/sandboxes").resolve(id)).build();
  }

  /** What cannot be in a variable fails a launch, and does not count against the module. */
  @Test
  public void refusesWhatUsersGetWrongByACheckedException() throws Exception {
    Random random = random();
    Instance<ContainerLogger> logger = opened();
    for (String name : variables()) {
      for (String value : ODD) {
        Container container = container(random);
        logger.attempt(
            "prepare with " + name + "='" + value + "'",
            it -> it.prepare(container, Map.of(name, value)));
      }
    }
    use(logger, random);
    logger.close();
  }
}
