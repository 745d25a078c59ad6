package {{package}};

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.mezzo.protocol.v1.MasterInfo;
import org.mezzo.testing.FakeDaemonContext;

class {{class}}Test {
  @TempDir Path folder;

  @Test
  void showsWhatIsInTheFileNow() throws Exception {
    Path file = folder.resolve("token");
    {{class}} authenticatee = new {{class}}();
    authenticatee.open(
        FakeDaemonContext.agent().withParameters(Map.of("token_file", file.toString())));
    for (String token : new String[] {"one", "two"}) {
      Files.writeString(file, token + "\n");
      assertThat(authenticatee.authenticate(MasterInfo.getDefaultInstance()).fields())
          .containsExactly(Map.entry("Authorization", "Bearer " + token));
    }
    Files.writeString(file, "");
    assertThatThrownBy(() -> authenticatee.authenticate(MasterInfo.getDefaultInstance()))
        .hasMessageContaining("no token");
  }

  @Test
  void wantsAFile() {
    assertThatThrownBy(() -> new {{class}}().open(FakeDaemonContext.agent()))
        .hasMessageContaining("'token_file'");
  }
}
