package org.mezzo.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import java.io.ByteArrayInputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.mezzo.flags.FlagDefinitions;
import org.mezzo.flags.FlagException;

/** Whose modules run, as flags have it. */
class SigningFlagsTest {
  private static final FlagDefinitions DEFINITIONS =
      FlagDefinitions.read(
          new ByteArrayInputStream(
              String.join(
                      "\n",
                      "name\tdeprecated_name\ttype\tdefault\teffect\tpurpose",
                      "module_trust_store\t\tpath?\t\tyes\twho",
                      "module_trust_store_password\t\tpath?\t\tyes\tsecret",
                      "require_signed_modules\t\tbool\tfalse\tyes\twhether")
                  .getBytes(StandardCharsets.UTF_8)));

  @TempDir Path dir;

  private static Optional<SigningFlags> of(Map<String, String> given) throws FlagException {
    return SigningFlags.of(DEFINITIONS.parse(given));
  }

  @Test
  void saysWhomToTrustWhereThatMatters() throws Exception {
    assertThat(of(Map.of())).isEmpty();
    String store = Files.writeString(dir.resolve("trust.p12"), "x").toString();
    assertThat(
            of(Map.of("require_signed_modules", "true", "module_trust_store", store))
                .orElseThrow()
                .properties())
        .containsExactly(Map.entry("mezzo.modules.truststore", store));
    assertThat(
            of(Map.of(
                    "require_signed_modules", "true",
                    "module_trust_store", store,
                    "module_trust_store_password", store))
                .orElseThrow()
                .properties())
        .containsEntry("mezzo.modules.truststore.password", store);
  }

  private static void refused(String message, Map<String, String> given) {
    assertThatExceptionOfType(FlagException.class)
        .isThrownBy(() -> of(given))
        .withMessageContaining(message);
  }

  @Test
  void doesNotStartWhereItIsNotClear() {
    refused("--module_trust_store=FILE is missing", Map.of("require_signed_modules", "true"));
    refused("nobody asks for signatures", Map.of("module_trust_store", "/trust.p12"));
    refused(
        "flag --module_trust_store: /no/such/trust.p12 cannot be read",
        Map.of("require_signed_modules", "true", "module_trust_store", "/no/such/trust.p12"));
  }
}
