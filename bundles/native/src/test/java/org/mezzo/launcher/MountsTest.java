package org.mezzo.launcher;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** What containers mount in namespaces of their own, whose rights count, and what others see. */
@Timeout(60)
class MountsTest {
  private static final int NOBODY = 65534;
  private static final int READ_ONLY = 1;
  private static final int AS_USER = 2;
  private static final int FIXES_RIGHTS = 4;

  @TempDir Path folder;
  private Spawner spawner;
  private Path source;

  @BeforeEach
  void open() throws Exception {
    assumeTrue(System.getProperty("user.name").equals("root"), "mounts need root");
    Files.setPosixFilePermissions(folder, PosixFilePermissions.fromString("rwxr-xr-x"));
    spawner = Spawner.open(folder);
    source = Files.createDirectory(folder.resolve("source"));
    Files.writeString(source.resolve("file"), "of the host\n");
  }

  @AfterEach
  void close() throws Exception {
    if (spawner != null) {
      spawner.close();
      assertThat(Files.readString(Path.of("/proc/self/mountinfo")))
          .as("what is mounted on the host")
          .doesNotContain(folder.toString());
    }
  }

  private static byte[] namespace(long process, long start) {
    return ByteBuffer.allocate(17)
        .putInt((int) process)
        .putLong(start)
        .put("mount".getBytes(StandardCharsets.US_ASCII))
        .array();
  }

  private static byte[] mount(int flags, Path source, Path target, String below) {
    ByteArrayOutputStream value = new ByteArrayOutputStream();
    value.writeBytes(ByteBuffer.allocate(4).putInt(flags).array());
    value.writeBytes((source + "\0" + target + "\0" + below).getBytes(StandardCharsets.UTF_8));
    return value.toByteArray();
  }

  /** With a mount namespace of its own. */
  private Message plan(String container, String command) throws Exception {
    return spawner.plan(container, command).with(35, namespace(0, 0));
  }

  private String output(String container) throws Exception {
    return Files.readString(spawner.folder(container).resolve("stdout"));
  }

  private String run(String container, Message plan) throws Exception {
    assertThat(spawner.ask(plan).type()).isEqualTo(Message.OK);
    Message end = spawner.end(container);
    assertThat(end.type()).as(end.toString()).isEqualTo(Message.EXITED);
    return output(container);
  }

  private String failure(String container, Message plan) throws Exception {
    assertThat(spawner.ask(plan).type()).isEqualTo(Message.OK);
    Message end = spawner.end(container);
    assertThat(end.type()).as(end.toString()).isEqualTo(Message.FAILED);
    return end.text(19);
  }

  @Test
  void forReadingOnlyAndForWritingInTheOrderOfThePlan() throws Exception {
    Path own = spawner.folder("c");
    Message plan =
        plan(
            "c",
            "cat ro/file; echo x 2>&1 >ro/file; echo new >rw/made; cat /mnt/made; cat over/file;"
                + " ls stage 2>&1");
    Files.createDirectory(own.resolve("ro"));
    Files.createDirectory(own.resolve("rw"));
    Files.createDirectory(own.resolve("over"));
    Path other = Files.createDirectory(folder.resolve("other"));
    Files.writeString(other.resolve("file"), "of the last\n");
    plan.with(36, mount(READ_ONLY, source, own, "ro"))
        .with(36, mount(0, source, own, "rw"))
        .with(36, mount(0, source, Path.of("/mnt"), ""))
        .with(36, mount(0, source, own, "over"))
        .with(36, mount(0, other, own, "over"));
    assertThat(run("c", plan).lines())
        .satisfiesExactly(
            line -> assertThat(line).isEqualTo("of the host"),
            line -> assertThat(line).contains("Read-only file system"),
            line -> assertThat(line).isEqualTo("new"),
            line -> assertThat(line).isEqualTo("of the last"),
            line -> assertThat(line).contains("stage"));
    assertThat(source.resolve("made")).hasContent("new");
    assertThat(source.resolve("file")).hasContent("of the host");
    assertThat(own.resolve("rw")).isEmptyDirectory();
    assertThat(Path.of("/mnt/made")).doesNotExist();
    assertThat(own.resolve("mount")).doesNotExist();
  }

  @Test
  void filesCanBeMountedToo() throws Exception {
    Message plan = plan("f", "cat there; echo x 2>&1 >there");
    Files.createFile(spawner.folder("f").resolve("there"));
    plan.with(36, mount(READ_ONLY, source.resolve("file"), spawner.folder("f"), "there"));
    assertThat(run("f", plan)).startsWith("of the host\n").contains("Read-only file system");
    assertThat(spawner.folder("f").resolve("there")).isEmptyFile();
  }

