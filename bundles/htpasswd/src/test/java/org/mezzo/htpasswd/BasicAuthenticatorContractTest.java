package org.mezzo.htpasswd;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.io.TempDir;
import org.mezzo.api.authentication.HttpAuthenticator;
import org.mezzo.testing.FakeDaemonContext;
import org.mezzo.testing.contract.HttpAuthenticatorContract;

class BasicAuthenticatorContractTest extends HttpAuthenticatorContract {
  @TempDir Path folder;

  @Override
  protected HttpAuthenticator module() {
    return new BasicAuthenticator();
  }

  @Override
  protected FakeDaemonContext context(FakeDaemonContext plain) throws IOException {
    Path file = folder.resolve("credentials");
    // Once: instances before read it meanwhile, and would find what is half written.
    if (Files.notExists(file)) {
      Files.writeString(file, "anna s3cret-1\nbert s3:cret-2\n");
      Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rw-------"));
    }
    return plain.withFlags(Map.of("credentials", file.toString()));
  }

  @Override
  protected Map<String, String> accepted() {
    return Map.of("anna", header("anna:s3cret-1"), "bert", header("bert:s3:cret-2"));
  }

  @Override
  protected List<String> refused() {
    return List.of(header("anna:s3:cret-2"), header("nobody:s3cret-1"), header("anna:"));
  }

  private static String header(String pair) {
    return "Basic " + Base64.getEncoder().encodeToString(pair.getBytes(StandardCharsets.UTF_8));
  }
}
