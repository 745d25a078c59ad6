package org.mezzo.secrets;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.io.TempDir;
import org.mezzo.api.secret.SecretResolver;
import org.mezzo.protocol.v1.Secret;
import org.mezzo.testing.FakeDaemonContext;
import org.mezzo.testing.contract.SecretResolverContract;

class FileResolverContractTest extends SecretResolverContract {
  @TempDir Path folder;

  @Override
  protected SecretResolver module() {
    return new FileResolver();
  }

  @Override
  protected FakeDaemonContext context(FakeDaemonContext plain) {
    return plain.withParameters(Map.of("directory", folder.toString()));
  }

  @Override
  protected Map<Secret, String> known() throws IOException {
    Files.createDirectories(folder.resolve("db"));
    Files.writeString(folder.resolve("db/password"), "hush");
    Files.writeString(folder.resolve("token"), "quiet");
    return Map.of(secret("db", "password"), "hush", secret("token", ""), "quiet");
  }

  private static Secret secret(String name, String key) {
    Secret.Reference.Builder reference = Secret.Reference.newBuilder().setName(name);
    if (!key.isEmpty()) {
      reference.setKey(key);
    }
    return Secret.newBuilder().setType(Secret.Type.REFERENCE).setReference(reference).build();
  }
}
