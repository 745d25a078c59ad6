package org.mezzo.htpasswd;

import static org.assertj.core.api.Assertions.assertThat;

import at.favre.lib.crypto.bcrypt.BCrypt;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.read.ListAppender;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.MessageDigest;
import java.util.Base64;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;
import org.apache.commons.codec.digest.Sha2Crypt;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.mezzo.api.DaemonContext;
import org.mezzo.api.authentication.HttpAuthenticator.Request;
import org.mezzo.api.authentication.HttpAuthenticator.Result;
import org.mezzo.api.authentication.Principal;
import org.mezzo.testing.FakeDaemonContext;
import org.slf4j.LoggerFactory;

class BasicAuthenticatorTest {
  private static final String SECRET = "s3cret-of-anna";

  @TempDir Path dir;
  private final BasicAuthenticator authenticator = new BasicAuthenticator();
  private final Map<String, String> flags = new HashMap<>();
  private final Map<String, String> parameters = new HashMap<>();
  private final ListAppender<ILoggingEvent> log = new ListAppender<>();
  private int writes;

  @BeforeEach
  void listen() {
    log.start();
    ((Logger) LoggerFactory.getLogger("org.mezzo.htpasswd")).addAppender(log);
  }

  @AfterEach
  void noSecretIsLogged() {
    ((Logger) LoggerFactory.getLogger("org.mezzo.htpasswd")).detachAppender(log);
    assertThat(logged()).doesNotContain(SECRET).doesNotContain("wrong!").doesNotContain("$2y$");
  }

  @Test
  void linesOfPrincipalsAndSecrets() throws Exception {
    credentials("anna " + SECRET + "\r\n\nbert\tb:c\n");
    assertThat(scheme()).isEqualTo("Basic");
    accepted("anna", SECRET);
    accepted("bert", "b:c");
    refused("anna", "wrong!", "unknown principal or wrong password");
    refused("anna", SECRET + "x", "unknown principal or wrong password");
    refused("nobody", SECRET, "unknown principal or wrong password");
    refused("anna", "", "empty");
    refused("", SECRET, "empty");
  }

  @Test
  void jsonCredentialsNamedByAFileUri() throws Exception {
    Path file =
        write(
            "credentials.json",
            "\n {\"credentials\":[{\"principal\":\"anna b\",\"secret\":\"" + SECRET + "\"}]}");
    flags.put("credentials", "file://" + file);
    open(DaemonContext.Role.MASTER);
    accepted("anna b", SECRET);
  }

  @Test
  void agentsHaveAFlagOfTheirOwn() throws Exception {
    flags.put("credentials", write("one", "bert b\n").toString());
    flags.put("http_credentials", write("two", "anna " + SECRET + "\n").toString());
    open(DaemonContext.Role.AGENT);
    accepted("anna", SECRET);
    refused("bert", "b", "unknown");
  }

  @Test
  void hashesOfHtpasswd() throws Exception {
    byte[] secret = SECRET.getBytes(StandardCharsets.UTF_8);
    String bcrypt = BCrypt.with(BCrypt.Version.VERSION_2Y).hashToString(4, SECRET.toCharArray());
    String sha =
        Base64.getEncoder().encodeToString(MessageDigest.getInstance("SHA-1").digest(secret));
    htpasswd(
        ("# people\nbcrypt:" + bcrypt)
            + ("\nsha:{SHA}" + sha)
            + ("\nsha256:" + Sha2Crypt.sha256Crypt(secret.clone()))
            + ("\nsha512:" + Sha2Crypt.sha512Crypt(secret.clone()))
            + "\nold:$apr1$abcdefgh$1234567890123456789012\nplain:"
            + SECRET);
    for (String name : List.of("bcrypt", "sha", "sha256", "sha512")) {
      accepted(name, SECRET);
      accepted(name, SECRET);
      refused(name, "wrong!", "wrong password");
      refused(name, "", "empty");
    }
    refused("old", SECRET, "unknown");
    refused("plain", SECRET, "unknown");
    refused("bcrypt", "x".repeat(100), "wrong password");
    assertThat(logged()).contains("Line 6", "Line 7", "unsalted", "htpasswd -B");
  }

