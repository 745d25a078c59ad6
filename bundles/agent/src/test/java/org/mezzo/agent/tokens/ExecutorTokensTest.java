package org.mezzo.agent.tokens;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.mezzo.api.authentication.Principal;

class ExecutorTokensTest {
  private static final byte[] KEY =
      "0123456789abcdef0123456789abcdef".getBytes(StandardCharsets.UTF_8);
  private final ExecutorTokens tokens = new ExecutorTokens(KEY);

  @Test
  void isAJsonWebTokenThatSaysWhoItIsOf() throws Exception {
    String token =
        SignedTokens.signed(
            KEY,
            "{\"alg\":\"HS256\",\"typ\":\"JWT\"}",
            "{\"fid\":\"f\",\"eid\":\"e \\\"1\\\"\",\"cid\":\"c\"}");
    Principal principal = tokens.principal(token).orElseThrow();
    assertThat(principal.value()).isEmpty();
    assertThat(principal.claims()).isEqualTo(Map.of("fid", "f", "eid", "e \"1\"", "cid", "c"));
    assertThat(new ExecutorTokens(KEY.clone()).principal(token)).as("after a restart").isPresent();
  }

  @Test
  void knowsNothingThatItDidNotSign() throws Exception {
    String token = SignedTokens.of(KEY, "f", "e", "c");
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
    String claims = SignedTokens.part("{\"fid\":\"f\",\"eid\":\"e\",\"cid\":\"c\"}");
    assertThat(tokens.principal(SignedTokens.part("{\"alg\":\"none\"}") + "." + claims + "."))
        .isEmpty();
    assertThat(tokens.principal(SignedTokens.signed(KEY, "{}", "{\"fid\":\"f\",\"eid\":\"e\"}")))
        .isEmpty();
    assertThat(
            tokens.principal(
                SignedTokens.signed(KEY, "{}", "{\"fid\":1,\"eid\":\"e\",\"cid\":\"c\"}")))
        .isEmpty();
    assertThat(tokens.principal(SignedTokens.signed(KEY, "{}", "[\"fid\"]"))).isEmpty();
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
    assertThat(read.principal(SignedTokens.of(KEY, "f", "e", "c"))).isPresent();
    assertThat(read.toString()).doesNotContain("0123");
  }
}
