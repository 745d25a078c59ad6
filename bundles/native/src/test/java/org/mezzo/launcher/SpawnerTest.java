package org.mezzo.launcher;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.EOFException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.mezzo.fixtures.Await;

/** Spawner and shims as an agent sees them. */
@Timeout(120)
class SpawnerTest {
  @TempDir Path folder;
  private Spawner spawner;

  @BeforeEach
  void open() throws Exception {
    spawner = Spawner.open(folder);
  }

  @AfterEach
  void close() throws Exception {
    if (spawner != null) {
      spawner.close();
    }
  }

  private static boolean alive(long pid) {
    return ProcessHandle.of(pid).map(ProcessHandle::isAlive).orElse(false);
  }

  private long pid(String file) throws Exception {
    Path path = folder.resolve(file);
    Await.until(() -> Files.exists(path) && Files.readString(path).endsWith("\n"));
    return Long.parseLong(Files.readString(path).strip());
  }

  @Test
  void itTestsItself() throws Exception {
    assertThat(C.run(C.launcher().toString(), "version")).startsWith("1.4 environment rlimits");
    assertThat(C.run(C.launcher().toString(), "self-test")).isEmpty();
  }

  @Test
  void aContainerLeavesItsOutputItsPidAndItsStatus() throws Exception {
    Message started = spawner.launch("c", "echo out; echo err >&2; ps -o sid= $$; exit 3");
    assertThat(spawner.status("c")).isEqualTo(3 << 8);
    Path container = spawner.folder("c");
    assertThat(Files.readString(container.resolve("stdout")).lines().map(String::strip))
        .containsExactly("out", Integer.toString(started.number(22)));
    assertThat(Files.readString(container.resolve("stderr"))).isEqualTo("err\n");
    assertThat(Files.readString(container.resolve("status"))).isEqualTo("768\n");
    assertThat(Files.readString(container.resolve("pid")))
        .matches(started.number(22) + " \\d+ " + started.number(24) + " \\d+\n");
    for (String name : List.of("pid", "status")) {
      assertThat(Files.getPosixFilePermissions(container.resolve(name)))
          .isEqualTo(PosixFilePermissions.fromString("rw-------"));
    }
  }

  @Test
  void signalsAndExitsAreToldApart() throws Exception {
    for (int signal : new int[] {1, 2, 3, 9, 13, 15}) {
      String id = "s" + signal;
      spawner.launch(id, "ulimit -c 0; kill -s " + signal + " $$");
      assertThat(spawner.status(id) & 0x7f).isEqualTo(signal);
    }
    spawner.launch("e", "exit 137");
    assertThat(spawner.status("e")).isEqualTo(137 << 8);
  }

  @Test
  void aHeldContainerRunsNothingUntilItIsLetGo() throws Exception {
    Message plan = spawner.plan("h", "echo ran").number(14, 1).with(3, "hold");
    assertThat(spawner.ask(plan).type()).isEqualTo(Message.OK);
    Message started = spawner.event(Message.STARTED, "h");
    assertThat(alive(started.number(22))).isTrue();
    assertThat(spawner.folder("h").resolve("stdout")).doesNotExist();
    assertThat(spawner.ask(Message.of(Message.RELEASE, 0).with(1, "h")).type())
        .isEqualTo(Message.OK);
    assertThat(spawner.status("h")).isZero();
    assertThat(spawner.folder("h").resolve("stdout")).hasContent("ran");
  }

  @Test
  void nothingOfItsEnvironmentCanBeSeenFromOutside() throws Exception {
    Message plan = spawner.plan("x", "echo ready; exec sleep 100").with(6, "SECRET=hush-hush");
    spawner.ask(plan);
    Message started = spawner.event(Message.STARTED, "x");
    Path stdout = spawner.folder("x").resolve("stdout");
    Await.until(() -> Files.exists(stdout) && Files.size(stdout) > 0);
    for (long pid : new long[] {started.number(22), started.number(24), spawner.process.pid()}) {
      assertThat(Files.readString(Path.of("/proc/" + pid + "/cmdline"))).doesNotContain("hush");
    }
    assertThat(Files.readString(Path.of("/proc/" + started.number(24) + "/environ")))
        .doesNotContain("hush");
    spawner.ask(Message.of(Message.SIGNAL, 0).with(1, "x").number(16, 9));
    assertThat(spawner.status("x")).isEqualTo(9);
  }