  @Test
  void aHashOfApachesOwnTool() {
    // From the documentation of Apache's password formats.
    assertThat(StoredPassword.hashed("{SHA}VBPuJHI7uixaa6LQGWx4s+5GKNE=").orElseThrow())
        .matches(password -> password.matches("myPassword".getBytes(StandardCharsets.UTF_8)));
    assertThat(
            StoredPassword.hashed("$2y$05$c4WoMPo3SXsafkva.HHa6uXQZWr7oboPiC2bT/r7q1BB8I2s0BRqC")
                .orElseThrow())
        .matches(password -> password.matches("myPassword".getBytes(StandardCharsets.UTF_8)));
  }

  @Test
  void hashesOfOpenssl() {
    byte[] password = "Hello world!".getBytes(StandardCharsets.UTF_8);
    for (String hash :
        List.of(
            "$5$saltstring$5B8vYYiY.CVt1RlTTf8KbXBH3hsxY/GNooZaBBGWEc5",
            "$6$saltstring$svn8UoSVapNtMuq1ukKS4tPQd8iKwSMHWjl/O817G3uBnIFNjnQJuesI68u4OTLiBFdcbYEd"
                + "FCoEOfaS35inz1")) {
      StoredPassword stored = StoredPassword.hashed(hash).orElseThrow();
      assertThat(stored.matches(password)).isTrue();
      assertThat(stored.matches("hello world!".getBytes(StandardCharsets.UTF_8))).isFalse();
    }
  }

  @Test
  void hashesThatTakeTooLongAreRefused() {
    assertThat(
            StoredPassword.hashed("$2y$15$c4WoMPo3SXsafkva.HHa6uXQZWr7oboPiC2bT/r7q1BB8I2s0BRqC"))
        .isEmpty();
    assertThat(StoredPassword.hashed("$5$rounds=999999999$saltstring$abc")).isEmpty();
  }

  @Test
  void malformedHeaders() throws Exception {
    credentials("anna " + SECRET);
    assertThat(ask().reason()).contains("no Authorization header");
    assertThat(ask("Bearer abc").reason()).contains("scheme Basic");
    assertThat(ask("Basic").reason()).contains("scheme Basic");
    assertThat(ask("Basic !!!").reason()).contains("base64");
    assertThat(ask(basic("anna".getBytes(StandardCharsets.UTF_8))).reason()).contains("no ':'");
    assertThat(ask(basic(new byte[] {'a', (byte) 0xff, ':', 'b'})).reason()).contains("UTF-8");
    String right = basic(("anna:" + SECRET).getBytes(StandardCharsets.UTF_8));
    assertThat(ask(right, right).reason()).contains("more than one");
    assertThat(ask(right.replace("Basic ", "bASIC  ")).principal())
        .contains(Principal.named("anna"));
  }

  @Test
  void anyPadding() throws Exception {
    credentials("anna " + SECRET);
    String bare =
        basic(("anna:" + SECRET).getBytes(StandardCharsets.UTF_8)).replaceFirst("=*$", "");
    for (String padding : List.of("", "=", "==", "===", "======", "= ")) {
      assertThat(ask(bare + padding).principal())
          .as("'%s'", padding)
          .contains(Principal.named("anna"));
    }
  }

  @Test
  void namesAndPasswordsBeyondAscii() throws Exception {
    credentials("änne pässwörd✓");
    accepted("änne", "pässwörd✓");
  }

  @Test
  void withoutAFileEverybodyIsRefused() throws Exception {
    open(DaemonContext.Role.MASTER);
    refused("anna", SECRET, "unknown");
    assertThat(logged()).contains("--credentials=FILE", "htpasswd_file");
  }

