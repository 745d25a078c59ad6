package org.mezzo.secrets;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Base64;
import java.util.Map;
import java.util.Optional;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.mezzo.api.authentication.Principal;
import org.mezzo.protocol.v1.Secret;
import org.mezzo.testing.FakeDaemonContext;

class JwtGeneratorTest {
  private static final byte[] KEY =
      "0123456789abcdef0123456789abcdef".getBytes(StandardCharsets.UTF_8);

  @TempDir Path folder;
  private final JwtGenerator generator = new JwtGenerator();

  private void open(Path file) {
    generator.open(FakeDaemonContext.agent().withFlags(Map.of("jwt_secret_key", file.toString())));
  }

  @Test
  void signsWhoAPrincipalIs() throws Exception {
    open(Files.write(folder.resolve("key"), KEY));
    Secret secret =
        generator.generate(
            new Principal(Optional.of("me"), Map.of("fid", "f", "eid", "e \"1\"", "cid", "c")));
    assertThat(secret.getType()).isEqualTo(Secret.Type.VALUE);
    String[] parts = secret.getValue().getData().toStringUtf8().split("\\.");
    assertThat(parts).hasSize(3);
    assertThat(text(parts[0])).isEqualTo("{\"alg\":\"HS256\",\"typ\":\"JWT\"}");
    assertThat(text(parts[1]))
        .isEqualTo("{\"cid\":\"c\",\"eid\":\"e \\\"1\\\"\",\"fid\":\"f\",\"sub\":\"me\"}");
    Mac mac = Mac.getInstance("HmacSHA256");
    mac.init(new SecretKeySpec(KEY, "HmacSHA256"));
    assertThat(Base64.getUrlDecoder().decode(parts[2]))
        .isEqualTo(mac.doFinal((parts[0] + "." + parts[1]).getBytes(StandardCharsets.US_ASCII)));
  }

  private static String text(String part) {
    return new String(Base64.getUrlDecoder().decode(part), StandardCharsets.UTF_8);
  }

  @Test
  void namesTheFlagWithoutAKey() throws Exception {
    assertThatThrownBy(() -> generator.open(FakeDaemonContext.agent()))
        .hasMessageContaining("--jwt_secret_key is missing");
    Path file = folder.resolve("key");
    assertThatThrownBy(() -> open(file)).hasMessageContaining("cannot be read");
    Files.createFile(file);
    assertThatThrownBy(() -> open(file)).hasMessageContaining("is empty");
  }
}
