package org.mezzo.coordination;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class MasterLocationTest {
  @TempDir Path folder;

  @Test
  void readsWhereTheOneMasterIs() throws Exception {
    Path file = Files.writeString(folder.resolve("master"), " 127.0.0.1:6000\n");
    for (String text : List.of("127.0.0.1:6000", "file://" + file, "master@127.0.0.1:6000")) {
      assertThat(MasterLocation.parse(text))
          .isEqualTo(new MasterLocation(Optional.empty(), "127.0.0.1", 6000));
    }
    assertThat(MasterLocation.parse("here").port()).isEqualTo(5050);
    assertThat(MasterLocation.parse("[::1]").port()).isEqualTo(5050);
    assertThat(MasterLocation.parse("[::1]:6000"))
        .isEqualTo(new MasterLocation(Optional.empty(), "[::1]", 6000));
  }

  @Test
  void readsWhoKnowsWhereTheMasterIs() {
    assertThat(MasterLocation.parse(" zk://a:b@h:2181/m\n").zooKeeper())
        .contains("zk://a:b@h:2181/m");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        ":5050",
        "host:x",
        "host:70000",
        "zoo://a:secret@b/c",
        "file:///no/such",
        "zk://h:2181//x",
        "zk://a:secret@h:2181//x"
      })
  void refusesOtherTextsWithoutTheirPasswords(String text) {
    assertThatThrownBy(() -> MasterLocation.parse(text))
        .isInstanceOf(IllegalArgumentException.class)
        .message()
        .isNotBlank()
        .doesNotContain("secret");
  }
}