  @Test
  void aChangedFileIsReadAgain() throws Exception {
    Path file = credentials("anna old");
    accepted("anna", "old");
    write(file.getFileName().toString(), "anna " + SECRET);
    accepted("anna", SECRET);
    refused("anna", "old", "wrong password");

    write(file.getFileName().toString(), "anna has too many words");
    accepted("anna", SECRET);
    assertThat(logged()).contains("line 1 must be", "1 passwords of before stay");

    Files.delete(file);
    refused("anna", SECRET, "unknown");
    assertThat(logged()).contains("it does not exist");
    write(file.getFileName().toString(), "bert b");
    accepted("bert", "b");
  }

  @Test
  void aRememberedPasswordEndsWithItsHash() throws Exception {
    Path file =
        htpasswd(
            "anna:" + BCrypt.with(BCrypt.Version.VERSION_2Y).hashToString(4, "a".toCharArray()));
    accepted("anna", "a");
    write(
        file.getFileName().toString(),
        "anna:" + BCrypt.with(BCrypt.Version.VERSION_2Y).hashToString(4, "b".toCharArray()));
    refused("anna", "a", "wrong password");
    accepted("anna", "b");
  }

  @Test
  void permissionsThatAreTooWide() throws Exception {
    Path file = write("wide", "anna " + SECRET);
    Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rw-r--r--"));
    flags.put("credentials", file.toString());
    open(DaemonContext.Role.MASTER);
    accepted("anna", SECRET);
    assertThat(logged()).contains("may read", "chmod 600");

    write("wide", "anna " + SECRET + "2");
    Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rw-rw-rw-"));
    refused("anna", SECRET + "2", "unknown");
    assertThat(logged()).contains("may write");
  }

  @Test
  void anEmptySecretIsNone() throws Exception {
    credentials("{\"credentials\":[{\"principal\":\"anna\"}]}");
    refused("anna", SECRET, "unknown");
    assertThat(logged()).contains("entry 1 has no principal or no secret");
  }

  private Path credentials(String text) throws IOException {
    Path file = write("credentials", text);
    flags.put("credentials", file.toString());
    open(DaemonContext.Role.MASTER);
    return file;
  }

  private Path htpasswd(String text) throws IOException {
    Path file = write("htpasswd", text);
    parameters.put("htpasswd_file", file.toString());
    open(DaemonContext.Role.MASTER);
    return file;
  }

  /** Each write has a time of its own, however coarse the clock. */
  private Path write(String name, String text) throws IOException {
    Path file = Files.writeString(dir.resolve(name), text);
    Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rw-------"));
    Files.setLastModifiedTime(file, FileTime.fromMillis(1_000_000L + 10_000L * ++writes));
    return file;
  }

  private void open(DaemonContext.Role role) {
    authenticator.open(context(role));
  }

  private DaemonContext context(DaemonContext.Role role) {
    FakeDaemonContext context =
        role == DaemonContext.Role.MASTER ? FakeDaemonContext.master() : FakeDaemonContext.agent();
    return context.withFlags(flags).withParameters(parameters);
  }

  private String scheme() {
    return authenticator.scheme();
  }

  private void accepted(String name, String password) throws Exception {
    assertThat(login(name, password).principal()).contains(Principal.named(name));
  }

  private void refused(String name, String password, String reason) throws Exception {
    Result result = login(name, password);
    assertThat(result.principal()).isEqualTo(Optional.empty());
    assertThat(result.reason()).contains(reason).doesNotContain(SECRET);
  }

  private Result login(String name, String password) throws Exception {
    return ask(basic((name + ":" + password).getBytes(StandardCharsets.UTF_8)));
  }

  private Result ask(String... headers) throws Exception {
    return authenticator.authenticate(
        Request.of(
            "GET",
            "/state",
            headers.length == 0 ? Map.of() : Map.of("authorization", List.of(headers)),
            "mesos-master-readonly"));
  }

  private static String basic(byte[] text) {
    return "Basic " + Base64.getEncoder().encodeToString(text);
  }

  private String logged() {
    return log.list.stream()
        .map(ILoggingEvent::getFormattedMessage)
        .collect(Collectors.joining("\n"));
  }
}
