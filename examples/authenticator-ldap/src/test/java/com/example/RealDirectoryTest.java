package com.example;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.fail;

import com.unboundid.ldap.sdk.LDAPConnection;
import com.unboundid.ldap.sdk.LDAPException;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.mezzo.api.authentication.HttpAuthenticator.Request;
import org.mezzo.api.authentication.Principal;
import org.mezzo.testing.FakeDaemonContext;

/** Against OpenLDAP, where {@code slapd} and its schemas are installed. */
class RealDirectoryTest {
  private static final String ADMIN = "cn=admin," + People.SUFFIX;
  private static final String SECRET = "only-in-this-test";
  private static final int TRIES = 600;

  @TempDir Path folder;

  @Test
  void asksOpenLdap() throws Exception {
    Path program =
        List.of(Path.of("/usr/sbin/slapd"), Path.of("/usr/libexec/slapd")).stream()
            .filter(Files::isExecutable)
            .findFirst()
            .orElse(null);
    Path schemas = Path.of("/etc/ldap/schema");
    Assumptions.assumeTrue(
        program != null && Files.isDirectory(schemas), "slapd is not installed here");
    int port = freePort();
    Process slapd = start(program, schemas, port);
    try {
      try (LDAPConnection admin = connect(slapd, port)) {
        People.addTo(admin);
      }
      LdapAuthenticator authenticator = new LdapAuthenticator();
      authenticator.open(
          FakeDaemonContext.master()
              .withParameters(Map.of("url", "ldap://127.0.0.1:" + port, "base", People.BASE)));
      assertThat(ask(authenticator, "anna:s3cret-1")).contains(Principal.named("anna"));
      assertThat(ask(authenticator, "bert:s3:cret-2")).contains(Principal.named("bert"));
      for (String pair :
          List.of(
              "anna:s3:cret-2", "nobody:s3cret-1", "anna:", "ANNA:s3cret-1", "anna :s3cret-1")) {
        assertThat(ask(authenticator, pair)).as(pair).isEmpty();
      }
      authenticator.close();
    } finally {
      slapd.destroyForcibly().waitFor();
    }
  }

  private static Optional<Principal> ask(LdapAuthenticator authenticator, String pair)
      throws Exception {
    return authenticator
        .authenticate(
            Request.of(
                "GET",
                "/state",
                Map.of("authorization", List.of(LdapAuthenticatorContractTest.header(pair))),
                "mezzo-master"))
        .principal();
  }

  private Process start(Path program, Path schemas, int port) throws IOException {
    Path database = Files.createDirectory(folder.resolve("database"));
    Path modules = Path.of("/usr/lib/ldap");
    Path configuration =
        Files.writeString(
            folder.resolve("slapd.conf"),
            """
            include %1$s/core.schema
            include %1$s/cosine.schema
            include %1$s/inetorgperson.schema
            pidfile %2$s/slapd.pid
            %3$s
            database mdb
            suffix %4$s
            rootdn %5$s
            rootpw %6$s
            directory %7$s
            """
                .formatted(
                    schemas,
                    folder,
                    Files.isDirectory(modules)
                        ? "modulepath " + modules + "\nmoduleload back_mdb"
                        : "",
                    People.SUFFIX,
                    ADMIN,
                    SECRET,
                    database));
    return new ProcessBuilder(
            program.toString(),
            "-f",
            configuration.toString(),
            "-h",
            "ldap://127.0.0.1:" + port,
            "-d",
            "0")
        .redirectErrorStream(true)
        .redirectOutput(folder.resolve("slapd.log").toFile())
        .start();
  }

  private LDAPConnection connect(Process slapd, int port) throws Exception {
    LDAPException last;
    int tries = TRIES;
    do {
      try {
        return new LDAPConnection("127.0.0.1", port, ADMIN, SECRET);
      } catch (LDAPException e) {
        last = e;
      }
    } while (--tries > 0 && !slapd.waitFor(100, TimeUnit.MILLISECONDS));
    return fail("slapd did not come up: " + Files.readString(folder.resolve("slapd.log")), last);
  }

  private static int freePort() throws IOException {
    try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      return socket.getLocalPort();
    }
  }
}
