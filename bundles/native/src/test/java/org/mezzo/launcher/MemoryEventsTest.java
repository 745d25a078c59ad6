package org.mezzo.launcher;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.mezzo.fixtures.Await;

/** What the kernel says of cgroups of version 1, where this account may make some. */
@Timeout(120)
class MemoryEventsTest {
  private static final Path HIERARCHY = Path.of("/sys/fs/cgroup/memory");
  private static final String GROWS = "x=0123456789; while :; do x=$x$x; done";

  @TempDir Path folder;
  private Spawner spawner;
  private Path cgroup;
  private Path other;

  @BeforeEach
  void makeCgroups() throws Exception {
    assumeTrue(
        Files.isWritable(HIERARCHY) && Files.exists(HIERARCHY.resolve("cgroup.event_control")),
        "this account may not make cgroups of version 1 in " + HIERARCHY);
    cgroup = made("one");
    other = made("two");
    spawner = Spawner.open(folder);
  }

  private static Path made(String name) throws Exception {
    Path made = HIERARCHY.resolve("mezzo-native-" + ProcessHandle.current().pid() + "-" + name);
    Files.createDirectory(made);
    Files.writeString(made.resolve("memory.limit_in_bytes"), "" + (32 << 20));
    return made;
  }

  @AfterEach
  void removeCgroups() throws Exception {
    if (spawner != null) {
      spawner.closeWithContainers();
    }
    for (Path made : new Path[] {cgroup, other}) {
      if (made != null) {
        Await.until(() -> removed(made));
      }
    }
  }

  private static boolean removed(Path cgroup) throws Exception {
    try {
      Files.deleteIfExists(cgroup);
      return true;
    } catch (FileSystemException e) {
      // What was in it is just ending.
      return false;
    }
  }

  private static Message watch(Path path) {
    return Message.of(Message.WATCH, 0).with(18, path.toString());
  }

  /** A process that grows until the kernel kills it. */
  private static void exceed(Path in) throws Exception {
    String command = "echo $$ > '" + in.resolve("cgroup.procs") + "'; " + GROWS;
    Process process = new ProcessBuilder("sh", "-c", command).start();
    assertThat(process.waitFor(60, TimeUnit.SECONDS)).isTrue();
    assertThat(process.exitValue()).isEqualTo(128 + 9);
  }

  private Message memory(Spawner of) throws Exception {
    Message event = of.read();
    assertThat(event.type()).as(event.toString()).isEqualTo(Message.MEMORY);
    assertThat(event.number()).isZero();
    return event;
  }

  @Test
  void whoeverAsksIsToldWhichCgroupReachedItsLimit() throws Exception {
    Spawner second = Spawner.connect(folder, spawner.process);
    assertThat(spawner.ask(watch(cgroup)).type()).isEqualTo(Message.OK);
    assertThat(second.ask(watch(other)).type()).isEqualTo(Message.OK);
    exceed(other);
    exceed(cgroup);
    assertThat(memory(spawner).text(18)).isEqualTo(cgroup.toString());
    assertThat(memory(second).text(18)).isEqualTo(other.toString());
    second.disconnect();
  }

  @Test
  void oneThatIsRemovedIsForgottenAndMayComeAgain() throws Exception {
    assertThat(spawner.ask(watch(cgroup)).type()).isEqualTo(Message.OK);
    int files = files();
    Files.delete(cgroup);
    Await.until(() -> files() < files);
    cgroup = made("one");
    // Twice, of which the first is forgotten.
    assertThat(spawner.ask(watch(cgroup)).type()).isEqualTo(Message.OK);
    assertThat(spawner.ask(watch(cgroup)).type()).isEqualTo(Message.OK);
    assertThat(files()).isEqualTo(files);
    exceed(cgroup);
    assertThat(memory(spawner).text(18)).isEqualTo(cgroup.toString());
    assertThat(spawner.ask(Message.of(Message.LIST, 0)).type()).isEqualTo(Message.OK);
  }

  @Test
  void watchesEndWithTheirConnection() throws Exception {
    Spawner second = Spawner.connect(folder, spawner.process);
    int files = files();
    assertThat(second.ask(watch(cgroup)).type()).isEqualTo(Message.OK);
    assertThat(second.ask(watch(other)).type()).isEqualTo(Message.OK);
    assertThat(files()).isEqualTo(files + 2);
    second.disconnect();
    Await.until(() -> files() == files - 1);
    exceed(cgroup);
    assertThat(spawner.ask(Message.of(Message.LIST, 0)).type()).isEqualTo(Message.OK);
  }

  @Test
  void halfOfTheFilesIsLeftForContainers() throws Exception {
    spawner.close();
    spawner = Spawner.open(folder, "sh", "-c", "ulimit -n 64; exec \"$@\"", "sh");
    int before = files();
    Message answer = Message.of(Message.OK, 0);
    String path = cgroup.toString();
    while (answer.type() == Message.OK && files() < 64) {
      answer = spawner.ask(Message.of(Message.WATCH, 0).with(18, path));
      // Another name of the same.
      path += "/.";
    }
    assertThat(files()).isEqualTo(32).isGreaterThan(before);
    assertThat(answer.text(19)).contains("RLIMIT_NOFILE");
    spawner.launch("c", "true");
    assertThat(spawner.status("c")).isZero();
  }

  private int files() {
    String[] open = Path.of("/proc", "" + spawner.process.pid(), "fd").toFile().list();
    return open == null ? 0 : open.length;
  }
}
