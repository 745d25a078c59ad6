package org.mezzo.secrets;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Base64;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.io.TempDir;
import org.mezzo.api.authentication.Principal;
import org.mezzo.api.generator.SecretGenerator;
import org.mezzo.testing.FakeDaemonContext;
import org.mezzo.testing.contract.SecretGeneratorContract;

class JwtGeneratorContractTest extends SecretGeneratorContract {
  @TempDir Path folder;

  @Override
  protected SecretGenerator module() {
    return new JwtGenerator();
  }

  @Override
  protected FakeDaemonContext context(FakeDaemonContext plain) throws Exception {
    Path key = folder.resolve("key");
    if (!Files.exists(key)) {
      Files.writeString(key, "0123456789abcdef0123456789abcdef");
    }
    return plain.withFlags(Map.of("jwt_secret_key", key.toString()));
  }

  /** As the claims say; the signature is looked at elsewhere. */
  @Override
  protected Optional<Principal> owner(String secret) throws Exception {
    Map<String, String> claims = new HashMap<>();
    byte[] text = Base64.getUrlDecoder().decode(secret.split("\\.")[1]);
    try (JsonParser json =
        new JsonFactory().createParser(new String(text, StandardCharsets.UTF_8))) {
      json.nextToken();
      while (json.nextToken() == JsonToken.FIELD_NAME) {
        String name = json.currentName();
        json.nextToken();
        claims.put(name, json.getText());
      }
    }
    return Optional.of(new Principal(Optional.empty(), claims));
  }
}
