package org.mezzo.launcher;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.mezzo.fixtures.Await;

/** What comes out of containers and goes into them by their shims. */
@Timeout(120)
class StreamsTest {
  private static final long SEED =
      Long.getLong("mezzo.noise.seed", System.nanoTime() & 0xffff_ffffL);

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

  /** A plan without files for output; who can attach is as the field says. */
  private Message unlogged(String container, int attach, String command) throws Exception {
    Message plan = spawner.plan(container, command);
    plan.fields().removeIf(it -> it.tag() == 12 || it.tag() == 13);
    return plan.with(3, "attach").number(29, attach);
  }

  private Message terminal(String container, int attach, String command) throws Exception {
    return unlogged(container, attach, command)
        .with(3, "terminal")
        .numbers(28, 24, 80)
        .with(6, "TERM=xterm");
  }

  private Message rotated(String container, int stream, int older, int most, String command)
      throws Exception {
    return spawner.plan(container, command).with(3, "rotation").numbers(30, stream, older, 0, most);
  }

  private void run(Message plan) throws Exception {
    assertThat(spawner.ask(plan).type()).isEqualTo(Message.OK);
    spawner.event(Message.STARTED, plan.text(1));
  }

  private static String text(byte[] bytes) {
    return new String(bytes, StandardCharsets.UTF_8);
  }

  @Test
  void aSessionWaitsForItsReaderWhoGetsAllOfIt() throws Exception {
    run(unlogged("s", 2, "echo out; echo err >&2; exit 3"));
    Path container = spawner.folder("s");
    try (Shim reader = Shim.connect(container)) {
      assertThat(container.resolve("status")).doesNotExist();
      assertThat(reader.attach(Shim.OUTPUT, Shim.ERRORS).type()).isEqualTo(Message.OK);
      String output = "";
      String errors = "";
      for (Message message = reader.read();
          message.type() != Message.END;
          message = reader.read()) {
        output += message.number(31) == Shim.OUTPUT ? message.text(32) : "";
        errors += message.number(31) == Shim.ERRORS ? message.text(32) : "";
      }
      assertThat(output).isEqualTo("out\n");
      assertThat(errors).isEqualTo("err\n");
    }
    assertThat(spawner.status("s")).isEqualTo(3 << 8);
    assertThat(container.resolve("stdout")).doesNotExist();
  }

  @Test
  void inputIsReadAndEnds() throws Exception {
    run(unlogged("cat", 2, "cat; while ! test -e ../go; do sleep 0.02; done; echo done"));
    try (Shim shim = Shim.attach(spawner.folder("cat"), 0, 1, 2)) {
      assertThat(shim.input("one\n").type()).isEqualTo(Message.OK);
      assertThat(shim.until(1, "one\n")).isEqualTo("one\n");
      assertThat(shim.ask(Message.of(Message.CLOSE_INPUT, 0)).type()).isEqualTo(Message.OK);
      assertThat(shim.input("more").text(19)).isEqualTo("the container takes no more input");
      Files.writeString(folder.resolve("containers/go"), "");
      assertThat(text(shim.rest(1))).isEqualTo("done\n");
    }
    assertThat(spawner.status("cat")).isZero();
  }

  @Test
  void inputKeepsThePaceOfWhoReadsIt() throws Exception {
    run(unlogged("slow", 2, "while ! test -e ../go; do sleep 0.02; done; wc -c"));
    byte[] piece = new byte[65_536];
    try (Shim writer = Shim.attach(spawner.folder("slow"), 0, 1)) {
      for (int i = 0; i < 4; i++) {
        writer.send(Message.of(Message.INPUT, 0).with(32, piece));
      }
      // Two pieces wait in the pipe and with the shim, the others in the socket.
      assertThat(writer.read().type()).isEqualTo(Message.OK);
      assertThat(writer.read().type()).isEqualTo(Message.OK);
      try (Shim other = Shim.connect(spawner.folder("slow"))) {
        assertThat(other.attach(0).number(33)).isEqualTo(2);
      }
      Files.writeString(folder.resolve("containers/go"), "");
      for (int taken = 2; taken < 4; taken++) {
        assertThat(writer.read().type()).isEqualTo(Message.OK);
      }
      writer.ask(Message.of(Message.CLOSE_INPUT, 0));
      assertThat(text(writer.rest(1)).strip()).isEqualTo(Integer.toString(4 * 65_536));
    }
  }

