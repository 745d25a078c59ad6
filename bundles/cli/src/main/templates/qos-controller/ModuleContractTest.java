package {{package}};

import java.util.Map;
import org.mezzo.api.qos.QosController;
import org.mezzo.testing.FakeDaemonContext;
import org.mezzo.testing.contract.QosControllerContract;

class {{class}}ContractTest extends QosControllerContract {
  @Override
  protected QosController module() {
    return new {{class}}();
  }

  @Override
  protected FakeDaemonContext context(FakeDaemonContext plain) {
    return plain.withParameters(Map.of("percent", "0"));
  }
}
