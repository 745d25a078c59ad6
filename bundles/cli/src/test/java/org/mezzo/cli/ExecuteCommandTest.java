package org.mezzo.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.mezzo.flags.FlagException;
import org.mezzo.protocol.v1.Credential;

final class ExecuteCommandTest {
  @TempDir Path folder;

  @Test
  void readsACredential() throws Exception {
    Path file = Files.writeString(folder.resolve("credential"), "alice s3cret\n");
    assertThat(ExecuteCommand.credential(file))
        .isEqualTo(Credential.newBuilder().setPrincipal("alice").setSecret("s3cret").build());
  }

  @Test
  void neverShowsASecret() throws Exception {
    Path file = Files.writeString(folder.resolve("credential"), "s3cret\n");
    assertThatThrownBy(() -> ExecuteCommand.credential(file))
        .isInstanceOf(FlagException.class)
        .hasMessageContaining("a principal and a secret")
        .hasMessageNotContaining("s3cret");
    assertThatThrownBy(() -> ExecuteCommand.credential(folder.resolve("none")))
        .isInstanceOf(FlagException.class)
        .hasMessageContaining("cannot be read");
  }

  @Test
  void theLastVariableOfANameCounts() throws Exception {
    assertThat(ExecuteCommand.environment(List.of("A=1", "{\"B\":\"x=y\",\"A\":\"2\"}", "C=")))
        .containsEntry("A", "2")
        .containsEntry("B", "x=y")
        .containsEntry("C", "");
    assertThatThrownBy(() -> ExecuteCommand.environment(List.of("=1")))
        .hasMessageContaining("NAME=VALUE");
    assertThatThrownBy(() -> ExecuteCommand.environment(List.of("{\"A\":")))
        .hasMessageContaining("JSON");
  }
}