  @Test
  void theInputIsFreeOnceItsHolderIsGone() throws Exception {
    run(unlogged("c", 1, "cat"));
    try (Shim first = Shim.attach(spawner.folder("c"), 0);
        Shim second = Shim.attach(spawner.folder("c"), 1, 2)) {
      assertThat(second.input("x").text(19)).isEqualTo("attach to the input first");
      Message refused = second.attach(0);
      assertThat(refused.text(19)).contains("somebody is attached");
      assertThat(refused.number(33)).isEqualTo(2);
      first.input("from the first\n");
      first.close();
      Await.until(() -> second.attach(0).type() == Message.OK);
      second.input("from the second\n");
      assertThat(second.until(1, "second\n")).isEqualTo("from the first\nfrom the second\n");
    }
  }

  @Test
  void nothingIsLostOfASessionThatNobodyReadsForAWhile() throws Exception {
    run(unlogged("s", 1, "head -c 400000 /dev/zero; echo; echo end"));
    // More than the shim and the pipe hold: the command stands still.
    assertThat(spawner.folder("s").resolve("status")).doesNotExist();
    try (Shim reader = Shim.attach(spawner.folder("s"), 1)) {
      assertThat(reader.rest(1)).hasSize(400_005);
    }
    assertThat(spawner.status("s")).isZero();
  }

  /** One who reads alone holds the command; where another reads, too, it is left behind. */
  @Test
  void whoDoesNotReadHoldsNobodyElse() throws Exception {
    run(unlogged("flood", 2, "head -c 20000000 /dev/zero; echo over"));
    try (Shim slow = Shim.attach(spawner.folder("flood"), 1);
        Shim quick = Shim.attach(spawner.folder("flood"), 1)) {
      assertThat(quick.rest(1).length).isGreaterThan(15_000_000);
      assertThat(slow.end().text(19)).contains("too far behind");
    }
    assertThat(spawner.status("flood")).isZero();
  }

  @Test
  void whoReadsAloneHoldsTheCommand() throws Exception {
    run(unlogged("held", 2, "head -c 20000000 /dev/zero; echo over"));
    try (Shim slow = Shim.attach(spawner.folder("held"), 1)) {
      try (Shim other = Shim.connect(spawner.folder("held"))) {
        assertThat(other.ask(Message.of(Message.SIGNAL, 0).number(16, 0)).type())
            .isEqualTo(Message.OK);
      }
      assertThat(slow.rest(1)).hasSize(20_000_005);
    }
    assertThat(spawner.status("held")).isZero();
  }

  @Test
  void whatIsKeptInFilesIsThereForReadersToo() throws Exception {
    Message plan = spawner.plan("k", "read line; echo got $line; echo err >&2");
    run(plan.with(3, "attach").number(29, 1));
    try (Shim shim = Shim.attach(spawner.folder("k"), 0, 1, 2)) {
      shim.input("it\n");
      assertThat(text(shim.rest(1))).isEqualTo("got it\n");
    }
    assertThat(spawner.status("k")).isZero();
    assertThat(spawner.folder("k").resolve("stdout")).hasContent("got it");
    assertThat(spawner.folder("k").resolve("stderr")).hasContent("err");
  }

