package org.mezzo.logger;

import java.util.List;
import org.mezzo.api.logger.ContainerLogger;
import org.mezzo.testing.contract.ContainerLoggerContract;

class RotatingLoggerContractTest extends ContainerLoggerContract {
  @Override
  protected ContainerLogger module() {
    return new RotatingLogger();
  }

  @Override
  protected List<String> variables() {
    return List.of("CONTAINER_LOGGER_MAX_STDOUT_SIZE", "CONTAINER_LOGGER_MAX_STDERR_FILES");
  }
}
