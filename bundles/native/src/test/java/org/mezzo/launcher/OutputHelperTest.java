package org.mezzo.launcher;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.Random;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.mezzo.fixtures.Await;

/** Programs that read what containers write. */
@Timeout(120)
class OutputHelperTest {
  private static final long SEED =
      Long.getLong("mezzo.noise.seed", System.nanoTime() & 0xffff_ffffL);
  private static final String NEVER = "trap '' TERM; while :; do sleep 0.05; done";

  @TempDir Path folder;
  private Spawner spawner;

  @BeforeEach
  void open() throws Exception {
    spawner = Spawner.open(folder);
  }

  @AfterEach
  void close() throws Exception {
    spawner.closeWithContainers();
  }

  /** A plan whose output, errors or both are read by a shell command. */
  private Message helped(String container, String helper, String command, int... streams)
      throws Exception {
    Message plan = spawner.plan(container, command).with(3, "output-helper");
    for (int stream : streams) {
      plan.with(
          37, field(stream, "/bin/sh", List.of("sh", "-c", helper), List.of("STREAM=" + stream)));
    }
    return plan;
  }

  private static byte[] field(
      int stream, String program, List<String> arguments, List<String> variables) {
    ByteArrayOutputStream value = new ByteArrayOutputStream();
    value.writeBytes(ByteBuffer.allocate(4).putInt(stream).array());
    inner(value, 4, program);
    arguments.forEach(argument -> inner(value, 5, argument));
    inner(value, 6, "PATH=/usr/bin:/bin");
    variables.forEach(variable -> inner(value, 6, variable));
    return value.toByteArray();
  }

  private static void inner(ByteArrayOutputStream to, int tag, String text) {
    byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
    to.writeBytes(ByteBuffer.allocate(6).putShort((short) tag).putInt(bytes.length).array());
    to.writeBytes(bytes);
  }

  private void run(Message plan) throws Exception {
    assertThat(spawner.ask(plan).type()).isEqualTo(Message.OK);
    spawner.event(Message.STARTED, plan.text(1));
  }

  /** The shim is gone, and with it all that it had to do. */
  private void over(String container) throws Exception {
    Await.until(() -> !Files.exists(spawner.folder(container).resolve("control")));
  }

  private String file(String container, String name) throws Exception {
    return Files.readString(spawner.folder(container).resolve(name));
  }

  @Test
  void eachReadsItsStreamAndTheFilesStayEmpty() throws Exception {
    run(
        helped(
            "c",
            "env >environment.$STREAM; exec cat >read.$STREAM",
            "echo out; echo err >&2; exit 3",
            1,
            2));
    assertThat(spawner.status("c")).isEqualTo(3 << 8);
    over("c");
    assertThat(file("c", "read.1")).isEqualTo("out\n");
    assertThat(file("c", "read.2")).isEqualTo("err\n");
    assertThat(spawner.folder("c").resolve("stdout")).isEmptyFile();
    assertThat(spawner.folder("c").resolve("stderr")).isEmptyFile();
    assertThat(file("c", "environment.2")).contains("STREAM=2\n", "PATH=/usr/bin:/bin\n");
  }

  @Test
  void theOtherStreamGoesToItsFile() throws Exception {
    run(helped("c", "exec cat >read", "echo out; echo err >&2", 1));
    assertThat(spawner.status("c")).isZero();
    over("c");
    assertThat(file("c", "read")).isEqualTo("out\n");
    assertThat(file("c", "stderr")).isEqualTo("err\n");
  }

  @Test
  void nothingIsLostOfMuch() throws Exception {
    run(helped("c", "exec cat >read", "seq 300000", 1));
    assertThat(spawner.status("c")).isZero();
    over("c");
    assertThat(Files.readAllLines(spawner.folder("c").resolve("read")))
        .hasSize(300_000)
        .endsWith("300000");
    assertThat(spawner.folder("c").resolve("stdout")).isEmptyFile();
  }

  /** Invariant: the command waits for its reader as on any pipe, and the shim for nobody. */
  @Test
  void aSlowOneHoldsTheCommandAlone() throws Exception {
    run(
        helped(
            "c",
            "while ! test -e ../go; do sleep 0.02; done; exec wc -c >read",
            "head -c 2000000 /dev/zero; echo over >&2",
            1));
    try (Shim shim = Shim.connect(spawner.folder("c"))) {
      assertThat(shim.ask(Message.of(Message.SIGNAL, 0).number(16, 0)).type())
          .isEqualTo(Message.OK);
    }
    assertThat(spawner.folder("c").resolve("stderr"))
        .satisfiesAnyOf(
            path -> assertThat(path).doesNotExist(), path -> assertThat(path).isEmptyFile());
    assertThat(spawner.folder("c").resolve("status")).doesNotExist();
    Files.writeString(folder.resolve("containers/go"), "");
    assertThat(spawner.status("c")).isZero();
    over("c");
    assertThat(file("c", "read").strip()).isEqualTo("2000000");
    assertThat(file("c", "stderr")).isEqualTo("over\n");
  }

