package com.example;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.unboundid.ldap.listener.InMemoryDirectoryServer;
import com.unboundid.ldap.sdk.LDAPException;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.mezzo.api.authentication.HttpAuthenticator.Request;
import org.mezzo.api.authentication.HttpAuthenticator.Result;
import org.mezzo.testing.FakeDaemonContext;

class LdapAuthenticatorTest {
  private static LdapAuthenticator open(Map<String, String> parameters) throws Exception {
    LdapAuthenticator authenticator = new LdapAuthenticator();
    authenticator.open(FakeDaemonContext.master().withParameters(parameters));
    return authenticator;
  }

  private static Result ask(LdapAuthenticator authenticator, String pair) throws Exception {
    return authenticator.authenticate(
        Request.of(
            "GET",
            "/state",
            Map.of("authorization", List.of(LdapAuthenticatorContractTest.header(pair))),
            "mezzo-master"));
  }

  @Test
  void refusesWhileTheDirectoryIsDownAndSaysSo() throws Exception {
    InMemoryDirectoryServer directory = People.directory();
    directory.startListening();
    int port = directory.getListenPort();
    LdapAuthenticator authenticator =
        open(Map.of("url", "ldap://127.0.0.1:" + port, "base", People.BASE));
    try {
      assertThat(ask(authenticator, "anna:s3cret-1").principal()).isPresent();
      directory.shutDown(true);
      assertThatThrownBy(() -> ask(authenticator, "anna:s3cret-1"))
          .isInstanceOf(LDAPException.class)
          .hasMessageNotContaining("s3cret");
      assertThat(authenticator.health())
          .hasValueSatisfying(it -> assertThat(it).contains("does not answer"));

      directory.startListening();
      authenticator.close();
    } finally {
      directory.shutDown(true);
    }
  }

  @Test
  void opensThoughTheDirectoryIsDown() throws Exception {
    LdapAuthenticator authenticator =
        open(Map.of("url", "ldap://127.0.0.1:1", "base", People.BASE));
    assertThat(authenticator.health()).isEqualTo(Optional.empty());
    authenticator.close();
  }

  @Test
  void saysWhichParameterIsMissingOrWrong() {
    assertThatThrownBy(() -> open(Map.of("base", People.BASE))).hasMessageContaining("'url'");
    assertThatThrownBy(() -> open(Map.of("url", "ldap://127.0.0.1")))
        .hasMessageContaining("'base'");
    assertThatThrownBy(() -> open(Map.of("url", "http://127.0.0.1", "base", People.BASE)))
        .hasMessageContaining("ldaps://HOST:PORT");
    assertThatThrownBy(() -> open(Map.of("url", "ldap://192.0.2.1", "base", People.BASE)))
        .hasMessageContaining("in clear");
  }
}
