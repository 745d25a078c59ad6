package org.mezzo.htpasswd;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.io.TempDir;
import org.mezzo.api.authenticatee.Authenticatee;
import org.mezzo.testing.FakeDaemonContext;
import org.mezzo.testing.contract.AuthenticateeContract;

class BasicAuthenticateeContractTest extends AuthenticateeContract {
  @TempDir Path folder;

  @Override
  protected Authenticatee module() {
    return new BasicAuthenticatee();
  }

  @Override
  protected FakeDaemonContext context(FakeDaemonContext plain) throws IOException {
    Path file = Files.writeString(folder.resolve("credential"), "agent s3cret-1\n");
    return plain.withFlags(Map.of("credential", file.toString()));
  }
}