  @Test
  void whatCannotBeMountedIsNamedAndNothingRuns() throws Exception {
    Message missing = plan("m", "touch ran").with(36, mount(0, source, folder, "none"));
    assertThat(failure("m", missing))
        .isEqualTo(
            "cannot mount '"
                + source
                + "' at '"
                + folder
                + "/none': that cannot be reached: No such file or directory");
    assertThat(
            failure(
                "n", plan("n", "touch ran").with(36, mount(0, folder.resolve("no"), folder, ""))))
        .contains("cannot mount '" + folder + "/no': it cannot be reached");
    assertThat(failure("o", plan("o", "touch ran").with(36, mount(0, source, source, "file"))))
        .contains("Not a directory");
    assertThat(failure("p", spawner.plan("p", "touch ran").with(35, namespace(0x7fffffff, 1))))
        .contains("cannot enter the mount namespace of process 2147483647");
    for (String id : new String[] {"m", "n", "o", "p"}) {
      assertThat(spawner.folder(id).resolve("ran")).doesNotExist();
      assertThat(spawner.folder(id).resolve("mount")).doesNotExist();
    }
  }

  @Test
  void linksThatUsersMakeLeadNowhere() throws Exception {
    Message plan = plan("l", "touch ran");
    Path own = spawner.folder("l");
    Files.createSymbolicLink(own.resolve("link"), Path.of("/mnt"));
    assertThat(failure("l", plan.with(36, mount(0, source, own, "link"))))
        .contains("/link': that cannot be reached: Too many levels of symbolic links");
    Message through = plan("k", "touch ran");
    Files.createSymbolicLink(spawner.folder("k").resolve("link"), folder);
    assertThat(failure("k", through.with(36, mount(0, source, spawner.folder("k"), "link/source"))))
        .contains("that cannot be reached");

    Path closed = Files.createDirectory(folder.resolve("closed"));
    Files.createDirectory(closed.resolve("inner"));
    Files.setPosixFilePermissions(closed, PosixFilePermissions.fromString("rwx------"));
    Message user =
        plan("u", "touch ran")
            .numbers(8, NOBODY, NOBODY)
            .with(36, mount(AS_USER, closed.resolve("inner"), Path.of("/mnt"), ""));
    assertThat(failure("u", user)).contains("it cannot be reached: Permission denied");
    Message agent =
        plan("a", "true").with(36, mount(0, closed.resolve("inner"), Path.of("/mnt"), ""));
    spawner.ask(agent.numbers(8, NOBODY, NOBODY));
    assertThat(spawner.end("a").type()).isEqualTo(Message.EXITED);
  }

  @Test
  void aNamespaceIsEnteredWithWhatItForbids() throws Exception {
    String says = "cat /mnt/file; grep NoNewPrivs /proc/self/status; id -u";
    assertThat(
            spawner
                .ask(
                    plan("outer", "sleep 1000")
                        .with(36, mount(FIXES_RIGHTS, source, Path.of("/mnt"), "")))
                .type())
        .isEqualTo(Message.OK);
    Message outer = spawner.event(Message.STARTED, "outer");
    byte[] of = namespace(outer.number(22), ByteBuffer.wrap(outer.bytes(23)).getLong());
    Message inside = spawner.plan("in", says).with(35, of);
    assertThat(run("in", inside)).isEqualTo("of the host\nNoNewPrivs:\t1\n0\n");
    // With a namespace of its own on top.
    Path other = Files.createDirectory(folder.resolve("other"));
    Files.writeString(other.resolve("file"), "of another\n");
    Message above =
        spawner.plan("on", says + "; cat deep/file").with(35, of).with(35, namespace(0, 0));
    Files.createDirectory(spawner.folder("on").resolve("deep"));
    above.with(36, mount(0, other, spawner.folder("on"), "deep"));
    assertThat(run("on", above)).isEqualTo("of the host\nNoNewPrivs:\t1\n0\nof another\n");
    Message without =
        plan("free", "grep NoNewPrivs /proc/self/status; test -e /mnt/file || echo none");
    assertThat(run("free", without)).isEqualTo("NoNewPrivs:\t0\nnone\n");
    spawner.ask(Message.of(Message.SIGNAL, 0).with(1, "outer").number(16, 9));
    assertThat(spawner.status("outer")).isEqualTo(9);
  }
}
