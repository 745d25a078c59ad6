package org.mezzo.daemon.configuration;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.ByteArrayInputStream;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.mezzo.flags.FlagDefinitions;
import org.mezzo.flags.FlagException;
import org.mezzo.flags.Flags;

class ModuleParametersTest {
  private static Flags flags(Map<String, String> given) throws FlagException {
    String table =
        "name\tdeprecated_name\ttype\tdefault\teffect\tpurpose\n"
            + "modules\t\tstring?\t\tyes\tparameters of modules\n";
    return FlagDefinitions.read(new ByteArrayInputStream(table.getBytes(StandardCharsets.UTF_8)))
        .parse(given);
  }

  @Test
  void readsTheJsonOfMesos() throws Exception {
    ModuleParameters parameters =
        ModuleParameters.of(
            flags(
                Map.of(
                    "modules",
                    """
                    {"libraries": [{"file": "/usr/lib/libx.so", "modules": [
                      {"name": "labels", "parameters": [
                        {"key": "label.rack", "value": "r1"}, {"key": "n", "value": 3}]},
                      {"name": "plain"}]}]}\
                    """)));
    assertThat(parameters.forModule("labels")).isEqualTo(Map.of("label.rack", "r1", "n", "3"));
    assertThat(parameters.forModule("plain")).isEmpty();
    assertThat(parameters.forModule("unknown")).isEmpty();
  }

  @Test
  void isEmptyWithoutTheFlag() throws Exception {
    assertThat(ModuleParameters.of(flags(Map.of())).forModule("labels")).isEmpty();
  }

  @Test
  void saysWhatItExpects() {
    for (String bad :
        new String[] {
          "nonsense",
          "[]",
          "{\"libraries\": 1}",
          "{\"libraries\": [{\"modules\": [{\"parameters\": []}]}]}",
          "{\"libraries\": [{\"modules\": [{\"name\": \"x\", \"parameters\": [{\"key\":"
              + " \"k\"}]}]}]}"
        }) {
      assertThatThrownBy(() -> ModuleParameters.of(flags(Map.of("modules", bad))))
          .as(bad)
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageStartingWith("--modules expects");
    }
  }
}
