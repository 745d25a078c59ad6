package {{package}};

import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.io.TempDir;
import org.mezzo.api.contender.MasterContender;
import org.mezzo.testing.FakeDaemonContext;
import org.mezzo.testing.contract.MasterContenderContract;

class {{class}}ContractTest extends MasterContenderContract {
  @TempDir Path folder;

  @Override
  protected MasterContender module() {
    return new {{class}}();
  }

  @Override
  protected FakeDaemonContext context(FakeDaemonContext plain) {
    return plain.withParameters(Map.of("file", folder.resolve("leader").toString()));
  }
}
