package org.mezzo.logger;

import java.util.List;
import java.util.Map;
import org.mezzo.api.logger.ContainerLogger;
import org.mezzo.testing.FakeDaemonContext;
import org.mezzo.testing.contract.ContainerLoggerContract;

class HelperLoggerContractTest extends ContainerLoggerContract {
  @Override
  protected ContainerLogger module() {
    return new HelperLogger();
  }

  @Override
  protected FakeDaemonContext context(FakeDaemonContext plain) {
    return plain.withParameters(Map.of("program", "/bin/cat"));
  }

  @Override
  protected List<String> variables() {
    return List.of("CONTAINER_LOGGER_MAX_STDOUT_SIZE", "MESOS_TASK_ID");
  }
}
