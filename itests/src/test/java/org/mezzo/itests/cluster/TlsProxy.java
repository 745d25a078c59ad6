package org.mezzo.itests.cluster;

import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.Key;
import java.security.KeyStore;
import java.time.Duration;
import java.util.Base64;
import java.util.Optional;
import java.util.stream.Stream;
import org.mezzo.fixtures.Await;

/** Debian's nginx, which speaks TLS for a master, as {@code docs/security.md} has it do that. */
final class TlsProxy implements AutoCloseable {
  private static final String PASSWORD = "changeit";
  private static final String BEGIN = "<!-- nginx: read by a test -->\n```nginx\n";

  private final Process process;
  private final int port;
  private final Path certificate;
  private final Path trustStore;

  private TlsProxy(Process process, int port, Path certificate, Path trustStore) {
    this.process = process;
    this.port = port;
    this.certificate = certificate;
    this.trustStore = trustStore;
  }

  /** The program; empty where it is not installed. */
  static Optional<Path> installed() {
    return Stream.of("/usr/sbin/nginx", "/usr/bin/nginx", "/usr/local/sbin/nginx")
        .map(Path::of)
        .filter(Files::isExecutable)
        .findFirst();
  }

  /**
   * Starts one with a certificate for 127.0.0.1 of its own making.
   *
   * @param folder gets what it needs
   * @param master {@code host:port} of what it stands in front of
   */
  static TlsProxy start(Path folder, String master) throws Exception {
    Files.createDirectories(folder);
    Path keys = folder.resolve("keys.p12");
    run(
        Path.of(System.getProperty("java.home"), "bin", "keytool").toString(),
        "-genkeypair",
        "-alias",
        "me",
        "-keyalg",
        "EC",
        "-dname",
        "CN=proxy",
        "-ext",
        "san=IP:127.0.0.1",
        "-storetype",
        "PKCS12",
        "-keystore",
        keys.toString(),
        "-storepass",
        PASSWORD);
    KeyStore store = KeyStore.getInstance("PKCS12");
    try (InputStream in = Files.newInputStream(keys)) {
      store.load(in, PASSWORD.toCharArray());
    }
    Key key = store.getKey("me", PASSWORD.toCharArray());
    Path certificate = pem(folder, "CERTIFICATE", store.getCertificate("me").getEncoded());
    Path secret = pem(folder, "PRIVATE KEY", key.getEncoded());
    Path trust = folder.resolve("trust.p12");
    KeyStore trusted = KeyStore.getInstance("PKCS12");
    trusted.load(null, null);
    trusted.setCertificateEntry("proxy", store.getCertificate("me"));
    try (var out = Files.newOutputStream(trust)) {
      trusted.store(out, PASSWORD.toCharArray());
    }

    int port = Distribution.freePort();
    String server =
        documented()
            .replace("443 ssl", "127.0.0.1:" + port + " ssl")
            .replace("127.0.0.1:5050", master)
            .replace("/etc/ssl/mezzo/master.pem", certificate.toString())
            .replace("/etc/ssl/private/master.key", secret.toString());
    String configuration =
        """
        daemon off;
        pid %1$s/pid;
        error_log %1$s/error.log;
        events {}
        http {
          access_log off;
          client_body_temp_path %1$s/body;
          proxy_temp_path %1$s/proxy;
          fastcgi_temp_path %1$s/fastcgi;
          uwsgi_temp_path %1$s/uwsgi;
          scgi_temp_path %1$s/scgi;
          %2$s
        }
        """
            .formatted(folder, server);
    Path file = Files.writeString(folder.resolve("nginx.conf"), configuration);
    Process process =
        new ProcessBuilder(
                installed().orElseThrow().toString(),
                "-c",
                file.toString(),
                "-p",
                folder.toString(),
                "-e",
                folder.resolve("error.log").toString())
            .redirectErrorStream(true)
            .redirectOutput(folder.resolve("out").toFile())
            .start();
    TlsProxy proxy = new TlsProxy(process, port, certificate, trust);
    Await.until("the proxy listens", Duration.ofSeconds(30), proxy::listens);
    return proxy;
  }

  private static void run(String... command) throws Exception {
    Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
    String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    if (process.waitFor() != 0) {
      throw new IOException(said);
    }
  }

  private static Path pem(Path folder, String what, byte[] content) throws IOException {
    String text =
        "-----BEGIN %1$s-----\n%2$s\n-----END %1$s-----\n"
            .formatted(what, Base64.getMimeEncoder(64, new byte[] {'\n'}).encodeToString(content));
    return Files.writeString(folder.resolve(what.replace(' ', '-') + ".pem"), text);
  }

  /** The block that users are told to write. */
  private static String documented() throws IOException {
    String page =
        Files.readString(Path.of(System.getProperty("mezzo.repository"), "docs", "security.md"));
    int begin = page.indexOf(BEGIN) + BEGIN.length();
    return page.substring(begin, page.indexOf("```", begin));
  }

  private boolean listens() {
    try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), port)) {
      return socket.isConnected();
    } catch (IOException e) {
      return false;
    }
  }

  /** Where it listens, as {@code host:port}. */
  String address() {
    return "127.0.0.1:" + port;
  }

  /** Whom to trust, in PEM. */
  Path certificate() {
    return certificate;
  }

  /** The options of a Java program that trusts it, and nobody else. */
  String[] trustOptions() {
    return new String[] {
      "-Djavax.net.ssl.trustStore=" + trustStore,
      "-Djavax.net.ssl.trustStorePassword=" + PASSWORD,
      "-Djavax.net.ssl.trustStoreType=PKCS12"
    };
  }

  @Override
  public void close() throws InterruptedException {
    process.destroy();
    process.waitFor();
  }
}
