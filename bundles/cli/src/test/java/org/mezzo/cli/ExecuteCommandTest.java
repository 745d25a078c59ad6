package org.mezzo.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
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
  void theFlagComesBeforeTheVariable() {
    Map<String, String> environment = Map.of("MEZZO_MASTER", "b:5050");
    assertThat(Masters.given("a:5050", environment)).contains("a:5050");
    assertThat(Masters.given(null, environment)).contains("b:5050");
    assertThat(Masters.given(null, Map.of("MEZZO_MASTER", ""))).isEmpty();
    assertThat(Masters.given(null, Map.of())).isEmpty();
  }

  private static String refused(String... arguments) {
    StringWriter said = new StringWriter();
    int status = Mezzo.commandLine().setErr(new PrintWriter(said, true)).execute(arguments);
    assertThat(status).isEqualTo(Mezzo.USAGE);
    return said.toString();
  }

  @Test
  void runsEitherACommandOrAProgram() {
    assertThat(refused("execute")).contains("--command=COMMAND").contains("-- PROGRAM");
    assertThat(refused("execute", "--command=true", "--", "ls"))
        .contains("flag --command")
        .contains("'ls'");
    assertThat(refused("execute", "--timeout=30", "--", "ls")).contains("30s, 5m, 1h30m");
  }

  @Test
  void complaintsShowNoPassword() {
    assertThat(refused("execute", "--mastr=zk://u:hidden@h/p", "--command=true"))
        .doesNotContain("hidden")
        .contains("zk://u:***@h/p");
    assertThat(refused("execute", "--master=zk://u:hidden@h", "--command=true"))
        .doesNotContain("hidden")
        .contains("the path is missing");
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
