package org.mezzo.qos.load;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.io.TempDir;
import org.mezzo.api.qos.QosController;
import org.mezzo.testing.FakeDaemonContext;
import org.mezzo.testing.contract.QosControllerContract;

/** On a machine with much to do. */
class LoadControllerContractTest extends QosControllerContract {
  @TempDir Path folder;

  @Override
  protected QosController module() throws IOException {
    return new LoadController(Files.writeString(folder.resolve("loadavg"), "9.00 9.00 9.00 1/1 1"));
  }

  @Override
  protected FakeDaemonContext context(FakeDaemonContext plain) {
    return plain.withParameters(Map.of("load_threshold_5min", "1"));
  }
}
