package org.mezzo.containerizer.processes;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SandboxesTest {
  private static final int SOMEBODY = 54_321;

  @TempDir Path folder;

  private static int owner(Path path) throws Exception {
    return (Integer) Files.getAttribute(path, "unix:uid", LinkOption.NOFOLLOW_LINKS);
  }

  @Test
  void givesAwayTheSandboxAndNothingThatSomebodyPutThere() throws Exception {
    assumeTrue("root".equals(System.getProperty("user.name")), "only root can give files away");
    Optional<Accounts.Account> somebody =
        Optional.of(new Accounts.Account("somebody", SOMEBODY, SOMEBODY, List.of((long) SOMEBODY)));
    Path sandbox = folder.resolve("sandbox");
    Path volume = Files.createDirectory(folder.resolve("volume"));
    Path content = Files.createFile(volume.resolve("content"));
    Sandboxes.create(sandbox, List.of(volume), somebody);
    for (Path made :
        new Path[] {sandbox, sandbox.resolve("stdout"), sandbox.resolve("stderr"), volume}) {
      assertThat(owner(made)).isEqualTo(SOMEBODY);
    }
    assertThat(owner(content)).isZero();

    Path secret = Files.writeString(folder.resolve("secret"), "secret");
    Path planted = Files.createDirectory(folder.resolve("planted"));
    Files.createLink(planted.resolve("stdout"), secret);
    Sandboxes.create(planted, List.of(), somebody);
    assertThat(owner(planted.resolve("stderr"))).isEqualTo(SOMEBODY);
    assertThat(owner(secret)).isZero();
  }
}
