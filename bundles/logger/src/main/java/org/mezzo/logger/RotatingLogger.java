package org.mezzo.logger;

import java.io.IOException;
import java.util.Map;
import org.mezzo.api.DaemonContext;
import org.mezzo.api.MezzoModule;
import org.mezzo.api.isolator.Container;
import org.mezzo.api.logger.ContainerLogger;
import org.mezzo.api.logger.LogPlan;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.ServiceScope;
import org.osgi.service.metatype.annotations.Designate;

/**
 * Keeps {@code stdout} and {@code stderr} of every container small. The parameters {@code
 * max_stdout_size} and {@code max_stderr_size} say how large a file may grow, {@code
 * max_stdout_files} and {@code max_stderr_files} how many older ones are kept beside it; a
 * container has others where its environment says so, as {@code CONTAINER_LOGGER_MAX_STDOUT_SIZE}
 * and so on.
 */
@Component(service = ContainerLogger.class, scope = ServiceScope.PROTOTYPE)
@MezzoModule(
    kind = ContainerLogger.KIND,
    name = "rotating",
    version = "0.1.0",
    author = "Mezzo",
    description = "keeps the files of output small")
@Designate(ocd = RotatingParameters.class)
public final class RotatingLogger implements ContainerLogger {
  private volatile Rotations rotations = new Rotations(Map.of());

  @Override
  public void open(DaemonContext context) {
    rotations = checked(context.parameters());
  }

  /** Takes other sizes; containers that are launched from now on have them. */
  @Override
  public boolean reconfigured(Map<String, String> parameters) {
    rotations = checked(parameters);
    return true;
  }

  private static Rotations checked(Map<String, String> parameters) {
    Rotations next = new Rotations(parameters);
    next.plan(Map.of());
    return next;
  }

  /**
   * Keeps files as small as parameters and the task's variables say.
   *
   * @throws IOException when a variable cannot be used: its user's fault, which must not count as
   *     this module's
   */
  @Override
  public LogPlan prepare(Container container, Map<String, String> environment) throws IOException {
    try {
      return rotations.plan(environment);
    } catch (IllegalArgumentException e) {
      throw new IOException(e.getMessage(), e);
    }
  }
}
