package org.mezzo.daemon.configuration;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.Map;
import org.junit.jupiter.api.Test;

class ModuleParametersTest {
  @Test
  void readsTheJsonOfMesos() throws Exception {
    ModuleParameters parameters =
        ModuleParameters.of(
            """
            {"libraries": [{"file": "/usr/lib/libx.so", "modules": [
              {"name": "labels", "parameters": [
                {"key": "label.rack", "value": "r1"}, {"key": "n", "value": 3}]},
              {"name": "plain"}]}]}\
            """);
    assertThat(parameters.forModule("labels")).isEqualTo(Map.of("label.rack", "r1", "n", "3"));
    assertThat(parameters.forModule("plain")).isEmpty();
    assertThat(parameters.forModule("unknown")).isEmpty();
  }

  @Test
  void isEmptyWithoutTheFlag() throws Exception {
    assertThat(ModuleParameters.NONE.forModule("labels")).isEmpty();
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
      assertThatThrownBy(() -> ModuleParameters.of(bad))
          .as(bad)
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageStartingWith("--modules expects");
    }
  }
}