  @Test
  void whatTheFirstProcessLeavesBehindEndsWithIt() throws Exception {
    spawner.launch(
        "l",
        "setsid sh -c 'setsid sleep 1000 & echo $! >../one.new; mv ../one.new ../one; sleep 1000'"
            + " & while ! test -e ../one; do sleep 0.01; done");
    long one = pid("containers/one");
    assertThat(spawner.status("l")).isZero();
    Await.until(() -> !alive(one));
    Await.until(() -> list().isEmpty());
  }

  private List<String> list() throws Exception {
    List<String> found = new java.util.ArrayList<>();
    Message request = Message.of(Message.LIST, 1_000_000);
    spawner.send(request.encode());
    for (; ; ) {
      Message answer = spawner.read();
      if (answer.number() == 1_000_000) {
        if (answer.type() == Message.OK) {
          return found;
        }
        found.add(answer.text(1));
      }
    }
  }

  @Test
  void aContainerWhoseShimDiesIsKilled() throws Exception {
    Message started = spawner.launch("d", "setsid sleep 1000 & echo $! >../stray; exec sleep 1000");
    long stray = pid("containers/stray");
    assertThat(ProcessHandle.of(started.number(24)).orElseThrow().destroyForcibly()).isTrue();
    assertThat(spawner.event(Message.LOST, "d").text(19))
        .isEqualTo("The shim of the container was killed by signal 9; what ran in it was killed");
    Await.until(() -> !alive(started.number(22)) && !alive(stray));
  }

  @Test
  void anotherSpawnerGoesOnWhereOneWasKilled() throws Exception {
    Message held = spawner.plan("held", "echo went on").number(14, 1);
    spawner.ask(held);
    spawner.event(Message.STARTED, "held");
    Message lost = spawner.launch("lost/containers/inner", "exec sleep 1000");
    spawner.close();
    assertThat(alive(lost.number(22))).isTrue();

    spawner = Spawner.open(folder);
    assertThat(list()).containsExactlyInAnyOrder("held", "lost/containers/inner");
    spawner.ask(Message.of(Message.RELEASE, 0).with(1, "held"));
    assertThat(spawner.status("held")).isZero();
    assertThat(spawner.folder("held").resolve("stdout")).hasContent("went on");
    ProcessHandle.of(lost.number(24)).orElseThrow().destroyForcibly();
    assertThat(spawner.event(Message.LOST, "lost/containers/inner").text(19)).contains("is gone");
    Await.until(() -> !alive(lost.number(22)));
  }

  @Test
  void whatAnAgentHasMovedAwayNeverRuns() throws Exception {
    Message plan = spawner.plan("moved", "echo ran");
    Files.move(spawner.folder("moved"), folder.resolve("aside"));
    spawner.ask(plan);
    assertThat(spawner.event(Message.FAILED, "moved").text(19)).contains("folder");
    Await.until(() -> list().isEmpty());
    assertThat(folder.resolve("aside")).isEmptyDirectory();
  }

  @Test
  void aShimRecordsTheEndAlsoWhenNobodyListens() throws Exception {
    spawner.launch("alone", "while ! test -e ../go; do sleep 0.02; done; exit 5");
    spawner.close();
    Files.writeString(folder.resolve("containers/go"), "");
    Path status = spawner.folder("alone").resolve("status");
    Await.until(() -> Files.exists(status));
    assertThat(status).hasContent("1280");
    Await.until(() -> !Files.exists(spawner.folder("alone").resolve("control")));
  }

