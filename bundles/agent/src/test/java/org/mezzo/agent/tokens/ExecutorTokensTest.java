package org.mezzo.agent.tokens;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Base64;
import java.util.Map;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.mezzo.api.authentication.Principal;

class ExecutorTokensTest {
  private static final byte[] KEY =
      "0123456789abcdef0123456789abcdef".getBytes(StandardCharsets.UTF_8);
  private final ExecutorTokens tokens = new ExecutorTokens(KEY);

  private static String part(String text) {
    return Base64.getUrlEncoder()
        .withoutPadding()
        .encodeToString(text.getBytes(StandardCharsets.UTF_8));
  }

  private static String signed(String header, String claims) throws Exception {
    String signed = part(header) + "." + part(claims);
    Mac mac = Mac.getInstance("HmacSHA256");
    mac.init(new SecretKeySpec(KEY, "HmacSHA256"));
    byte[] signature = mac.doFinal(signed.getBytes(StandardCharsets.UTF_8));
    return signed + "." + Base64.getUrlEncoder().withoutPadding().encodeToString(signature);
  }

  @Test
  void isAJsonWebTokenThatSaysWhoItIsOf() throws Exception {
    String token = tokens.of("f", "e \"1\"", "c");
    assertThat(token)
        .isEqualTo(
            signed(
                "{\"alg\":\"HS256\",\"typ\":\"JWT\"}",
                "{\"fid\":\"f\",\"eid\":\"e \\\"1\\\"\",\"cid\":\"c\"}"));
    Principal principal = tokens.principal(token).orElseThrow();
    assertThat(principal.value()).isEmpty();
    assertThat(principal.claims()).isEqualTo(Map.of("fid", "f", "eid", "e \"1\"", "cid", "c"));
    assertThat(new ExecutorTokens(KEY.clone()).principal(token)).as("after a restart").isPresent();
  }

  @Test
  void knowsNothingThatItDidNotSign() throws Exception {
    String token = tokens.of("f", "e", "c");
    assertThat(new ExecutorTokens(new byte[] {1}).principal(token)).isEmpty();
    for (int i = 0; i < token.length(); i++) {
      char other = token.charAt(i) == 'A' ? 'B' : 'A';
      String changed = token.substring(0, i) + other + token.substring(i + 1);
      if (i == token.length() - 1) {
        // The last letter has bits that mean nothing.
        continue;
      }
      assertThat(tokens.principal(changed)).as(changed).isEmpty();
    }
    String claims = part("{\"fid\":\"f\",\"eid\":\"e\",\"cid\":\"c\"}");
    assertThat(tokens.principal(part("{\"alg\":\"none\"}") + "." + claims + ".")).isEmpty();
    assertThat(tokens.principal(signed("{}", "{\"fid\":\"f\",\"eid\":\"e\"}"))).isEmpty();
    assertThat(tokens.principal(signed("{}", "{\"fid\":1,\"eid\":\"e\",\"cid\":\"c\"}"))).isEmpty();
    assertThat(tokens.principal(signed("{}", "[\"fid\"]"))).isEmpty();
  }

  @ParameterizedTest
  @ValueSource(strings = {"", ".", "..", "a.b", "a.b.c", "a.b.\u00e4", "a.b.c.d", "%.%.%"})
  void whatIsNoTokenIsNobodys(String text) {
    assertThat(tokens.principal(text)).isEmpty();
    assertThat(tokens.principal(text + "x".repeat(20_000))).isEmpty();
  }

  @Test
  void readsAllBytesOfAFileAndNeverTellsThem(@TempDir Path folder) throws Exception {
    Path file = folder.resolve("key");
    assertThatThrownBy(() -> ExecutorTokens.read(file)).hasMessage(file + " does not exist");
    Files.createFile(file);
    assertThatThrownBy(() -> ExecutorTokens.read(file)).hasMessageContaining("is empty");
    Files.write(file, KEY);
    ExecutorTokens read = ExecutorTokens.read(file);
    assertThat(read.of("f", "e", "c")).isEqualTo(tokens.of("f", "e", "c"));
    assertThat(read.toString()).doesNotContain("0123");
  }
}
