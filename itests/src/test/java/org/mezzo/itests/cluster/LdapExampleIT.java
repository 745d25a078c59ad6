package org.mezzo.itests.cluster;

import static org.assertj.core.api.Assertions.assertThat;

import com.unboundid.ldap.listener.InMemoryDirectoryServer;
import com.unboundid.ldap.listener.InMemoryDirectoryServerConfig;
import java.io.IOException;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Base64;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.mezzo.fixtures.Await;

/** The example that asks a directory guards a master into which it is put as its page tells. */
class LdapExampleIT {
  private static final Duration LIMIT = Duration.ofSeconds(120);
  private static final String MODULES =
      """
      {"libraries": [{"modules": [{"name": "ldap", "parameters": [
        {"key": "url", "value": "ldap://127.0.0.1:%d"},
        {"key": "base", "value": "dc=example,dc=org"}]}]}]}
      """;

  @TempDir Path folder;

  private static int status(URI uri, String pair) throws IOException {
    String encoded = Base64.getEncoder().encodeToString(pair.getBytes(StandardCharsets.UTF_8));
    return Http.get(uri, "Authorization", "Basic " + encoded).status();
  }

  @Test
  void whoTheDirectoryKnowsIsLetInAndNobodyWhileItIsDown() throws Exception {
    InMemoryDirectoryServer directory =
        new InMemoryDirectoryServer(new InMemoryDirectoryServerConfig("dc=example,dc=org"));
    directory.add("dn: dc=example,dc=org", "objectClass: domain", "dc: example");
    directory.add(
        "dn: uid=anna,dc=example,dc=org",
        "objectClass: inetOrgPerson",
        "uid: anna",
        "cn: Anna",
        "sn: A",
        "userPassword: s3cret");
    directory.startListening();
    Distribution home = Distribution.built().copyTo(folder.resolve("mezzo"));
    Files.copy(
        Path.of(System.getProperty("mezzo.examples.ldap")), home.modules().resolve("ldap.jar"));
    int port = Distribution.freePort();
    URI flags = URI.create("http://127.0.0.1:" + port + "/flags");
    try (MezzoProcess master =
        MezzoProcess.start(
            home,
            folder.resolve("logs"),
            "master",
            "--port=" + port,
            "--work_dir=" + folder.resolve("work"),
            "--authenticate_http_readonly",
            "--authenticate_http_readwrite",
            "--http_authenticators=ldap",
            "--modules=" + MODULES.formatted(directory.getListenPort()))) {
      try {
        Await.until("anna is let in", LIMIT, () -> status(flags, "anna:s3cret") == 200);
        assertThat(status(flags, "anna:wrong")).isEqualTo(401);
        assertThat(status(flags, "anna:")).isEqualTo(401);
        assertThat(status(flags, "bert:s3cret")).isEqualTo(401);
        assertThat(Http.get(flags).status()).isEqualTo(401);

        directory.shutDown(true);
        assertThat(status(flags, "anna:s3cret")).isIn(401, 503);
        assertThat(master.stderr()).doesNotContain("s3cret");
      } catch (AssertionError e) {
        throw new AssertionError(e.getMessage() + "\n" + master.stderr(), e);
      }
    } finally {
      directory.shutDown(true);
    }
  }
}
