package {{package}};

import java.util.List;
import org.mezzo.api.logger.ContainerLogger;
import org.mezzo.testing.contract.ContainerLoggerContract;

class {{class}}ContractTest extends ContainerLoggerContract {
  @Override
  protected ContainerLogger module() {
    return new {{class}}();
  }

  @Override
  protected List<String> variables() {
    return List.of("KEEP_LOGS");
  }
}
