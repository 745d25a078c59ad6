package com.example;

import com.unboundid.ldap.listener.InMemoryDirectoryServer;
import com.unboundid.ldap.sdk.LDAPConnection;
import com.unboundid.ldap.sdk.LDAPConnectionOptions;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.mezzo.api.authentication.HttpAuthenticator;
import org.mezzo.testing.FakeDaemonContext;
import org.mezzo.testing.contract.HttpAuthenticatorContract;

class LdapAuthenticatorContractTest extends HttpAuthenticatorContract {
  private static InMemoryDirectoryServer directory;

  /** As long as one connection is open, the library has a timer for all of them. */
  private static LDAPConnection open;

  @BeforeAll
  static void start() throws Exception {
    directory = People.directory();
    directory.startListening();
    LDAPConnectionOptions options = new LDAPConnectionOptions();
    options.setUseSynchronousMode(true);
    open = new LDAPConnection(options, "127.0.0.1", directory.getListenPort());
    open.bind("uid=anna," + People.BASE, "s3cret-1");
  }

  @AfterAll
  static void stop() {
    open.close();
    directory.shutDown(true);
  }

  @Override
  protected HttpAuthenticator module() {
    return new LdapAuthenticator();
  }

  @Override
  protected FakeDaemonContext context(FakeDaemonContext plain) {
    return plain.withParameters(
        Map.of("url", "ldap://127.0.0.1:" + directory.getListenPort(), "base", People.BASE));
  }

  @Override
  protected Map<String, String> accepted() {
    return Map.of("anna", header("anna:s3cret-1"), "bert", header("bert:s3:cret-2"));
  }

  @Override
  protected List<String> refused() {
    return List.of(
        header("anna:s3:cret-2"),
        header("nobody:s3cret-1"),
        header("anna:"),
        header("Anna:s3cret-1"),
        header("*:s3cret-1"),
        header("anna,ou=people:s3cret-1"));
  }

  static String header(String pair) {
    return "Basic " + Base64.getEncoder().encodeToString(pair.getBytes(StandardCharsets.UTF_8));
  }
}
