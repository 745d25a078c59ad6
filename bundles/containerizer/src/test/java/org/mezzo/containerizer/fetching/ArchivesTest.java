package org.mezzo.containerizer.fetching;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicReference;
import java.util.zip.GZIPOutputStream;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ArchivesTest {
  private static final long MOST = 1_000_000;

  @TempDir Path folder;
  private final List<String> said = new ArrayList<>();
  private final Commands commands = new Commands(Duration.ofMinutes(1), Thread::new);
  private int unpacked;

  @AfterEach
  void stop() {
    commands.close();
  }

  private Path unpack(Path archive, String name) throws IOException, InterruptedException {
    Path into = Files.createDirectory(folder.resolve("into" + unpacked++));
    new Archives(commands, MOST)
        .unpack(archive, name, into, Optional.empty(), FetchLog.of(said::add));
    return into;
  }

  private void refused(TarFile tar, String... messages) throws IOException {
    Path archive = tar.write(folder.resolve("refused.tar"));
    assertThatThrownBy(() -> unpack(archive, "refused.tar"))
        .isInstanceOf(ArchiveException.class)
        .satisfies(e -> assertThat(e.getMessage()).contains(messages));
    try (var files = Files.list(folder)) {
      assertThat(files.map(file -> file.getFileName().toString()))
          .allMatch(name -> name.startsWith("into") || name.equals("refused.tar"));
    }
  }

  private static void sh(String script, Path argument) throws Exception {
    Process process =
        new ProcessBuilder("sh", "-c", script, "sh", argument.toString()).inheritIO().start();
    assertThat(process.waitFor()).as(script).isZero();
  }

  @Test
  void membersThatGetOutAreRefused() throws Exception {
    refused(new TarFile().file("../out", "x"), "'../out'", "leads out of the sandbox by '..'");
    refused(new TarFile().file("a/../../out", "x"), "leads out of the sandbox by '..'");
    refused(new TarFile().file("/tmp/mezzo-out", "x"), "has an absolute name");
    refused(new TarFile().folder("../out"), "leads out of the sandbox by '..'");
    refused(new TarFile().symbolicLink("../out", "x"), "leads out of the sandbox by '..'");
    refused(
        new TarFile().symbolicLink("a", folder.toString()).file("a/out", "x"),
        "'a/out' would be written through its link 'a'");
    refused(
        new TarFile().symbolicLink("a", "..").folder("a/out"),
        "'a/out' would be written through its link 'a'");
    refused(
        new TarFile().symbolicLink("a", "..").folder("a/").file("a/out", "x"),
        "would be written through its link 'a'");
    refused(
        new TarFile().folder("d").symbolicLink("d/a", "../..").file("d/a/out", "x"),
        "would be written through its link 'd/a'");
  }

  @Test
  void hardLinksToWhatIsNotTheArchivesAreRefused() throws Exception {
    Path precious = Files.writeString(folder.resolve("into-precious"), "precious");
    refused(new TarFile().hardLink("a", precious.toString()), "absolute name");
    refused(new TarFile().hardLink("a", "../into-precious"), "by '..'");
    refused(new TarFile().hardLink("a", "later").file("later", "x"), "no file that came before");
    refused(
        new TarFile().symbolicLink("s", precious.toString()).hardLink("a", "s").file("a", "x"),
        "no file that came before");
    refused(
        new TarFile().symbolicLink("s", "..").hardLink("a", "s/into-precious"),
        "through its link 's'");
    assertThat(precious).hasContent("precious");
  }

  @Test
  void filesThatReplaceALinkDoNotFollowIt() throws Exception {
    Path precious = Files.writeString(folder.resolve("precious"), "precious");
    Path tar =
        new TarFile()
            .symbolicLink("a", precious.toString())
            .file("a", "new")
            .write(folder.resolve("a.tar"));
    assertThat(unpack(tar, "a.tar").resolve("a")).isRegularFile().hasContent("new");
    assertThat(precious).hasContent("precious");
  }

  @Test
  void specialFilesAreRefused() throws Exception {
    refused(new TarFile().member('6', "pipe", "", new byte[0]), "'pipe' is a FIFO");
    refused(new TarFile().member('3', "null", "", new byte[0]), "'null' is a device");
    refused(new TarFile().member('4', "disk", "", new byte[0]), "'disk' is a device");
    refused(new TarFile().member('S', "s", "", new byte[0]), "'s' is a sparse file");
    refused(new TarFile().symbolicLink("stderr", "/etc/passwd"), "'stderr' is no file");
    refused(new TarFile().folder("stdout"), "'stdout' is no file");
  }

  @Test
  void whatIsTooLargeIsRefused() throws Exception {
    Path bomb = folder.resolve("into-bomb.tgz");
    try (OutputStream out = new GZIPOutputStream(Files.newOutputStream(bomb))) {
      Path tar =
          new TarFile().header('0', "zeros", "", 1L << 32).write(folder.resolve("into-header"));
      out.write(Files.readAllBytes(tar));
      for (int i = 0; i < 100; i++) {
        out.write(new byte[1 << 20]);
      }
    }
    assertThatThrownBy(() -> unpack(bomb, "bomb.tgz"))
        .isInstanceOf(ArchiveException.class)
        .hasMessageContaining("unpacks to more than 1000000 bytes")
        .hasMessageContaining("--fetcher_extraction_limit");
    assertThat(Files.size(folder.resolve("into0/zeros"))).isLessThanOrEqualTo(MOST);
    assertThatThrownBy(() -> unpack(bomb, "bomb.gz")).hasMessageContaining("more than 1000000");
    // Nor may names and headers be.
    refused(new TarFile().header('L', "", "", 1L << 30), "has a header of 1073741824 bytes");
    refused(new TarFile().header('x', "", "", 1L << 30), "has a header of 1073741824 bytes");
    Path zip = folder.resolve("into-bomb.zip");
    try (ZipOutputStream out = new ZipOutputStream(Files.newOutputStream(zip))) {
      for (int i = 0; i < 3; i++) {
        out.putNextEntry(new ZipEntry("zeros" + i));
        out.write(new byte[400_000]);
      }
    }
    assertThatThrownBy(() -> unpack(zip, "bomb.zip")).hasMessageContaining("more than 1000000");
  }

  @Test
  void whatIsDamagedIsRefused() throws Exception {
    refused(new TarFile().header('0', "a", "", 100), "'a' ends in the middle");
    refused(new TarFile().header('L', "", "", 100), "ends in the middle");
    refused(new TarFile().member('?', "a", "", new byte[0]), "unknown type '?'");
    Path text = Files.writeString(folder.resolve("into-text"), "x".repeat(2000));
    for (String name : List.of("a.tar", "a.tgz", "a.tar.xz", "a.zip", "a.gz")) {
      assertThatThrownBy(() -> unpack(text, name)).as(name).isInstanceOf(ArchiveException.class);
    }
    Path good = new TarFile().file("a", "x".repeat(100_000)).write(folder.resolve("into-good"));
    for (String program : List.of("gzip", "bzip2", "xz")) {
      sh(program + " -c <\"$1\" >\"$1." + program + "\"", good);
      Path packed = folder.resolve("into-good." + program);
      byte[] bytes = Files.readAllBytes(packed);
      Files.write(packed, java.util.Arrays.copyOf(bytes, bytes.length - 6));
      assertThatThrownBy(() -> unpack(packed, "a.tar"))
          .as(program)
          .isInstanceOf(ArchiveException.class);
    }
  }

  @ParameterizedTest
  @CsvSource({
    "ustar, cat, .tar",
    "gnu, gzip, .tgz",
    "pax, gzip, .tar.gz",
    "gnu, bzip2, .tbz2",
    "pax, bzip2, .tar.bz2",
    "gnu, xz, .txz",
    "pax, xz, .tar.xz",
    "gnu, gzip, .tar",
    "v7, cat, .tgz"
  })
  void whatTarMakesIsUnpacked(String format, String program, String suffix) throws Exception {
    Path source = Files.createDirectory(folder.resolve("source"));
    Path tool = Files.createDirectories(source.resolve("bin")).resolve("tool");
    Files.writeString(tool, "tool");
    Files.setPosixFilePermissions(tool, PosixFilePermissions.fromString("rwxrwxr-x"));
    Files.setLastModifiedTime(tool, FileTime.from(Instant.ofEpochSecond(1_000_000_000)));
    Files.createLink(source.resolve("again"), tool);
    Files.createSymbolicLink(source.resolve("link"), Path.of("bin/tool"));
    Files.createSymbolicLink(source.resolve("python"), Path.of("/usr/bin/python3"));
    Files.createDirectory(source.resolve("empty"));
    String longName = (format.equals("v7") ? "n" : "n".repeat(60)) + "/\u00fc" + "x".repeat(60);
    Files.createDirectory(source.resolve(longName).getParent());
    Files.writeString(source.resolve(longName), "long");
    sh("cd \"$1\" && tar --format=" + format + " -cf - . | " + program + " >../packed", source);
    Path into = unpack(folder.resolve("packed"), "a" + suffix);
    assertThat(into.resolve("bin/tool")).hasContent("tool").isExecutable();
    assertThat(
            PosixFilePermissions.toString(Files.getPosixFilePermissions(into.resolve("bin/tool"))))
        .isEqualTo("rwxr-xr-x");
    assertThat(Files.getLastModifiedTime(into.resolve("bin/tool")).toInstant())
        .isEqualTo(Instant.ofEpochSecond(1_000_000_000));
    assertThat(into.resolve("again")).hasContent("tool");
    assertThat(Files.readSymbolicLink(into.resolve("link"))).hasToString("bin/tool");
    assertThat(Files.readSymbolicLink(into.resolve("python"))).hasToString("/usr/bin/python3");
    assertThat(into.resolve("empty")).isEmptyDirectory();
    assertThat(into.resolve(longName)).hasContent("long");
  }

  @Test
  void whatZipMakesIsUnpacked() throws Exception {
    assumeTrue(Files.isExecutable(Path.of("/usr/bin/zip")), "there is no zip");
    Path source = Files.createDirectory(folder.resolve("source"));
    Path tool = Files.createDirectories(source.resolve("bin")).resolve("t\u00fcl");
    Files.writeString(tool, "tool".repeat(1000));
    Files.setPosixFilePermissions(tool, PosixFilePermissions.fromString("rwxr-xr-x"));
    Files.createSymbolicLink(source.resolve("link"), Path.of("bin/t\u00fcl"));
    sh("cd \"$1\" && zip -q -y -r ../packed.zip .", source);
    Path into = unpack(folder.resolve("packed.zip"), "a.zip");
    assertThat(into.resolve("bin/t\u00fcl")).hasSameBinaryContentAs(tool).isExecutable();
    assertThat(Files.readSymbolicLink(into.resolve("link"))).hasToString("bin/t\u00fcl");

    sh("cd \"$1\" && zip -q -P secret ../locked.zip link", source);
    assertThatThrownBy(() -> unpack(folder.resolve("locked.zip"), "a.zip"))
        .hasMessageContaining("'link' is encrypted");
  }

  @ParameterizedTest
  @CsvSource({"../out, by '..'", "/tmp/mezzo-out, absolute name", "a/../../out, by '..'"})
  void membersOfZipArchivesThatGetOutAreRefused(String name, String message) throws Exception {
    Path zip = folder.resolve("a.zip");
    try (ZipOutputStream out = new ZipOutputStream(Files.newOutputStream(zip))) {
      out.putNextEntry(new ZipEntry(name));
      out.write("x".getBytes(StandardCharsets.UTF_8));
    }
    assertThatThrownBy(() -> unpack(zip, "a.zip"))
        .isInstanceOf(ArchiveException.class)
        .hasMessageContaining(message);
    assertThat(folder.resolve("out")).doesNotExist();
  }

  @Test
  void linksOfZipArchivesAreNotWrittenThrough() throws Exception {
    assumeTrue(Files.isExecutable(Path.of("/usr/bin/zip")), "there is no zip");
    Path source = Files.createDirectory(folder.resolve("source"));
    Path outside = Files.createDirectory(folder.resolve("outside"));
    Files.createSymbolicLink(source.resolve("a"), outside);
    sh(
        "cd \"$1\" && zip -q -y ../a.zip a && rm a && mkdir a && echo >a/x && zip -q ../a.zip a/x",
        source);
    assertThatThrownBy(() -> unpack(folder.resolve("a.zip"), "a.zip"))
        .hasMessageContaining("would be written through its link 'a'");
    assertThat(outside).isEmptyDirectory();
  }

  @Test
  void anInterruptEndsIt() throws Exception {
    Path tar = folder.resolve("a.tgz");
    try (OutputStream out = new GZIPOutputStream(Files.newOutputStream(tar))) {
      out.write(
          Files.readAllBytes(
              new TarFile()
                  .header('0', "zeros", "", 900_000)
                  .write(folder.resolve("into-header"))));
      out.write(new byte[900_000]);
    }
    AtomicReference<Exception> outcome = new AtomicReference<>();
    Thread thread =
        new Thread(
            () -> {
              Thread.currentThread().interrupt();
              try {
                unpack(tar, "a.tgz");
              } catch (IOException | InterruptedException e) {
                outcome.set(e);
              }
            });
    thread.start();
    thread.join(60_000);
    assertThat(outcome.get()).isInstanceOf(InterruptedException.class);
    assertThat(Files.exists(folder.resolve("into0"), LinkOption.NOFOLLOW_LINKS)).isTrue();
  }
}