  @Test
  void aTerminalIsOne() throws Exception {
    run(
        terminal(
            "t",
            2,
            "tty; stty size; read line; echo got $line; read line; echo $line 2; read line; echo"
                + " 3"));
    try (Shim shim = Shim.attach(spawner.folder("t"), 0, 1)) {
      assertThat(shim.until(1, "24 80\r\n")).startsWith("/dev/pts/");
      shim.input("typed\n");
      assertThat(shim.until(1, "got typed\r\n")).contains("typed\r\n");
      // Who leaves it does not end what runs there; the end of a file is a character.
      assertThat(shim.ask(Message.of(Message.CLOSE_INPUT, 0)).type()).isEqualTo(Message.OK);
      shim.input("more\n");
      assertThat(shim.until(1, "more 2\r\n")).isNotNull();
      shim.input("\004");
      assertThat(text(shim.rest(1))).endsWith("3\r\n");
    }
    assertThat(spawner.status("t")).isZero();
  }

  @Test
  void aWindowChangesAndTheProgramIsTold() throws Exception {
    run(terminal("w", 2, "trap 'stty size; exit' WINCH; echo ready; while :; do sleep 0.02; done"));
    try (Shim shim = Shim.attach(spawner.folder("w"), 0, 1)) {
      shim.until(1, "ready\r\n");
      Message resize = Message.of(Message.RESIZE, 0).numbers(28, 50, 132);
      assertThat(shim.ask(resize).type()).isEqualTo(Message.OK);
      assertThat(shim.ask(Message.of(Message.RESIZE, 0).with(28, "x")).text(19))
          .contains("field window");
      assertThat(text(shim.rest(1))).isEqualTo("50 132\r\n");
    }
  }

  @Test
  void controlCInterrupts() throws Exception {
    run(
        terminal(
            "i",
            2,
            "trap 'echo interrupted; exit 4' INT; echo ready; while sleep 0.02; do :; done; echo"
                + " no"));
    try (Shim shim = Shim.attach(spawner.folder("i"), 0, 1)) {
      shim.until(1, "ready\r\n");
      shim.input("\003");
      assertThat(text(shim.rest(1))).contains("interrupted").doesNotContain("no\r");
    }
    assertThat(spawner.status("i")).isEqualTo(4 << 8);
  }

  @Test
  void aTerminalsOutputIsKeptWhereThatIsWanted() throws Exception {
    Message plan = terminal("l", 1, "echo one; echo two >&2; tty");
    run(plan.with(12, "stdout"));
    assertThat(spawner.status("l")).isZero();
    assertThat(Files.readString(spawner.folder("l").resolve("stdout")))
        .startsWith("one\r\ntwo\r\n/dev/pts/");
  }

  @Test
  void aShimGoesOnToServeWithoutItsSpawner() throws Exception {
    run(terminal("a", 2, "read line; echo got $line"));
    spawner.close();
    try (Shim shim = Shim.attach(spawner.folder("a"), 0, 1)) {
      shim.input("it\n");
      assertThat(text(shim.rest(1))).endsWith("got it\r\n");
    }
    Path status = spawner.folder("a").resolve("status");
    Await.until(() -> Files.exists(status));
    assertThat(status).hasContent("0");
  }

  @Test
  void thereIsNothingToAttachToWhereNobodyAskedForIt() throws Exception {
    spawner.launch("c", "exec sleep 1000");
    try (Shim shim = Shim.connect(spawner.folder("c"))) {
      Message refused = shim.attach(1);
      assertThat(refused.type()).isEqualTo(Message.ERROR);
      assertThat(refused.number(33)).isEqualTo(1);
      assertThat(shim.attach(7).text(19)).contains("field stream");
      assertThat(shim.ask(Message.of(Message.RESIZE, 0).numbers(28, 1, 1)).text(19))
          .isEqualTo("attach to the input first");
    }
  }

  @Test
  void moreThanThereIsRoomForAreToldSo() throws Exception {
    run(unlogged("c", 1, "cat"));
    List<Shim> all = new ArrayList<>();
    for (int i = 0; i < 16; i++) {
      all.add(Shim.attach(spawner.folder("c"), 1));
    }
    Shim more = Shim.strange(spawner.folder("c"));
    assertThat(more.read().number(33)).isEqualTo(3);
    assertThatThrownBy(more::read).isInstanceOf(EOFException.class);
    all.get(0).close();
    Await.until(
        () -> {
          try (Shim another = Shim.strange(spawner.folder("c"))) {
            return another.ask(Spawner.hello(1, 1)).type() == Message.HELLO;
          }
        });
  }

