package org.mezzo.agent.registration;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class MasterCredentialTest {
  @TempDir Path folder;

  @ParameterizedTest
  @ValueSource(
      strings = {
        "agent s3cret\n",
        "agent\ts3cret",
        "{\"principal\":\"agent\",\"secret\":\"s3cret\"}"
      })
  void aLineOrJson(String content) throws Exception {
    assertThat(MasterCredential.check(write(content))).isEqualTo("agent");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"", "s3cret", "a s3cret c", "{\"secret\": \"s3cret\"}", "{s3cret", "a:b s3cret"})
  void whatIsNoneIsRefusedWithoutShowingIt(String content) throws Exception {
    Path file = write(content);
    assertThatIllegalArgumentException()
        .isThrownBy(() -> MasterCredential.check(file))
        .withMessageStartingWith(file.toString())
        .matches(thrown -> !thrown.getMessage().contains("s3cret"));
  }

  @Test
  void aFileThatIsNotThere() {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> MasterCredential.check(folder.resolve("none")))
        .withMessageEndingWith("does not exist");
  }

  private Path write(String content) throws Exception {
    return Files.writeString(folder.resolve("credential"), content);
  }
}
