package org.mezzo.flags;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import java.io.ByteArrayInputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class FlagDefinitionsTest {
  static final FlagDefinitions DEFINITIONS =
      table(
          "port\t\tuint16\t5050\tyes\twhere to listen",
          "agent_ping_timeout\tslave_ping_timeout\tduration\t15secs\tyes\tpause of pings",
          "cache_size\t\tbytes\t2GB\tyes\tsize",
          "share\t\tdouble\t0.5\tyes\tshare",
          "strict\t\tbool\ttrue\tno\tstrictness",
          "zk\t\tstring?\t\tyes\tensemble",
          "offer_timeout\t\tduration?\t\tyes\trescind",
          "attributes\t\tstring?\t\tyes\tfacts",
          "log_dir\t\tstring?\t\tno\tlogs",
          "credentials\t\tpath?\t\tyes\tsecrets",
          "acls\t\tdocument?\t\tyes\trules");

  @TempDir Path directory;

  static FlagDefinitions table(String... rows) {
    String text =
        "name\tdeprecated_name\ttype\tdefault\teffect\tpurpose\n" + String.join("\n", rows);
    return FlagDefinitions.read(new ByteArrayInputStream(text.getBytes(StandardCharsets.UTF_8)));
  }

  @Test
  void defaultsFillWhatIsNotGiven() throws Exception {
    Flags flags = DEFINITIONS.parse(Map.of("share", "0.25"));

    assertThat(flags.integer("port")).isEqualTo(5050);
    assertThat(flags.decimal("share")).isEqualTo(0.25);
    assertThat(flags.bool("strict")).isTrue();
    assertThat(flags.bytes("cache_size")).isEqualTo(2L << 30);
    assertThat(flags.duration("agent_ping_timeout")).isEqualTo(Duration.ofSeconds(15));
    assertThat(flags.optionalDuration("offer_timeout")).isEmpty();
    assertThat(flags.text("zk")).isEmpty();
    assertThat(flags.given("share")).isTrue();
    assertThat(flags.given("port")).isFalse();
    assertThat(flags.asText().keySet())
        .containsExactly("agent_ping_timeout", "cache_size", "port", "share", "strict");
    assertThatIllegalArgumentException().isThrownBy(() -> flags.bool("stict"));
  }

  @Test
  void oldNamesWorkButNotBesideTheNewOnes() throws Exception {
    assertThat(DEFINITIONS.parse(Map.of("slave_ping_timeout", "1mins")).asText())
        .containsEntry("agent_ping_timeout", "1mins");
    assertThatExceptionOfType(FlagException.class)
        .isThrownBy(
            () ->
                DEFINITIONS.parse(
                    Map.of("slave_ping_timeout", "1mins", "agent_ping_timeout", "1mins")))
        .withMessageContaining("given twice");
  }

  @Test
  void unknownNamesAreFatalAndTheNearestIsSuggested() {
    assertThatExceptionOfType(FlagException.class)
        .isThrownBy(() -> DEFINITIONS.parse(Map.of("agent_ping_timout", "1mins")))
        .withMessage("unknown flag --agent_ping_timout: did you mean --agent_ping_timeout?");
    assertThatExceptionOfType(FlagException.class)
        .isThrownBy(() -> DEFINITIONS.parse(Map.of("completely_different", "1")))
        .withMessage("unknown flag --completely_different: --help lists the flags there are");
  }

  @Test
  void badValuesNameFlagAndRemedy() {
    assertThatExceptionOfType(FlagException.class)
        .isThrownBy(() -> DEFINITIONS.parse(Map.of("port", "65536")))
        .withMessage("flag --port: 65536 is not between 0 and 65535");
    assertThatExceptionOfType(FlagException.class)
        .isThrownBy(() -> DEFINITIONS.parse(Map.of("offer_timeout", "10")))
        .withMessageStartingWith("flag --offer_timeout: '10' is no duration: write a number and");
    assertThatExceptionOfType(FlagException.class)
        .isThrownBy(() -> DEFINITIONS.parse(Map.of("strict", "maybe")))
        .withMessage("flag --strict: 'maybe' is neither true nor false");
  }

  @Test
  void aDocumentStaysWhereItIs() throws Exception {
    for (String text : List.of("{}", "/acls.json", "file:///acls.json")) {
      assertThat(DEFINITIONS.parse(Map.of("acls", text)).text("acls")).contains(text);
    }
    assertThatExceptionOfType(FlagException.class)
        .isThrownBy(() -> DEFINITIONS.parse(Map.of("acls", " ")))
        .withMessage("flag --acls: the text is empty");
  }

  @Test
  void fileTextsAreReadExceptForPaths() throws Exception {
    Path file = Files.writeString(directory.resolve("zk"), "zk://a:2181/mesos\n");

    Flags flags =
        DEFINITIONS.parse(Map.of("zk", "file://" + file, "credentials", "file://" + file));

    assertThat(flags.text("zk")).contains("zk://a:2181/mesos");
    assertThat(flags.text("credentials")).contains(file.toString());
    assertThatExceptionOfType(FlagException.class)
        .isThrownBy(() -> DEFINITIONS.parse(Map.of("zk", "file://" + file + "2")))
        .withMessageContaining("flag --zk: cannot read");
  }

  @Test
  void flagsWithoutEffectAreTold() {
    assertThat(DEFINITIONS.withoutEffect(List.of("log_dir", "port", "strict")))
        .containsExactly("strict", "log_dir");
  }

  @Test
  void durationsHaveFractionsAndNeedUnits() {
    assertThat(FlagValues.duration("1.5mins")).isEqualTo(Duration.ofSeconds(90));
    assertThat(FlagValues.duration("0ns")).isZero();
    assertThat(FlagValues.duration("2weeks")).isEqualTo(Duration.ofDays(14));
    assertThat(FlagValues.duration(".5us")).isEqualTo(Duration.ofNanos(500));
    for (String bad : List.of("", "1", "secs", "1 secs", "1.2.3secs", "1hours", "99999999weeks")) {
      assertThatIllegalArgumentException().isThrownBy(() -> FlagValues.duration(bad));
    }
  }

  @Test
  void sizesAreWholeAndNeedUnits() {
    assertThat(FlagValues.bytes("3B")).isEqualTo(3);
    assertThat(FlagValues.bytes("4KB")).isEqualTo(4096);
    assertThat(FlagValues.bytes("1TB")).isEqualTo(1L << 40);
    for (String bad : List.of("", "1", "1.5KB", "-1B", "1kb", "99999999999999TB")) {
      assertThatIllegalArgumentException().isThrownBy(() -> FlagValues.bytes(bad));
    }
  }

  @Test
  void brokenTablesAreRefused() {
    assertThatIllegalArgumentException().isThrownBy(() -> table("port\t\tuint16\tx\tyes\twhere"));
    assertThatIllegalArgumentException().isThrownBy(() -> table("port\tuint16"));
  }
}