  @Test
  void filesThatGrowAreRotatedAndNothingIsLostBetweenThem() throws Exception {
    run(rotated("r", 1, 3, 4096, "i=0; while [ $i -lt 2000 ]; do echo line $i; i=$((i+1)); done"));
    assertThat(spawner.status("r")).isZero();
    Path container = spawner.folder("r");
    List<String> lines = new ArrayList<>();
    for (String name : List.of("stdout.3", "stdout.2", "stdout.1", "stdout")) {
      assertThat(Files.size(container.resolve(name))).as(name).isBetween(1L, 4096L);
      lines.addAll(Files.readAllLines(container.resolve(name)));
    }
    assertThat(container.resolve("stdout.4")).doesNotExist();
    int first = Integer.parseInt(lines.get(0).substring("line ".length()));
    for (int i = 0; i < lines.size(); i++) {
      assertThat(lines.get(i)).isEqualTo("line " + (first + i));
    }
    assertThat(lines).endsWith("line 1999");
    assertThat(container.resolve("stderr")).isEmptyFile();
  }

  @Test
  void rotationGoesOnWithoutItsSpawner() throws Exception {
    run(
        rotated(
            "r",
            1,
            900,
            4096,
            "i=0; while [ $i -lt 9000 ]; do echo line $i; i=$((i+1));"
                + " [ $i -ne 3000 ] || while ! test -e ../go; do sleep 0.02; done; done"));
    spawner.close();
    Files.writeString(folder.resolve("containers/go"), "");
    Path container = spawner.folder("r");
    Await.until(() -> Files.exists(container.resolve("status")));
    int next = 0;
    int files = 0;
    while (Files.exists(container.resolve("stdout." + (files + 1)))) {
      files++;
    }
    for (int file = files; file >= 0; file--) {
      Path path = container.resolve(file == 0 ? "stdout" : "stdout." + file);
      for (String line : Files.readAllLines(path)) {
        assertThat(line).isEqualTo("line " + next++);
      }
    }
    assertThat(next).isEqualTo(9000);
  }

  /** A folder of a user: what a shim of root does there is what the user may do. */
  @Test
  void rotationIsDoneAsTheUser() throws Exception {
    assumeTrue("root".equals(System.getProperty("user.name")), "only root may be somebody else");
    Files.setPosixFilePermissions(folder, PosixFilePermissions.fromString("rwxr-xr-x"));
    String command =
        "i=0; while [ $i -lt 1000 ]; do echo line $i; i=$((i+1)); if [ $i -eq 500 ]; then rm"
            + " stdout.1; ln -s /etc/mezzo-test-nowhere stdout.1; fi; done";
    Message plan = rotated("u", 1, 1, 4096, command);
    C.run("chown", "12345:12345", spawner.folder("u").toString());
    run(plan.with(3, "user").with(8, ByteBuffer.allocate(8).putInt(12345).putInt(12345).array()));
    assertThat(spawner.status("u")).isZero();
    Path newest = spawner.folder("u").resolve("stdout");
    assertThat(Files.getAttribute(newest, "unix:uid")).isEqualTo(12345);
    assertThat(Files.getAttribute(newest, "unix:gid")).isEqualTo(12345);
    assertThat(Files.readAllLines(newest)).endsWith("line 999");
    // A folder that is closed to the user is closed to the shim.
    Message closed =
        rotated(
            "v",
            1,
            1,
            4096,
            "echo first; while ! test -e ../go; do sleep 0.02; done; head -c 9000 /dev/zero");
    C.run("chown", "12345:12345", spawner.folder("v").toString());
    run(closed.with(3, "user").with(8, ByteBuffer.allocate(8).putInt(12345).putInt(12345).array()));
    Path stdout = spawner.folder("v").resolve("stdout");
    Await.until(() -> Files.exists(stdout) && Files.size(stdout) == 6);
    C.run("chown", "0:0", spawner.folder("v").toString());
    Files.writeString(folder.resolve("containers/go"), "");
    assertThat(spawner.status("v")).isZero();
    assertThat(Files.size(stdout)).isEqualTo(9006);
    assertThat(spawner.folder("v").resolve("stdout.1")).doesNotExist();
  }