  @Test
  void anAgentComesBackOnTheSameSocket() throws Exception {
    Message started = spawner.launch("c", "exec sleep 1000");
    spawner.disconnect();
    Spawner first = spawner;
    spawner = Spawner.connect(folder, first.process);
    assertThat(list()).containsExactly("c");
    spawner.ask(
        Message.of(Message.KILL, 0)
            .number(16, 15)
            .with(17, ByteBuffer.allocate(4).putInt(started.number(22)).array()));
    assertThat(spawner.status("c")).isEqualTo(15);
  }

  @Test
  void itEndsWhenThereIsNothingForItToDo() throws Exception {
    spawner.launch("c", "true");
    assertThat(spawner.status("c")).isZero();
    spawner.disconnect();
    assertThat(spawner.process.waitFor(60, TimeUnit.SECONDS)).isTrue();
    assertThat(spawner.process.exitValue()).isZero();
    assertThat(folder.resolve("launcher/1.4.socket")).doesNotExist();
  }

  @Test
  void oneThatRetiresKeepsItsContainersAndMakesNone() throws Exception {
    spawner.launch("last", "while ! test -e ../go; do sleep 0.02; done");
    assertThat(spawner.ask(Message.of(Message.RETIRE, 0)).type()).isEqualTo(Message.OK);
    assertThat(spawner.ask(spawner.plan("more", "true")).text(19)).contains("no more containers");
    Files.writeString(folder.resolve("containers/go"), "");
    assertThat(spawner.status("last")).isZero();
    assertThat(spawner.process.waitFor(60, TimeUnit.SECONDS)).isTrue();
  }

  @Test
  void thereIsOneOfAVersion() throws Exception {
    Process second = Spawner.start(folder, 5);
    assertThat(second.waitFor(60, TimeUnit.SECONDS)).isTrue();
    assertThat(second.exitValue()).isEqualTo(3);
    spawner.launch("c", "true");
  }

  @Test
  void whatCannotBeDoneIsRefusedByName() throws Exception {
    assertThat(spawner.ask(spawner.plan("f", "true").with(3, "devices")).text(19))
        .isEqualTo("feature 'devices' is not known to this launcher, which speaks version 1.4");
    assertThat(spawner.ask(spawner.plan("f", "true").with(4711, "x")).text(19))
        .startsWith("field 4711 is not known");
    assertThat(spawner.ask(Message.of(Message.LAUNCH, 0)).text(19)).contains("field container");
    assertThat(spawner.ask(Message.of(42, 0)).text(19)).contains("does not know this request");
    assertThat(spawner.ask(Message.of(Message.SIGNAL, 0).with(1, "nobody")).text(19))
        .contains("none of that name");
    assertThat(spawner.ask(spawner.plan("g", "true").with(10, "/nowhere/cgroup.procs")).type())
        .isEqualTo(Message.OK);
    assertThat(spawner.event(Message.FAILED, "g").text(19))
        .isEqualTo("cannot enter the cgroup of /nowhere/cgroup.procs: No such file or directory");
    assertThat(spawner.folder("f").resolve("stdout")).doesNotExist();
    spawner.launch("f", "true");
    assertThat(spawner.status("f")).isZero();
  }

  /** Its last words and the word that lets it go pass each other: in any order they are heard. */
  @Test
  void aTaskThatCannotStartSaysWhyHoweverItMeetsTheWordToGo() throws Exception {
    for (int i = 0; i < 300; i++) {
      String id = "r" + i;
      assertThat(spawner.ask(spawner.plan(id, "true").with(9, limit(2, 1))).type())
          .isEqualTo(Message.OK);
      Message ended = spawner.end(id);
      assertThat(ended.type()).as("type of the end of %s", id).isEqualTo(Message.FAILED);
      assertThat(ended.text(19)).contains("cannot set RLIMIT_NOFILE");
    }
  }

  private static byte[] limit(long soft, long hard) {
    return ByteBuffer.allocate(29)
        .putLong(soft)
        .putLong(hard)
        .put("RLIMIT_NOFILE".getBytes(StandardCharsets.US_ASCII))
        .array();
  }

