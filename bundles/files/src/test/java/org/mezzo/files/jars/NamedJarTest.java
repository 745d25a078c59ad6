package org.mezzo.files.jars;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.sun.net.httpserver.HttpServer;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.jar.Attributes;
import java.util.jar.JarOutputStream;
import java.util.jar.Manifest;
import java.util.stream.Stream;
import java.util.zip.ZipEntry;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(60)
final class NamedJarTest {
  private static final NamedJar.Limits LIMITS =
      new NamedJar.Limits(1_000, Duration.ofSeconds(2), Duration.ofSeconds(20));

  @TempDir Path folder;
  private final List<String> progress = new ArrayList<>();
  private final ExecutorService threads = Executors.newCachedThreadPool();
  private HttpServer server;
  private byte[] jar;

  @BeforeEach
  void serve() throws IOException {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try (JarOutputStream out = new JarOutputStream(bytes)) {
      out.putNextEntry(new ZipEntry("entry"));
      out.write(7);
    }
    jar = bytes.toByteArray();
    server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    server.setExecutor(threads);
    server.start();
    answer("/hooks-1.jar", jar, jar.length, 0);
  }

  @AfterEach
  void stop() {
    server.stop(0);
    threads.shutdownNow();
  }

  private void answer(String path, byte[] body, long announced, long pauseMillis) {
    server.createContext(
        path,
        exchange -> {
          exchange.sendResponseHeaders(200, announced);
          exchange.getResponseBody().write(body, 0, body.length / 2);
          exchange.getResponseBody().flush();
          try {
            Thread.sleep(pauseMillis);
          } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
          }
          exchange.getResponseBody().write(body, body.length / 2, body.length - body.length / 2);
          exchange.close();
        });
  }

  private void redirect(String path, String to) {
    server.createContext(
        path,
        exchange -> {
          exchange.getResponseHeaders().add("Location", to);
          exchange.sendResponseHeaders(302, -1);
          exchange.close();
        });
  }

  private String url(String path) {
    return "http://127.0.0.1:" + server.getAddress().getPort() + path;
  }

  private NamedJar open(String place, String... sha256) throws IOException {
    return NamedJar.open(place, Stream.of(sha256).findFirst(), LIMITS, progress::add);
  }

  private static List<Path> left() throws IOException {
    try (Stream<Path> files = Files.list(Path.of(System.getProperty("java.io.tmpdir")))) {
      return files
          .filter(file -> file.getFileName().toString().startsWith("mezzo-jar"))
          .sorted()
          .toList();
    }
  }

  private void fails(String place, String... message) throws IOException {
    List<Path> before = left();
    assertThatThrownBy(() -> open(place))
        .isInstanceOf(IOException.class)
        .hasMessageContainingAll(message);
    assertThat(left()).isEqualTo(before);
  }

  @Test
  void pathsAndFilesAreWhatTheyName() throws IOException {
    Path file = Files.write(folder.resolve("my hooks.jar"), jar);
    for (String place : List.of(file.toString(), file.toUri().toString())) {
      try (NamedJar named = open(place)) {
        assertThat(named.file()).isEqualTo(file);
      }
      assertThat(file).exists();
    }
    fails(folder + "/none.jar", "none.jar is no file that can be read");
    fails("file:///none.jar", "/none.jar is no file that can be read");
    fails("ftp://host/x.jar", "begins with file:, http: or https:");
    fails("http:///x.jar", "names no host");
    fails("http://me:secret@127.0.0.1/x.jar", "with a user or a password");
    fails("http://a b/x.jar", "is no URL");
  }

  @Test
  void whatIsFetchedIsThereUntilItIsClosed() throws IOException {
    redirect("/latest", "/hooks-1.jar");
    List<Path> before = left();
    for (String path : List.of("/hooks-1.jar", "/latest", "/hooks-1.jar?token=x")) {
      try (NamedJar named = open(url(path))) {
        assertThat(named.file()).hasBinaryContent(jar);
        assertThat(named.file().getFileName())
            .hasToString(path.equals("/latest") ? "latest.jar" : "hooks-1.jar");
      }
      assertThat(left()).isEqualTo(before);
    }
  }

  @Test
  void theDigestIsChecked() throws Exception {
    String digest = HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(jar));
    open(url("/hooks-1.jar"), digest.toUpperCase(Locale.ROOT)).close();
    List<Path> before = left();
    assertThatThrownBy(() -> open(url("/hooks-1.jar"), "0".repeat(64)))
        .hasMessageContaining("has the SHA-256 " + digest + ", not 000");
    assertThatThrownBy(() -> open(url("/hooks-1.jar"), "abc"))
        .hasMessageContaining("'abc' is no SHA-256");
    assertThat(left()).isEqualTo(before);
  }

  private static byte[] bundle(String symbolicName) throws IOException {
    Manifest manifest = new Manifest();
    Attributes attributes = manifest.getMainAttributes();
    attributes.put(Attributes.Name.MANIFEST_VERSION, "1.0");
    attributes.putValue("Bundle-SymbolicName", symbolicName);
    attributes.putValue("Bundle-Version", "1.2.3");
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    new JarOutputStream(bytes, manifest).close();
    return bytes.toByteArray();
  }

  private static NamedJar received(byte[] sent, String... sha256) throws IOException {
    return NamedJar.received(
        new ByteArrayInputStream(sent), "What was sent", Stream.of(sha256).findFirst(), LIMITS);
  }

  @Test
  void whatIsSentIsCalledAfterItsBundle() throws Exception {
    List<Path> before = left();
    byte[] bundle = bundle("org.example.hooks;singleton:=true");
    for (String[] digest :
        new String[][] {
          {}, {HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(bundle))}
        }) {
      try (NamedJar named = received(bundle, digest)) {
        assertThat(named.file()).hasBinaryContent(bundle);
        assertThat(named.file().getFileName()).hasToString("org.example.hooks-1.2.3.jar");
      }
    }
    for (byte[] other : List.of(jar, bundle("../../etc/x"))) {
      try (NamedJar named = received(other)) {
        assertThat(named.file().getFileName()).hasToString("sent.jar");
      }
    }
    assertThatThrownBy(() -> received(Arrays.copyOf(bundle, bundle.length / 2)))
        .hasMessageContaining("What was sent is no jar: " + bundle.length / 2 + " bytes came");
    assertThatThrownBy(() -> received(new byte[0])).hasMessageContaining("0 bytes came");
    assertThatThrownBy(() -> received(new byte[1_001]))
        .hasMessageContaining("What was sent is larger than 1000 bytes");
    assertThatThrownBy(() -> received(bundle, "0".repeat(64)))
        .hasMessageContaining("What was sent has the SHA-256");
    assertThat(left()).isEqualTo(before);
  }

  @Test
  void whatDoesNotComeAsAWholeJarLeavesNothing() throws IOException {
    answer("/page.jar", "<html>".getBytes(StandardCharsets.UTF_8), 6, 0);
    answer("/announced.jar", new byte[1_001], 1_001, 0);
    answer("/chunked.jar", new byte[1_001], 0, 0);
    answer("/short.jar", jar, jar.length + 1, 0);
    answer("/silent.jar", jar, jar.length, 4_000);
    redirect("/round", "/round");
    redirect("/away", "file:///etc/passwd");
    fails(url("/none.jar"), "answered with status 404, and no jar");
    fails(url("/page.jar"), "is no jar: 6 bytes came");
    fails(url("/announced.jar"), "is larger than 1000 bytes");
    fails(url("/chunked.jar"), "is larger than 1000 bytes");
    fails(url("/short.jar"), "was cut off: " + jar.length + " of " + (jar.length + 1));
    fails(url("/silent.jar"), "says nothing for 2 s");
    fails(url("/round"), "more than 5 times");
    fails(url("/away"), "file:///etc/passwd, which is not followed");
    server.stop(0);
    fails(url("/hooks-1.jar"), "does not answer");
  }

  @Test
  void whoWaitsIsToldHowFarItIs() throws IOException {
    answer("/slow.jar", jar, jar.length, 1_200);
    open(url("/slow.jar")).close();
    assertThat(progress).hasSize(1).first().asString().startsWith("Fetching http").endsWith(" MB");
  }
}