  /**
   * Invariant: what one that dies has not read is in the file, with why, and the command goes on.
   */
  @Test
  void whatOneThatDiesHasNotReadIsKept() throws Exception {
    run(
        helped(
            "c",
            "read line; echo $line >read; exit 4",
            "echo first; while ! test -e read; do sleep 0.02; done; seq 100000; echo err >&2",
            1));
    assertThat(spawner.status("c")).isZero();
    over("c");
    assertThat(file("c", "read")).isEqualTo("first\n");
    List<String> lines = Files.readAllLines(spawner.folder("c").resolve("stdout"));
    assertThat(lines)
        .contains(
            "mezzo: the output helper '/bin/sh' reads no more",
            "mezzo: the output helper '/bin/sh' ended with status 4");
    // Agents hear of the first of these alone.
    Message lost = spawner.event(Message.HELPER_LOST, "c");
    assertThat(lost.text(19)).startsWith("the output helper '/bin/sh' ");
    assertThat(lost.number(31)).isEqualTo(1);
    assertThat(lines.stream().filter(line -> !line.startsWith("mezzo:")))
        .containsExactlyElementsOf(
            IntStream.rangeClosed(1, 100_000).mapToObj(Integer::toString).toList());
    assertThat(file("c", "stderr")).isEqualTo("err\n");
  }

  /** Invariant: what a helper has taken and what is in the file are together what was written. */
  @Test
  void whereverOneStopsTheFileGoesOn() throws Exception {
    System.out.println("Helpers that stop; -Dmezzo.noise.seed=" + SEED + " does it again");
    Random random = new Random(SEED);
    String all =
        IntStream.rangeClosed(1, 60_000).mapToObj(it -> it + "\n").collect(Collectors.joining());
    for (int i = 0; i < 12; i++) {
      String id = "c" + i;
      int taken = 1 + random.nextInt(1 << (4 + i));
      String pause = random.nextBoolean() ? "" : "sleep 0.05; ";
      run(helped(id, pause + "exec dd bs=1 count=" + taken + " of=read", "seq 60000", 1));
      assertThat(spawner.status(id)).isZero();
      over(id);
      String kept =
          file(id, "stdout").replaceAll("mezzo: the output helper '/bin/sh' [^\n]*\n", "");
      assertThat(file(id, "read") + kept).as("%d taken", taken).isEqualTo(all);
    }
  }

  @Test
  void whatIsKeptInsteadIsRotated() throws Exception {
    run(
        helped("c", "exit 0", "seq 3000; echo over", 1)
            .with(3, "rotation")
            .numbers(30, 1, 2, 0, 4096));
    assertThat(spawner.status("c")).isZero();
    over("c");
    for (String name : List.of("stdout", "stdout.1", "stdout.2")) {
      assertThat(Files.size(spawner.folder("c").resolve(name))).as(name).isBetween(1L, 4096L);
    }
    assertThat(spawner.folder("c").resolve("stdout.3")).doesNotExist();
  }

  @Test
  void oneThatNeverReadsIsKilledAndLosesNothing() throws Exception {
    run(helped("c", "sleep 1000 & echo $! >child; " + NEVER, "seq 20000", 1));
    // More than the pipe holds waits with the shim; the command does not end before that is taken.
    assertThat(spawner.status("c")).isZero();
    assertThat(Files.exists(spawner.folder("c").resolve("control"))).isTrue();
    over("c");
    List<String> lines = Files.readAllLines(spawner.folder("c").resolve("stdout"));
    assertThat(lines.stream().filter(line -> line.startsWith("mezzo:")))
        .anyMatch(line -> line.contains("did not end within 5 s of its container and is killed"));
    assertThat(lines.stream().filter(line -> !line.startsWith("mezzo:")))
        .containsExactlyElementsOf(
            IntStream.rangeClosed(1, 20_000).mapToObj(Integer::toString).toList());
    long child = Long.parseLong(file("c", "child").strip());
    assertThat(ProcessHandle.of(child).map(ProcessHandle::isAlive).orElse(false)).isFalse();
  }

  @Test
  void oneHasTimeToFinish() throws Exception {
    run(helped("c", "cat >part; sleep 0.5; mv part whole", "echo it", 1));
    assertThat(spawner.status("c")).isZero();
    over("c");
    assertThat(file("c", "whole")).isEqualTo("it\n");
    assertThat(spawner.folder("c").resolve("stdout")).isEmptyFile();
  }

