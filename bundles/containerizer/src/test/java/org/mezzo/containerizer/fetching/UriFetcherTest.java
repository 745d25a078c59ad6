package org.mezzo.containerizer.fetching;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assertions.assertTimeoutPreemptively;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.mezzo.api.DaemonContext;
import org.mezzo.api.fetcher.Fetcher;
import org.mezzo.containerizer.ContainerizerOptions;
import org.mezzo.containerizer.FakeAgent;
import org.mezzo.containerizer.LaunchException;
import org.mezzo.fixtures.Await;
import org.mezzo.modules.Kinds;
import org.mezzo.modules.local.LocalModules;
import org.mezzo.protocol.v1.CommandInfo;

class UriFetcherTest {
  @TempDir Path folder;

  private static CommandInfo.URI.Builder uri(String value) {
    return CommandInfo.URI.newBuilder().setValue(value);
  }

  private Path sandbox() throws IOException {
    return Files.createDirectories(folder.resolve("sandbox"));
  }

  @ParameterizedTest
  @CsvSource({
    "http://host/a/b.tgz, b.tgz",
    "'  http://host/a/b?x=1', b?x=1",
    "/some/file, file",
    "file:///some/file, file",
    "relative/name, name"
  })
  void namesFilesAfterTheLastSlash(String value, String name) throws Exception {
    Path sandbox = sandbox();
    assertThat(Item.of(uri(value).build(), sandbox, Optional.of(folder)).target())
        .isEqualTo(sandbox.resolve(name));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"", "http://host", "http://host/", "a\\b", "it's", "/dir/", "relative", "/a/.."})
  void refusesWhatCannotBeFetched(String value) throws Exception {
    Path sandbox = sandbox();
    assertThatThrownBy(() -> Item.of(uri(value).build(), sandbox, Optional.empty()))
        .isInstanceOf(LaunchException.class);
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "/abs", "../out", "a/../../out", "a/../b", "."})
  void refusesOutputFilesOutsideTheSandbox(String output) throws Exception {
    Path sandbox = sandbox();
    assertThatThrownBy(
            () -> Item.of(uri("/a/b").setOutputFile(output).build(), sandbox, Optional.empty()))
        .isInstanceOf(LaunchException.class);
    assertThatThrownBy(
            () -> fetch(sandbox, Optional.empty(), uri("/a/b").setOutputFile(output).build()))
        .satisfies(
            refusal ->
                assertThat(sandbox.resolve("stderr")).content().contains(refusal.getMessage()));
  }

  @Test
  void fetchesExtractsAndMarksExecutable() throws Exception {
    Path sandbox = sandbox();
    Path source = Files.createDirectories(folder.resolve("source"));
    Files.writeString(source.resolve("inside"), "in the archive");
    Process tar =
        new ProcessBuilder("tar", "-C", source.toString(), "-czf", folder + "/a.tgz", "inside")
            .start();
    assertThat(tar.waitFor()).isZero();
    Files.writeString(folder.resolve("tool"), "#!/bin/sh\n");
    FakeAgent agent = new FakeAgent(folder).with(Kinds.FETCHER, "copy", new Copy());
    try (UriFetcher fetcher = new UriFetcher(agent.host(), agent.options(), Runnable::run)) {
      fetch(
          fetcher,
          List.of(
              uri(folder + "/a.tgz").build(),
              uri(folder + "/tool").setExecutable(true).setOutputFile("bin/tool").build()),
          sandbox,
          Optional.empty());
      assertThat(sandbox.resolve("inside")).hasContent("in the archive");
      assertThat(sandbox.resolve("a.tgz")).exists();
      assertThat(sandbox.resolve("bin/tool")).isExecutable();

      Files.createSymbolicLink(sandbox.resolve("way"), folder);
      assertThatThrownBy(
              () ->
                  fetch(
                      fetcher,
                      List.of(uri(folder + "/tool").setOutputFile("way/out").build()),
                      sandbox,
                      Optional.empty()))
          .hasMessageContaining("leads out of the sandbox");
      assertThatThrownBy(
              () ->
                  fetch(
                      fetcher,
                      List.of(uri(folder + "/missing").build()),
                      sandbox,
                      Optional.empty()))
          .hasMessageContaining("Failed to fetch '" + folder + "/missing'");
      assertThatThrownBy(
              () -> fetch(fetcher, List.of(uri("s3://a/b").build()), sandbox, Optional.empty()))
          .hasMessageContaining("No fetcher module serves 's3'");
    }
    assertThat(sandbox.resolve("stderr")).content().contains("Fetching URI");
  }

  @Test
  void aFetcherThatDoesNotSayWhatItServesIsPassedOver() throws Exception {
    Files.writeString(folder.resolve("source"), "whole");
    FakeAgent agent =
        new FakeAgent(folder)
            .with(
                Kinds.FETCHER,
                "bad",
                new Copy() {
                  @Override
                  public Set<String> schemes() {
                    throw new IllegalStateException("nothing to say");
                  }
                })
            .with(Kinds.FETCHER, "copy", new Copy());
    try (UriFetcher fetcher = new UriFetcher(agent.host(), agent.options(), Runnable::run)) {
      Path sandbox = sandbox();
      fetch(fetcher, List.of(uri(folder + "/source").build()), sandbox, Optional.empty());
      assertThat(sandbox.resolve("source")).hasContent("whole");
      assertThatThrownBy(
              () -> fetch(fetcher, List.of(uri("s3://a/b").build()), sandbox, Optional.empty()))
          .hasMessageContaining("No fetcher module serves 's3'")
          .hasMessageContaining("'bad' failed")
          .hasMessageContaining("nothing to say");
    }
  }

  @Test
  void fetchersThatAreThereAreAskedBeforeAnyIsWaitedFor() throws Exception {
    Files.writeString(folder.resolve("source"), "whole");
    CountDownLatch fetched = new CountDownLatch(1);
    AtomicBoolean waitedFor = new AtomicBoolean();
    FakeAgent agent =
        new FakeAgent(folder)
            .with(
                Kinds.FETCHER,
                "absent",
                new Copy() {
                  @Override
                  public void open(DaemonContext context) throws Exception {
                    // For less than the fetcher waits for those that do not open.
                    waitedFor.set(!fetched.await(8, TimeUnit.SECONDS));
                  }
                })
            .with(Kinds.FETCHER, "copy", new Copy());
    try (UriFetcher fetcher = new UriFetcher(agent.host(), agent.options(), Runnable::run)) {
      fetch(fetcher, List.of(uri(folder + "/source").build()), sandbox(), Optional.empty());
      fetched.countDown();
    }
    assertThat(sandbox().resolve("source")).hasContent("whole");
    assertThat(waitedFor).isFalse();
  }

  @Test
  void aFetcherThatIsSwappedDuringTheFetchIsFollowedByItsSuccessor() throws Exception {
    Path sandbox = sandbox();
    Files.writeString(folder.resolve("source"), "whole");
    FakeAgent agent = new FakeAgent(folder);
    AtomicReference<LocalModules.Registered> first = new AtomicReference<>();
    CountDownLatch fetchedAgain = new CountDownLatch(1);
    CountDownLatch firstIsOver = new CountDownLatch(1);
    Copy successor =
        new Copy() {
          @Override
          public void fetch(Request request) throws IOException, InterruptedException {
            super.fetch(request);
            fetchedAgain.countDown();
            awaitNow(firstIsOver);
          }
        };
    first.set(
        agent.modules.register(
            Kinds.FETCHER,
            "copy",
            new Copy() {
              @Override
              public void fetch(Request request) throws IOException {
                Files.writeString(request.target(), "half");
                agent.modules.register(Kinds.FETCHER, "copy", successor);
                first.get().close();
                awaitNow(fetchedAgain);
              }

              @Override
              public void close() {
                firstIsOver.countDown();
              }
            }));
    try (UriFetcher fetcher = new UriFetcher(agent.host(), agent.options(), Runnable::run)) {
      fetch(fetcher, List.of(uri(folder + "/source").build()), sandbox, Optional.empty());
    }
    assertThat(sandbox.resolve("source")).hasContent("whole");
    assertThat(sandbox.resolve("stderr")).content().contains("trying its successor");
  }

  private static void awaitNow(CountDownLatch latch) throws IOException {
    try {
      latch.await();
    } catch (InterruptedException e) {
      throw new IOException(e);
    }
  }

  /** Needs root: an agent that is not root has no other rights than its tasks. */
  @Test
  void aTaskGetsOnlyWhatItsUserMayRead() throws Exception {
    assumeTrue("root".equals(System.getProperty("user.name")), "only root can switch users");
    Path open = Files.createTempDirectory(Path.of("/tmp"), "mezzo-fetch");
    Files.setPosixFilePermissions(open, PosixFilePermissions.fromString("rwxr-xr-x"));
    FakeAgent agent = new FakeAgent(folder).with(Kinds.FETCHER, "copy", new Copy());
    try (UriFetcher fetcher = new UriFetcher(agent.host(), agent.options(), Runnable::run)) {
      Path sandbox = Files.createDirectory(open.resolve("sandbox"));
      Files.setAttribute(sandbox, "unix:uid", 65534);
      Path secret = Files.writeString(open.resolve("secret"), "secret");
      Files.setPosixFilePermissions(secret, PosixFilePermissions.fromString("rw-------"));
      Path free = Files.writeString(open.resolve("free"), "free");
      Path link = Files.createSymbolicLink(open.resolve("link"), secret);

      for (String text : List.of(secret.toString(), "file://" + secret, "file://" + link)) {
        assertThatThrownBy(() -> fetch(fetcher, List.of(uri(text).build()), sandbox, NOBODY))
            .isInstanceOf(LaunchException.class)
            .hasMessageContaining("Failed to fetch '" + text + "'")
            .hasMessageContaining("user 'nobody' may not read")
            .hasMessageContaining("make it readable");
      }
      assertThatThrownBy(
              () -> fetch(fetcher, List.of(uri(open.toString()).build()), sandbox, NOBODY))
          .hasMessageContaining("is not a file");
      // A link that is there already is replaced, not followed.
      Path precious = Files.writeString(open.resolve("precious"), "precious");
      Files.createSymbolicLink(sandbox.resolve("planted"), precious);
      fetch(
          fetcher,
          List.of(
              uri(free.toString()).setOutputFile("a/b").setExecutable(true).build(),
              uri("copy://" + free).setOutputFile("planted").build()),
          sandbox,
          NOBODY);
      assertThat(precious).hasContent("precious");
      assertThat(sandbox.resolve("planted")).hasContent("free");
      assertThat(sandbox.resolve("a/b")).hasContent("free").isExecutable();
      for (String name : List.of("a", "a/b", "planted")) {
        assertThat(Files.getOwner(sandbox.resolve(name)).getName()).as(name).isEqualTo("nobody");
      }
      assertThat(folder.resolve("work/fetching")).isEmptyDirectory();
    } finally {
      delete(open);
    }
  }

  @Test
  void extractsIntoTheSandboxItselfWhereverTheArchiveIs() throws Exception {
    Path sandbox = sandbox();
    Path source = Files.createDirectories(folder.resolve("source"));
    Files.writeString(source.resolve("of-tar"), "tar");
    Files.writeString(source.resolve("of-gzip"), "gzip");
    sh("cd \"$1\" && tar -cf ../a.tar of-tar && gzip of-gzip", source);
    Path zip = zip("of-zip", "zip", "");
    fetch(
        sandbox,
        Optional.empty(),
        uri(folder + "/a.tar").setOutputFile("d/a.tar").build(),
        uri(source + "/of-gzip.gz").setOutputFile("d/e/of-gzip.gz").build(),
        uri(zip.toString()).setOutputFile("d/a.zip").build());
    assertThat(sandbox.resolve("of-tar")).hasContent("tar");
    assertThat(sandbox.resolve("of-gzip")).hasContent("gzip");
    assertThat(sandbox.resolve("of-zip")).hasContent("zip");
    try (var files = Files.list(sandbox.resolve("d"))) {
      assertThat(files.map(Path::getFileName).map(Path::toString))
          .containsExactlyInAnyOrder("a.tar", "a.zip", "e");
    }
  }

  @Test
  void whatUnzipOnlyWarnsAboutIsASuccess() throws Exception {
    Path sandbox = sandbox();
    Path zip = zip("inside", "zip", "#!/bin/sh of a program that unpacks itself\n");
    fetch(sandbox, Optional.empty(), uri(zip.toString()).build());
    assertThat(sandbox.resolve("inside")).hasContent("zip");
    assertThat(sandbox.resolve("stderr")).content().contains("extra bytes");

    Path broken = Files.writeString(folder.resolve("broken.zip"), "no archive at all");
    assertThatThrownBy(() -> fetch(sandbox, Optional.empty(), uri(broken.toString()).build()))
        .hasMessageContaining("is no zip archive, or is damaged");
  }

  /** Needs root: nobody else can give files away. */
  @Test
  void membersOfArchivesBelongToWhoeverExtracts() throws Exception {
    assumeTrue("root".equals(System.getProperty("user.name")), "only root can give files away");
    Path sandbox = sandbox();
    Path source = Files.createDirectories(folder.resolve("source"));
    Files.writeString(source.resolve("member"), "x");
    sh("cd \"$1\" && tar --owner=65534 --group=65534 -czf ../a.tgz member", source);
    fetch(sandbox, Optional.empty(), uri(folder + "/a.tgz").build());
    assertThat(Files.getOwner(sandbox.resolve("member")).getName()).isEqualTo("root");
  }

  @Test
  void membersOfArchivesStayInTheSandbox() throws Exception {
    Path sandbox = sandbox();
    Path source = Files.createDirectories(folder.resolve("source/deep"));
    Files.writeString(folder.resolve("source/up"), "x");
    Files.writeString(folder.resolve("source/absolute"), "x");
    sh("cd \"$1\" && tar -P -cf ../../up.tar ../up", source);
    sh("tar -P -cf \"$1/../../absolute.tar\" \"$1/../absolute\"", source);
    Files.delete(folder.resolve("source/up"));
    Files.delete(folder.resolve("source/absolute"));
    for (String name : List.of("/up.tar", "/absolute.tar")) {
      assertThatThrownBy(() -> fetch(sandbox, Optional.empty(), uri(folder + name).build()))
          .hasMessageContaining("the archive is not unpacked")
          .hasMessageContaining("leads out of the sandbox");
    }
    assertThat(sandbox.resolve("stderr"))
        .content()
        .contains("'../up' leads out of the sandbox by '..'", "has an absolute name");
    assertThat(folder.resolve("up")).doesNotExist();
    assertThat(folder.resolve("source/absolute")).doesNotExist();
  }

  @Test
  void aPlantedLogNeitherStopsAFetchNorLeadsAnywhere() throws Exception {
    Path precious = Files.writeString(folder.resolve("precious"), "precious");
    Path file = Files.writeString(folder.resolve("file"), "fetched");
    List<String> plants =
        List.of(
            "mkfifo \"$1/stderr\"",
            "mkdir \"$1/stderr\"",
            "ln -s '" + precious + "' \"$1/stderr\"",
            "ln -s '" + folder + "/new' \"$1/stderr\"",
            "ln '" + precious + "' \"$1/stderr\"");
    for (String plant : plants) {
      Path sandbox = Files.createDirectory(folder.resolve("s" + plants.indexOf(plant)));
      sh(plant, sandbox);
      assertTimeoutPreemptively(
          Duration.ofSeconds(100),
          () -> fetch(sandbox, Optional.empty(), uri(file.toString()).build()),
          plant);
      assertThat(sandbox.resolve("file")).as(plant).hasContent("fetched");
      assertThat(precious).as(plant).hasContent("precious");
      assertThat(folder.resolve("new")).as(plant).doesNotExist();
    }
  }

  /** A task of the same user exchanges the log while it is opened. */
  @Test
  void aLogThatIsExchangedMeanwhileDoesNotBlockEither() throws Exception {
    Path sandbox = sandbox();
    Path precious = Files.writeString(folder.resolve("precious"), "precious");
    Path stderr = sandbox.resolve("stderr");
    sh("mkfifo \"$1/fifo\"", sandbox);
    Path next = sandbox.resolve("next");
    AtomicBoolean over = new AtomicBoolean();
    AtomicLong exchanges = new AtomicLong();
    Thread exchanger =
        new Thread(
            () -> {
              try {
                while (!over.get()) {
                  Files.move(Files.createFile(next), stderr, StandardCopyOption.ATOMIC_MOVE);
                  Files.move(
                      Files.createLink(next, sandbox.resolve("fifo")),
                      stderr,
                      StandardCopyOption.ATOMIC_MOVE);
                  // Two names of one file are not exchanged, so the FIFO goes first.
                  Files.move(Files.createFile(next), stderr, StandardCopyOption.ATOMIC_MOVE);
                  Files.move(
                      Files.createSymbolicLink(next, precious),
                      stderr,
                      StandardCopyOption.ATOMIC_MOVE);
                  exchanges.incrementAndGet();
                }
              } catch (IOException e) {
                throw new java.io.UncheckedIOException(e);
              }
            });
    exchanger.start();
    try {
      assertTimeoutPreemptively(
          Duration.ofSeconds(100),
          () -> {
            // A machine may give the one who exchanges little time beside the one who opens.
            for (int i = 0; i < 3000 || exchanges.get() < 100; i++) {
              try (FetchLog log = FetchLog.open(sandbox, List.of())) {
                log.tell("line");
              }
            }
          });
    } finally {
      over.set(true);
      exchanger.join();
    }
    assertThat(precious).hasContent("precious");
  }

  @Test
  void linksThatLeadOutAreRefusedAndTheirPlacesUntouched() throws Exception {
    Path sandbox = sandbox();
    Path outside = Files.createDirectory(folder.resolve("outside"));
    Path file = Files.writeString(folder.resolve("file"), "fetched");
    Files.createSymbolicLink(sandbox.resolve("a"), outside);
    Files.createSymbolicLink(sandbox.resolve("dangling"), folder.resolve("made"));
    for (String output : List.of("a/b", "a/c/d", "dangling/b")) {
      assertThatThrownBy(
              () ->
                  fetch(
                      sandbox,
                      Optional.empty(),
                      uri(file.toString()).setOutputFile(output).build()))
          .as(output)
          .hasMessageContaining("leads out of the sandbox through a link");
    }
    assertThat(outside).isEmptyDirectory();
    assertThat(folder.resolve("made")).doesNotExist();
    // One that stays inside is fine, and one in the place of the file itself is replaced.
    Files.createDirectory(sandbox.resolve("real"));
    Files.createSymbolicLink(sandbox.resolve("inside"), Path.of("real"));
    Path precious = Files.writeString(folder.resolve("precious"), "precious");
    Files.createSymbolicLink(sandbox.resolve("last"), precious);
    fetch(
        sandbox,
        Optional.empty(),
        uri(file.toString()).setOutputFile("inside/b").build(),
        uri(file.toString()).setOutputFile("last").build());
    assertThat(sandbox.resolve("real/b")).hasContent("fetched");
    assertThat(precious).hasContent("precious");
    assertThat(sandbox.resolve("last")).isRegularFile().hasContent("fetched");
  }

  /** What grows may stand beside the target, as what a program makes. */
  @Test
  void aDownloadMayTakeAsLongAsItLikesWhileItGrows() throws Exception {
    Path sandbox = sandbox();
    FakeAgent agent =
        new FakeAgent(folder)
            .with(
                Kinds.FETCHER,
                "slow",
                new Copy() {
                  @Override
                  public void fetch(Request request) throws IOException, InterruptedException {
                    Path part = request.target().resolveSibling("part");
                    for (int i = 0; i < 90; i++) {
                      Files.write(part, new byte[i]);
                      // As a slow server; how long that takes is what is tried.
                      TimeUnit.MILLISECONDS.sleep(100);
                    }
                    Files.move(part, request.target());
                  }
                });
    ContainerizerOptions o = agent.options();
    ContainerizerOptions hasty =
        new ContainerizerOptions(
            o.isolation(),
            o.switchUser(),
            o.cgroups(),
            new ContainerizerOptions.Fetching(
                Optional.empty(), Duration.ofMillis(3500), Optional.empty(), 0, true, 1000),
            o.shell(),
            o.launcher(),
            o.logging(),
            o.secretResolver());
    try (UriFetcher fetcher = new UriFetcher(agent.host(), hasty, Runnable::run)) {
      fetch(fetcher, List.of(uri("copy:///x").build()), sandbox, Optional.empty());
    }
    assertThat(sandbox.resolve("x")).hasSize(89);
  }

  /** A task of the same user exchanges a folder while files are moved there. */
  @Test
  void aFolderThatBecomesALinkMeanwhileDoesNotLeadOut() throws Exception {
    Path sandbox = sandbox();
    Path outside = Files.createDirectories(folder.resolve("outside"));
    Path away = folder.resolve("away");
    Path a = Files.createDirectory(sandbox.resolve("a"));
    AtomicBoolean over = new AtomicBoolean();
    AtomicLong exchanges = new AtomicLong();
    Thread exchanger =
        new Thread(
            () -> {
              try {
                while (!over.get()) {
                  Files.move(a, away);
                  Files.createSymbolicLink(a, outside);
                  Files.delete(a);
                  Files.move(away, a);
                  exchanges.incrementAndGet();
                }
              } catch (IOException e) {
                // What was placed was where it should not be at that moment.
                over.set(true);
              }
            });
    exchanger.start();
    long placed = 0;
    try {
      for (int i = 0; !over.get() && (i < 2000 || exchanges.get() < 100); i++) {
        Path staged = Files.createDirectories(folder.resolve("staged/" + i + "/a"));
        Files.writeString(staged.resolve("x" + i), "x");
        try {
          Placement.place(staged.getParent(), sandbox);
          placed++;
        } catch (IOException e) {
          assertThat(outside).isEmptyDirectory();
        }
      }
    } finally {
      over.set(true);
      exchanger.join();
    }
    assertThat(placed).isPositive();
    assertThat(outside).isEmptyDirectory();
  }

  @Test
  void aSandboxOnAnotherFileSystemIsFineToo() throws Exception {
    Path memory = Path.of("/dev/shm");
    assumeTrue(
        Files.isWritable(memory) && !Files.getFileStore(memory).equals(Files.getFileStore(folder)),
        "there is no second file system to write to");
    Path away = Files.createTempDirectory(memory, "mezzo-fetch");
    try {
      Path sandbox = Files.createDirectory(away.resolve("sandbox"));
      Path precious = Files.writeString(folder.resolve("precious"), "precious");
      Files.createSymbolicLink(sandbox.resolve("tool"), precious);
      Path source = Files.writeString(folder.resolve("tool"), "x");
      fetch(sandbox, Optional.empty(), uri(source.toString()).setExecutable(true).build());
      assertThat(sandbox.resolve("tool")).isRegularFile().isExecutable().hasContent("x");
      assertThat(precious).hasContent("precious");
      assertThat(away.resolve(".fetching")).doesNotExist();
    } finally {
      delete(away);
    }
  }

  /** Needs root: the tasks of another agent have its own rights. */
  @Test
  void linksThatLeadOutAreRefusedForAnotherUserAsWell() throws Exception {
    assumeTrue("root".equals(System.getProperty("user.name")), "only root can switch users");
    Path open = Files.createTempDirectory(Path.of("/tmp"), "mezzo-fetch");
    Files.setPosixFilePermissions(open, PosixFilePermissions.fromString("rwxrwxrwx"));
    try {
      Path sandbox = Files.createDirectory(open.resolve("sandbox"));
      Files.setAttribute(sandbox, "unix:uid", 65534);
      Path outside = Files.createDirectory(open.resolve("outside"));
      Files.setAttribute(outside, "unix:uid", 65534);
      Path file = Files.writeString(open.resolve("file"), "fetched");
      Files.createSymbolicLink(sandbox.resolve("a"), outside);
      for (String scheme : List.of("copy://", "file://")) {
        assertThatThrownBy(
                () -> fetch(sandbox, NOBODY, uri(scheme + file).setOutputFile("a/b").build()))
            .as(scheme)
            .hasMessageContaining("leads out of the sandbox through a link");
      }
      assertThat(outside).isEmptyDirectory();
    } finally {
      delete(open);
    }
  }

  @Test
  void userPasswordAndQueryAreShownNowhere() throws Exception {
    Path sandbox = sandbox();
    FakeAgent agent =
        new FakeAgent(folder)
            .with(
                Kinds.FETCHER,
                "talks",
                new Copy() {
                  @Override
                  public void fetch(Request request) throws IOException {
                    request.progress().accept("Asking for " + request.uri());
                    throw new IOException("No answer from " + request.uri());
                  }
                });
    try (UriFetcher fetcher = new UriFetcher(agent.host(), agent.options(), Runnable::run)) {
      for (String text :
          List.of(
              "copy://me:pass|word@h/a/file.tgz?to|ken=s3cret",
              "copy://me:pass|word@h/a/file?x/to|ken=s3cret",
              "copy://me:pass|word@h/a\\b?to|ken=s3cret",
              "copy://me:pass|word@h/a?to|ken=s3cret/..")) {
        assertThatThrownBy(
                () -> fetch(fetcher, List.of(uri(text).build()), sandbox, Optional.empty()))
            .satisfies(
                failure ->
                    assertThat(failure.getMessage())
                        .contains("copy://")
                        .doesNotContain("pass")
                        .doesNotContain("ken"));
      }
    }
    assertThat(sandbox.resolve("stderr"))
        .content()
        .contains("Fetching URI 'copy://h/a/file.tgz?...'", "Asking for copy://h/a/file.tgz?...")
        .doesNotContain("pass")
        .doesNotContain("ken=")
        .doesNotContain("s3cret");
  }

  @Test
  void aCancelledFetchStopsTheModuleAndLeavesNothing() throws Exception {
    Path sandbox = sandbox();
    CountDownLatch began = new CountDownLatch(1);
    CountDownLatch interrupted = new CountDownLatch(1);
    FakeAgent agent = new FakeAgent(folder);
    try (LocalModules modules = agent.modules;
        UriFetcher fetcher = new UriFetcher(agent.host(), agent.options(), Runnable::run)) {
      modules.register(
          Fetcher.class,
          Fetcher.KIND,
          "slow",
          () ->
              new Copy() {
                @Override
                public void fetch(Request request) throws IOException {
                  began.countDown();
                  try {
                    new CountDownLatch(1).await();
                  } catch (InterruptedException e) {
                    interrupted.countDown();
                    // As careless as a module may be.
                    Files.writeString(request.target(), "late");
                  }
                }
              });
      Fetch fetch = fetcher.begin(List.of(uri("copy:///x").build()), sandbox, Optional.empty());
      assertThat(began.await(60, TimeUnit.SECONDS)).isTrue();
      fetch.cancel();
      assertThatThrownBy(() -> fetch.done().toCompletableFuture().get(60, TimeUnit.SECONDS))
          .hasMessageContaining("destroyed while its URIs were fetched");
      assertThat(interrupted.await(60, TimeUnit.SECONDS)).isTrue();
    }
    // The lease was closed after the call of the module.
    assertThat(sandbox.resolve("x")).doesNotExist();
    Path staging = folder.resolve("work/fetching");
    Await.until("nothing is staged", () -> staging.toFile().list().length == 0);
  }

  @Test
  void fetchesBeyondTheBoundWaitAndCanBeCancelledThere() throws Exception {
    Path sandbox = sandbox();
    CountDownLatch began = new CountDownLatch(UriFetcher.AT_A_TIME);
    CountDownLatch release = new CountDownLatch(1);
    FakeAgent agent = new FakeAgent(folder);
    try (LocalModules modules = agent.modules;
        UriFetcher fetcher = new UriFetcher(agent.host(), agent.options(), Runnable::run)) {
      modules.register(
          Fetcher.class,
          Fetcher.KIND,
          "slow",
          () ->
              new Copy() {
                @Override
                public void fetch(Request request) throws IOException {
                  began.countDown();
                  try {
                    release.await();
                  } catch (InterruptedException e) {
                    throw new IOException(e);
                  }
                  Files.writeString(request.target(), "x");
                }
              });
      List<Fetch> fetches = new ArrayList<>();
      for (int i = 0; i < UriFetcher.AT_A_TIME + 2; i++) {
        fetches.add(
            fetcher.begin(List.of(uri("copy:///x" + i).build()), sandbox, Optional.empty()));
      }
      assertThat(began.await(60, TimeUnit.SECONDS)).as("all that may run do").isTrue();
      Fetch waiting = fetches.remove(UriFetcher.AT_A_TIME);
      waiting.cancel();
      assertThat(waiting.done().toCompletableFuture()).isCompletedExceptionally();
      assertThat(fetches.get(0).done().toCompletableFuture()).isNotDone();
      release.countDown();
      for (Fetch fetch : fetches) {
        fetch.done().toCompletableFuture().get(60, TimeUnit.SECONDS);
      }
      try (var files = Files.list(sandbox)) {
        assertThat(files.filter(file -> file.getFileName().toString().startsWith("x")))
            .hasSize(UriFetcher.AT_A_TIME + 1);
      }
    }
  }

  private static final Optional<TaskUser> NOBODY =
      Optional.of(
          new TaskUser(
              "nobody",
              65534,
              65534,
              List.of("setpriv", "--reuid=nobody", "--regid=nogroup", "--init-groups")));

  private void fetch(Path sandbox, Optional<TaskUser> user, CommandInfo.URI... uris)
      throws Exception {
    FakeAgent agent = new FakeAgent(folder).with(Kinds.FETCHER, "copy", new Copy());
    try (UriFetcher fetcher = new UriFetcher(agent.host(), agent.options(), Runnable::run)) {
      fetch(fetcher, List.of(uris), sandbox, user);
    }
  }

  /** Fetches, and throws what comes of it. */
  private static void fetch(
      UriFetcher fetcher, List<CommandInfo.URI> uris, Path sandbox, Optional<TaskUser> user)
      throws LaunchException, InterruptedException {
    try {
      fetcher.begin(uris, sandbox, user).done().toCompletableFuture().get(60, TimeUnit.SECONDS);
    } catch (ExecutionException e) {
      throw (LaunchException) e.getCause();
    } catch (TimeoutException e) {
      throw new AssertionError(e);
    }
  }

  private Path zip(String name, String content, String before) throws IOException {
    Path zip = folder.resolve("a.zip");
    try (OutputStream file = Files.newOutputStream(zip)) {
      file.write(before.getBytes(StandardCharsets.UTF_8));
      try (ZipOutputStream out = new ZipOutputStream(file)) {
        out.putNextEntry(new ZipEntry(name));
        out.write(content.getBytes(StandardCharsets.UTF_8));
      }
    }
    return zip;
  }

  private static void sh(String script, Path argument) throws Exception {
    Process process =
        new ProcessBuilder("sh", "-c", script, "sh", argument.toString()).inheritIO().start();
    assertThat(process.waitFor()).as(script).isZero();
  }

  private static void delete(Path folder) throws IOException {
    try (var files = Files.walk(folder)) {
      for (Path path : files.sorted(java.util.Comparator.reverseOrder()).toList()) {
        Files.delete(path);
      }
    }
  }

  private static class Copy implements Fetcher {
    @Override
    public Set<String> schemes() {
      return Set.of("file", "copy");
    }

    @Override
    public void fetch(Request request) throws IOException, InterruptedException {
      Files.copy(Path.of(request.uri().getPath()), request.target());
    }
  }
}
