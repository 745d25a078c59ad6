package org.mezzo.flags;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class PasswordsTest {
  @ParameterizedTest
  @CsvSource({
    "zk://u:secret@h:2181/p, zk://u:***@h:2181/p",
    "zk://u:se@cr:et@h1:2181;h2:2181/p, zk://u:***@h1:2181;h2:2181/p",
    "zk:/u:secret@h/p, zk:/u:***@h/p",
    "say http://u:secret@h/f and ftp://v:secret@h, say http://u:***@h/f and ftp://v:***@h",
    "https://:secret@h/, https://:***@h/",
    "zk://h1:2181;h2:2181/p, zk://h1:2181;h2:2181/p",
    "http://h:80/a@b:c@d, http://h:80/a@b:c@d",
    "http://user@h/, http://user@h/",
    "mail a:b@c, mail a:b@c"
  })
  void masksThePasswordsOfUrls(String text, String masked) {
    assertThat(Passwords.masked(text)).isEqualTo(masked);
  }

  @ParameterizedTest
  @CsvSource(
      quoteCharacter = '`',
      delimiter = '|',
      value = {
        "{\"key\":\"bind.Password\",\"value\":\"a\\\"b\"}|{\"key\":\"bind.Password\",\"value\":\"***\"}",
        "{\"value\" : \"x\", \"key\" : \"api_token\"}|{\"value\":\"***\", \"key\" : \"api_token\"}",
        "{\"key\":\"secret\",\"value\":\"\"},{\"key\":\"b\",\"value\":\"c\"}"
            + "|{\"key\":\"secret\",\"value\":\"***\"},{\"key\":\"b\",\"value\":\"c\"}",
        "{\"key\":\"file\",\"value\":\"password\"}|{\"key\":\"file\",\"value\":\"password\"}"
      })
  void masksParametersThatAreNamedSo(String text, String masked) {
    assertThat(Passwords.maskedParameters(text)).isEqualTo(masked);
  }

  @Test
  void flagsAreShownWithoutPasswords() throws Exception {
    FlagDefinitions definitions =
        FlagDefinitions.read(
            new java.io.ByteArrayInputStream(
                ("name\tdeprecated_name\ttype\tdefault\teffect\tpurpose\n"
                        + "zk\t\tstring?\t\tyes\tZooKeeper\n")
                    .getBytes(java.nio.charset.StandardCharsets.UTF_8)));
    Flags flags = definitions.parse(Map.of("zk", "zk://u:secret@h:2181/p"));
    assertThat(flags.text("zk")).contains("zk://u:secret@h:2181/p");
    assertThat(flags.shown()).containsEntry("zk", "zk://u:***@h:2181/p");
    assertThatThrownBy(
            () -> new FlagSources(definitions).commandLine(List.of("-zk=zk://u:secret@h:2181/p")))
        .isInstanceOf(FlagException.class)
        .hasMessageNotContaining("secret")
        .hasMessageContaining("zk://u:***@h");
  }
}
