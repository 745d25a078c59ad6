package org.mezzo.htpasswd;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Base64;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.mezzo.api.authenticatee.Credentials;
import org.mezzo.protocol.v1.MasterInfo;
import org.mezzo.testing.FakeDaemonContext;

class BasicAuthenticateeTest {
  @TempDir Path folder;

  private static Credentials shown(Map<String, String> flags) {
    BasicAuthenticatee authenticatee = new BasicAuthenticatee();
    authenticatee.open(FakeDaemonContext.agent().withFlags(flags));
    return authenticatee.authenticate(MasterInfo.getDefaultInstance());
  }

  private Map<String, String> flags(String content) throws Exception {
    Path file = Files.writeString(folder.resolve("credential"), content);
    return Map.of("credential", file.toString());
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "agent s3cr\u00e9t\n",
        "agent\ts3cr\u00e9t",
        "{\"principal\":\"agent\",\"secret\":\"s3cr\u00e9t\"}"
      })
  void showsALineOrJson(String content) throws Exception {
    Credentials shown = shown(flags(content));
    String pair =
        Base64.getEncoder().encodeToString("agent:s3cr\u00e9t".getBytes(StandardCharsets.UTF_8));
    assertThat(shown.fields()).containsExactly(Map.entry("Authorization", "Basic " + pair));
    assertThat(shown.toString()).doesNotContain(pair);
  }

  @Test
  void showsNothingWithoutACredential() {
    assertThat(shown(Map.of()).fields()).isEmpty();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "s3cret",
        "a s3cret c",
        "{\"secret\": \"s3cret\"}",
        "{\"principal\": \"a\", \"secret\": \"\"}",
        "{s3cret",
        "a:b s3cret"
      })
  void refusesWhatIsNoneWithoutShowingIt(String content) throws Exception {
    Map<String, String> flags = flags(content);
    assertThatIllegalArgumentException()
        .isThrownBy(() -> shown(flags))
        .matches(thrown -> !thrown.getMessage().contains("s3cret"));
  }

  @Test
  void namesAFileThatIsNotThere() {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> shown(Map.of("credential", folder.resolve("none").toString())))
        .withMessageContainingAll("--credential", "none", "cannot be read");
  }
}