  @Test
  void whatTheUserHasPutThereInsteadStopsNobody() throws Exception {
    Message plan = rotated("fifo", 1, 3, 4096, "true");
    C.run("mkfifo", spawner.folder("fifo").resolve("stdout").toString());
    spawner.ask(plan);
    assertThat(spawner.status("fifo")).isEqualTo(126 << 8);
    assertThat(Files.readString(spawner.folder("fifo").resolve("stderr")))
        .isEqualTo("mezzo: cannot open 'stdout': No such device or address\n");
  }

  /** Invariant: whatever is sent to a shim, its container goes on and others can attach. */
  @Test
  void noiseEndsConnectionsAndNothingElse() throws Exception {
    // Raw, so that no noise that is typed means anything to the terminal.
    String command = "stty raw -echo; echo ready; while :; do read line && echo got $line; done";
    run(terminal("n", 1, command));
    try (Shim shim = Shim.attach(spawner.folder("n"), 1)) {
      shim.until(1, "ready");
    }
    System.out.println("Noise for a shim; -Dmezzo.noise.seed=" + SEED + " does it again");
    Random random = new Random(SEED);
    int[] tags = {16, 20, 28, 29, 31, 32};
    for (int i = 0; i < 200; i++) {
      try (Shim shim = Shim.connect(spawner.folder("n"))) {
        for (int n = random.nextInt(8); n >= 0; n--) {
          // All that a shim may be asked but SIGNAL, and what it is not.
          int type = random.nextInt(8) == 0 ? random.nextInt(1 << 16) : 9 + random.nextInt(6);
          Message message = Message.of(type, 0);
          for (int fields = random.nextInt(4); fields > 0; fields--) {
            byte[] value = new byte[random.nextInt(3) == 0 ? random.nextInt(200) : 4];
            if (random.nextBoolean()) {
              random.nextBytes(value);
            } else if (value.length > 0) {
              value[value.length - 1] = (byte) random.nextInt(4);
            }
            message.with(tags[random.nextInt(tags.length)], value);
          }
          if (type != Message.SIGNAL) {
            shim.send(message);
          }
        }
        if (random.nextInt(4) == 0) {
          shim.send(new byte[] {0, 0, 0, 1, 0, 0, 0, 0});
        }
      } catch (IOException e) {
        // The shim has had enough of this one.
      }
    }
    try (Shim shim = Shim.connect(spawner.folder("n"))) {
      Await.until(() -> shim.attach(0, 1).type() == Message.OK);
      shim.input("\nit\n");
      shim.until(1, "got it");
    }
  }

  /** What a container leaves behind is killed, and holds neither its output nor its end. */
  @Test
  void strayWritersEndWithIt() throws Exception {
    run(rotated("y", 1, 1, 4096, "(setsid yes &) ; exit 5"));
    assertThat(spawner.status("y")).isEqualTo(5 << 8);
    Await.until(() -> !Files.exists(spawner.folder("y").resolve("control")));
    run(unlogged("z", 2, "(setsid sh -c 'echo stray; exec sleep 1000' &); sleep 0.05; exit 6"));
    try (Shim shim = Shim.attach(spawner.folder("z"), 1, 2)) {
      assertThat(text(shim.rest(1))).isIn("stray\n", "");
    }
    assertThat(spawner.status("z")).isEqualTo(6 << 8);
  }
}
