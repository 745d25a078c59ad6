package {{package}};

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.io.TempDir;
import org.mezzo.api.authenticatee.Authenticatee;
import org.mezzo.testing.FakeDaemonContext;
import org.mezzo.testing.contract.AuthenticateeContract;

class {{class}}ContractTest extends AuthenticateeContract {
  @TempDir Path folder;

  @Override
  protected Authenticatee module() {
    return new {{class}}();
  }

  @Override
  protected FakeDaemonContext context(FakeDaemonContext plain) throws IOException {
    Path file = Files.writeString(folder.resolve("token"), "s3cret\n");
    return plain.withParameters(Map.of("token_file", file.toString()));
  }
}