  @Test
  void limitsAreSetAndOpenFilesAreOthersOwn() throws Exception {
    spawner.ask(spawner.plan("n", "ulimit -Sn; ulimit -Hn").with(9, limit(77, 99)));
    assertThat(spawner.status("n")).isZero();
    assertThat(spawner.folder("n").resolve("stdout")).hasContent("77\n99");
    spawner.launch("fds", "ls /proc/self/fd; ls -l /proc/self/fd/0");
    assertThat(spawner.status("fds")).isZero();
    assertThat(Files.readString(spawner.folder("fds").resolve("stdout")))
        .startsWith("0\n1\n2\n3\n")
        .doesNotContain("\n4\n")
        .endsWith("/dev/null\n");
  }

  @Test
  void aFifoInTheSandboxStopsNobody() throws Exception {
    Message plan = spawner.plan("fifo", "true");
    C.run("mkfifo", spawner.folder("fifo").resolve("stdout").toString());
    spawner.ask(plan);
    assertThat(spawner.status("fifo")).isEqualTo(126 << 8);
    assertThat(Files.readString(spawner.folder("fifo").resolve("stderr")))
        .isEqualTo("mezzo: cannot open 'stdout': No such device or address\n");
  }

  @Test
  void noiseEndsAConnectionAndNothingElse() throws Exception {
    Spawner noise = Spawner.strange(folder, spawner.process);
    noise.send(new byte[] {-1, -1, -1, -1, 0, 0, 0, 0, 0, 0, 0, 0});
    assertThat(noise.read().text(19)).isEqualTo("what was read is no frame");
    assertThatThrownBy(noise::read).isInstanceOf(EOFException.class);
    noise.disconnect();
    Spawner rude = Spawner.strange(folder, spawner.process);
    assertThat(rude.ask(Message.of(Message.LIST, 0)).text(19)).isEqualTo("a hello comes first");
    assertThatThrownBy(rude::read).isInstanceOf(EOFException.class);
    rude.disconnect();
    spawner.launch("c", "true");
  }

  @Test
  void asTheFirstProcessOfAnImageItLeavesNoZombie() throws Exception {
    assumeTrue("root".equals(System.getProperty("user.name")), "only root may unshare");
    spawner.close();
    spawner = Spawner.open(folder, "unshare", "--pid", "--fork", "--mount-proc", "--kill-child");
    for (int i = 0; i < 5; i++) {
      spawner.launch("c" + i, "(setsid sh -c 'exit 1' &) ; sh -c 'sleep 0.01 &'; true");
      assertThat(spawner.status("c" + i)).isZero();
    }
    Await.until(() -> list().isEmpty());
    // What has just ended is waited for a little later.
    spawner.launch(
        "look",
        "while ps -e -o stat= | grep -q Z; do sleep 0.02; done; ps -e -o stat=,comm= ; true");
    assertThat(spawner.status("look")).isZero();
    assertThat(Files.readString(spawner.folder("look").resolve("stdout")))
        .contains("mezzo-spawner", "mezzo-shim")
        .doesNotContain("Z");
  }

  @Test
  void aContainerIsBornIntoACgroupOfVersionTwo() throws Exception {
    Path unified =
        Files.exists(Path.of("/sys/fs/cgroup/cgroup.controllers"))
            ? Path.of("/sys/fs/cgroup")
            : Path.of("/sys/fs/cgroup/unified");
    assumeTrue(
        Files.isWritable(unified.resolve("cgroup.procs")), "no cgroups of version 2 to write to");
    Path cgroup =
        Files.createDirectory(unified.resolve("mezzo-native-" + ProcessHandle.current().pid()));
    try {
      Message plan = spawner.plan("v2", "cat /proc/self/cgroup");
      spawner.ask(plan.with(10, cgroup.resolve("cgroup.procs").toString()));
      assertThat(spawner.status("v2")).isZero();
      assertThat(Files.readString(spawner.folder("v2").resolve("stdout")))
          .contains("0::/" + cgroup.getFileName());
    } finally {
      Await.until(() -> Files.readString(cgroup.resolve("cgroup.procs")).isEmpty());
      Files.delete(cgroup);
    }
  }
}
