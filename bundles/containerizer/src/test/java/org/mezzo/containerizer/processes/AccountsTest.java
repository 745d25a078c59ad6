package org.mezzo.containerizer.processes;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.mezzo.containerizer.LaunchException;

class AccountsTest {
  private static final long ROOT = 0;

  @TempDir Path folder;

  /** Accounts of a machine whose {@code id} is a script. */
  private Accounts accounts(String id, Duration limit) throws IOException {
    Path script = Files.writeString(folder.resolve("id"), "#!/bin/sh\n" + id + "\n");
    Files.setPosixFilePermissions(script, PosixFilePermissions.fromString("rwx------"));
    Path any = Path.of("/bin/true");
    SystemTools tools =
        new SystemTools(
            Path.of("/bin/sh"),
            any,
            any,
            "env",
            true,
            Optional.empty(),
            Optional.of(any),
            Optional.empty(),
            Optional.of(script));
    return new Accounts(tools, true, ROOT, limit);
  }

  @Test
  void anotherNameOfRootIsRoot() throws Exception {
    Accounts accounts = accounts("echo 0", Duration.ofSeconds(60));
    assertThat(accounts.target(Optional.of("toor"), true)).isEmpty();
    assertThatThrownBy(() -> accounts.target(Optional.of("toor"), false))
        .isInstanceOf(LaunchException.class)
        .hasMessageContaining("'toor' is root on this agent")
        .hasMessageContaining("--no-root_submissions");
    assertThatThrownBy(() -> accounts.target(Optional.empty(), false))
        .isInstanceOf(LaunchException.class)
        .hasMessageContaining("give the framework or the command a user");
  }

  @Test
  void anAccountHasAllItsGroups() throws Exception {
    Accounts accounts =
        accounts(
            "case $1 in -u) echo 12 ;; -g) echo 34 ;; -G) echo 34 56 ;; esac",
            Duration.ofSeconds(60));
    assertThat(accounts.target(Optional.of("somebody"), false))
        .contains(new Accounts.Account("somebody", 12, 34, List.of(34L, 56L)));
  }

  @Test
  void aNameServiceThatHangsCostsItsLimitOnce() throws Exception {
    Path asked = folder.resolve("asked");
    // On a slow machine nobody may have been asked when the first limits are over.
    for (int seconds = 1; !Files.exists(asked); seconds *= 2) {
      Accounts accounts =
          accounts("echo x >>" + asked + "; exec sleep 60", Duration.ofSeconds(seconds));
      for (int i = 0; i < 3; i++) {
        assertThatThrownBy(() -> accounts.target(Optional.of("somebody"), true))
            .isInstanceOf(LaunchException.class)
            .hasMessageContaining("'somebody'")
            .hasMessageContaining("name service");
      }
    }
    assertThat(asked).hasContent("x\n");
  }
}
