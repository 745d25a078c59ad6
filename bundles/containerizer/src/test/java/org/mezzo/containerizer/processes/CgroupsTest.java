package org.mezzo.containerizer.processes;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.mezzo.fixtures.Await;

class CgroupsTest {
  private static final Path HIERARCHY = Path.of("/sys/fs/cgroup");
  private static final String ROOT = "mezzo-test-" + ProcessHandle.current().pid();

  /** An earlier process of the agent may have known version 1 only. */
  @Test
  void theFreezerOfAContainerThatIsThereIsUsedAsWell() throws Exception {
    Path freezer = HIERARCHY.resolve("freezer");
    assumeTrue("root".equals(System.getProperty("user.name")), "only root makes cgroups");
    assumeTrue(
        Files.isWritable(freezer.resolve("cgroup.procs"))
            && Files.exists(HIERARCHY.resolve("unified/cgroup.controllers")),
        "no cgroups of both versions");
    Cgroups cgroups = Cgroups.find(HIERARCHY, ROOT).orElseThrow();
    assertThat(cgroups.folder(Optional.empty(), "c"))
        .isEqualTo(HIERARCHY.resolve("unified").resolve(ROOT).resolve("c"));
    Path old = Files.createDirectories(freezer.resolve(ROOT).resolve("c"));
    Process process = new ProcessBuilder("sleep", "1000").start();
    try {
      Files.writeString(old.resolve("cgroup.procs"), Long.toString(process.pid()));
      assertThat(cgroups.processes(old)).isEqualTo(Set.of(process.pid()));
      cgroups.freeze(old);
      Await.until(() -> Files.readString(old.resolve("freezer.state")).equals("FROZEN\n"));
      process.destroyForcibly();
      cgroups.thaw(old);
      process.waitFor();
      // One that was just waited for may still be accounted for.
      Await.until(() -> cgroups.remove(old));
      assertThat(old).doesNotExist();
    } finally {
      process.destroyForcibly().waitFor();
      Files.deleteIfExists(old);
      Files.deleteIfExists(old.getParent());
      cgroups.close();
    }
    assertThat(HIERARCHY.resolve("unified").resolve(ROOT)).doesNotExist();
  }

  @Test
  void whatIsBelowCountsAndGoes() throws Exception {
    assumeTrue("root".equals(System.getProperty("user.name")), "only root makes cgroups");
    Cgroups cgroups = Cgroups.find(HIERARCHY, ROOT).orElse(null);
    assumeTrue(cgroups != null, "no cgroups");
    Path outer = cgroups.folder(Optional.empty(), "outer");
    Path inner = cgroups.folder(Optional.of(outer), "inner");
    cgroups.create(outer);
    cgroups.create(inner);
    Process process = new ProcessBuilder("sleep", "1000").start();
    try {
      assertThat(cgroups.processes(outer)).isEmpty();
      Files.writeString(inner.resolve("cgroup.procs"), Long.toString(process.pid()));
      assertThat(cgroups.processes(outer)).isEqualTo(Set.of(process.pid()));
      assertThat(cgroups.processes(outer, Set.of(inner))).isEmpty();
      assertThat(cgroups.remove(outer)).isFalse();
      assumeTrue(cgroups.kill(outer), "no cgroups of version 2");
      assertThat(process.waitFor()).isEqualTo(128 + 9);
    } finally {
      process.destroyForcibly().waitFor();
      Await.until(() -> cgroups.remove(outer));
      cgroups.close();
    }
    assertThat(outer).doesNotExist();
    assertThat(cgroups.remove(outer)).isTrue();
  }
}