  /**
   * What the command leaves behind is killed, the helper is not, and reads what that has written.
   */
  @Test
  void straysEndAndTheHelperReadsOn() throws Exception {
    run(
        helped(
            "c",
            "cat >read; sleep 0.2; echo whole >>read",
            "(setsid sh -c 'echo stray; echo >there; exec sleep 1000' &);"
                + " while ! test -e there; do sleep 0.02; done; exit 6",
            1));
    assertThat(spawner.status("c")).isEqualTo(6 << 8);
    over("c");
    assertThat(file("c", "read")).isEqualTo("stray\nwhole\n");
  }

  /** Whenever its shim dies, also when the container has ended and all waits for the helper. */
  @Test
  void itEndsWithAShimThatDies() throws Exception {
    run(helped("ended", "echo $$ >helper; " + NEVER, "while ! test -e helper; do :; done", 1));
    run(helped("runs", "echo $$ >helper; " + NEVER, "exec sleep 1000", 1));
    assertThat(spawner.status("ended")).isZero();
    for (String container : List.of("ended", "runs")) {
      Path helper = spawner.folder(container).resolve("helper");
      Await.until(() -> Files.exists(helper) && Files.readString(helper).endsWith("\n"));
      long shim = Long.parseLong(file(container, "pid").split(" ")[2]);
      assertThat(ProcessHandle.of(shim).orElseThrow().destroyForcibly()).isTrue();
      long pid = Long.parseLong(Files.readString(helper).strip());
      Await.until(() -> !ProcessHandle.of(pid).map(ProcessHandle::isAlive).orElse(false));
    }
  }

  @Test
  void itGoesOnWithoutItsSpawner() throws Exception {
    run(
        helped(
            "c",
            "exec cat >read",
            "echo one; while ! test -e ../go; do sleep 0.02; done; echo two",
            1));
    spawner.close();
    Files.writeString(folder.resolve("containers/go"), "");
    over("c");
    assertThat(file("c", "read")).isEqualTo("one\ntwo\n");
  }

  @Test
  void othersMayBeAttachedBeside() throws Exception {
    run(
        helped("c", "exec cat >read", "read line; echo got $line", 1)
            .with(3, "attach")
            .number(29, 1));
    try (Shim shim = Shim.attach(spawner.folder("c"), 0, 1)) {
      shim.input("it\n");
      assertThat(new String(shim.rest(1), StandardCharsets.UTF_8)).isEqualTo("got it\n");
    }
    over("c");
    assertThat(file("c", "read")).isEqualTo("got it\n");
  }

  @Test
  void aTerminalsOutputIsReadToo() throws Exception {
    Message plan =
        helped("c", "exec cat >read", "tty; echo err >&2", 1)
            .with(3, "attach")
            .number(29, 1)
            .with(3, "terminal")
            .numbers(28, 24, 80);
    plan.fields().removeIf(it -> it.tag() == 13);
    run(plan);
    assertThat(spawner.status("c")).isZero();
    over("c");
    assertThat(file("c", "read")).startsWith("/dev/pts/").endsWith("err\r\n");
  }

  @Test
  void itHasTheRightsOfTheUserAndComplainsInItsErrors() throws Exception {
    assumeTrue("root".equals(System.getProperty("user.name")), "only root may be somebody else");
    Files.setPosixFilePermissions(folder, PosixFilePermissions.fromString("rwxr-xr-x"));
    Message plan = helped("c", "id -u; id -u >user; id -u >&2; exec cat >/dev/null", "echo x", 1);
    C.run("chown", "12345:12345", spawner.folder("c").toString());
    run(plan.with(3, "user").with(8, ByteBuffer.allocate(8).putInt(12345).putInt(12345).array()));
    assertThat(spawner.status("c")).isZero();
    over("c");
    assertThat(file("c", "user")).isEqualTo("12345\n");
    assertThat(file("c", "stderr")).isEqualTo("12345\n");
  }

  @Test
  void withoutItsProgramThereIsNoContainer() throws Exception {
    Message plan = spawner.plan("c", "echo ran >ran").with(3, "output-helper");
    spawner.ask(plan.with(37, field(1, "/nowhere/logger", List.of("logger"), List.of())));
    assertThat(spawner.end("c").text(19))
        .isEqualTo("cannot run the output helper '/nowhere/logger': No such file or directory");
    assertThat(spawner.folder("c").resolve("ran")).doesNotExist();
    over("c");
    long task = Long.parseLong(file("c", "pid").split(" ")[0]);
    Await.until(() -> !ProcessHandle.of(task).map(ProcessHandle::isAlive).orElse(false));
  }
}
