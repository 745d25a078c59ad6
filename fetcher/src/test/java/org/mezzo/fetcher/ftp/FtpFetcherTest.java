package org.mezzo.fetcher.ftp;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyStore;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import javax.net.ServerSocketFactory;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.TrustManagerFactory;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.mezzo.api.fetcher.Fetcher;
import org.mezzo.api.fetcher.Uris;
import org.mezzo.testing.FakeDaemonContext;

class FtpFetcherTest {
  private static final Duration PATIENT = Duration.ofSeconds(60);

  @TempDir Path folder;
  private final FtpFetcher fetcher = new FtpFetcher();
  private FtpServer server;
  private Path target;

  @BeforeEach
  void start() throws Exception {
    server = new FtpServer(ServerSocketFactory.getDefault());
    byte[] bytes = new byte[1_000_003];
    new Random(7).nextBytes(bytes);
    server.files.put("a b/file", bytes);
    fetcher.open(FakeDaemonContext.agent());
    target = folder.resolve("target");
  }

  @AfterEach
  void stop() {
    fetcher.close();
    server.close();
  }

  private static void fetch(FtpFetcher fetcher, String uri, Path target, Duration stall)
      throws Exception {
    fetcher.fetch(Fetcher.Request.of(Uris.parse(uri), target, stall, line -> {}));
  }

  private void fetch(String path) throws Exception {
    fetch(fetcher, "ftp://" + server.base() + path, target, PATIENT);
  }

  @Test
  void fetchesAsAnonymous() throws Exception {
    fetch("/a b/file");
    assertThat(target).hasBinaryContent(server.files.get("a b/file"));
    assertThat(server.commands).contains("USER anonymous", "RETR a b/file");
    assertThat(fetcher.describe(Uris.parse("ftp://" + server.base() + "/a b/file")))
        .isEqualTo(new Fetcher.Description(Optional.of(1_000_003L), Optional.of("20200102030405")));
  }

  @Test
  void fetchesAsAUserFromTheRoot() throws Exception {
    server.files.put("/etc/motd", new byte[] {1});
    fetch(fetcher, "ftp://me:p%40ss@" + server.base() + "/%2Fetc/motd", target, PATIENT);
    assertThat(target).hasBinaryContent(new byte[] {1});
    assertThat(server.commands).contains("USER me", "PASS p@ss");
  }

  @Test
  void saysWhatTheServerRefuses() {
    assertThatThrownBy(() -> fetch("/missing"))
        .hasMessageContaining("/missing'")
        .hasMessageContaining("550");
    assertThatThrownBy(
            () -> fetch(fetcher, "ftp://me:wrong@" + server.base() + "/x", target, PATIENT))
        .hasMessageContaining("refuses the user")
        .hasMessageNotContaining("wrong");
    assertThatThrownBy(() -> fetch("/a%0D%0ADELE b")).hasMessageContaining("control character");
    assertThat(server.commands).noneMatch(command -> command.startsWith("DELE"));
    server.missing = 3;
    assertThatThrownBy(() -> fetch("/a b/file")).hasMessageContaining("1000000 were received");
    assertThat(target).doesNotExist();
  }

  @Test
  void aStalledServerIsAFailure() {
    server.stallsAfter = 100;
    assertThatThrownBy(
            () ->
                fetch(
                    fetcher, "ftp://" + server.base() + "/a b/file", target, Duration.ofSeconds(5)))
        .hasMessageContaining("stalled: no byte for 5.0 s after 100 bytes");
    assertThat(target).doesNotExist();
  }

  @Test
  void anInterruptCancels() throws Exception {
    server.stallsAfter = 100;
    CompletableFuture<Exception> outcome = new CompletableFuture<>();
    Thread thread =
        new Thread(
            () -> {
              try {
                fetch("/a b/file");
                outcome.complete(null);
              } catch (Exception e) {
                outcome.complete(e);
              }
            });
    thread.start();
    assertThat(server.stalled.await(60, TimeUnit.SECONDS)).isTrue();
    thread.interrupt();
    assertThat(outcome.get(60, TimeUnit.SECONDS)).isInstanceOf(InterruptedException.class);
    assertThat(target).doesNotExist();
  }

  @Test
  void fetchesFromAServerThatItTrusts() throws Exception {
    Path store = folder.resolve("store");
    Process keytool =
        new ProcessBuilder(
                List.of(
                    Path.of(System.getProperty("java.home"), "bin", "keytool").toString(),
                    "-genkeypair",
                    "-keyalg",
                    "EC",
                    "-alias",
                    "it",
                    "-dname",
                    "CN=it",
                    "-ext",
                    "san=ip:127.0.0.1",
                    "-storepass",
                    "secret",
                    "-keystore",
                    store.toString()))
            .inheritIO()
            .start();
    assertThat(keytool.waitFor()).isZero();
    KeyStore keys = KeyStore.getInstance("PKCS12");
    try (InputStream in = Files.newInputStream(store)) {
      keys.load(in, "secret".toCharArray());
    }
    KeyManagerFactory own = KeyManagerFactory.getInstance(KeyManagerFactory.getDefaultAlgorithm());
    own.init(keys, "secret".toCharArray());
    SSLContext context = SSLContext.getInstance("TLS");
    context.init(own.getKeyManagers(), null, null);
    TrustManagerFactory trust =
        TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
    trust.init(keys);
    FtpFetcher trusting = new FtpFetcher(trust.getTrustManagers()[0]);
    trusting.open(FakeDaemonContext.agent());
    try (FtpServer secure = new FtpServer(context.getServerSocketFactory())) {
      secure.files.put("file", new byte[] {1, 2});
      String uri = "ftps://" + secure.base() + "/file";
      fetch(trusting, uri, target, PATIENT);
      assertThat(target).hasBinaryContent(new byte[] {1, 2});
      assertThat(secure.commands).contains("PROT P");
      assertThatThrownBy(() -> fetch(fetcher, uri, folder.resolve("other"), PATIENT))
          .hasMessageContaining("certif");
    } finally {
      trusting.close();
    }
  }
}
