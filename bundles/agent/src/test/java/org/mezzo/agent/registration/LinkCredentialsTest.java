package org.mezzo.agent.registration;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.mezzo.api.DaemonContext.Role;
import org.mezzo.api.authenticatee.Authenticatee;
import org.mezzo.api.authenticatee.Credentials;
import org.mezzo.daemon.metrics.MetricsRegistry;
import org.mezzo.modules.Kinds;
import org.mezzo.modules.local.LocalModules;
import org.mezzo.protocol.v1.MasterInfo;

class LinkCredentialsTest {
  private static final MasterInfo MASTER =
      MasterInfo.newBuilder().setId("m").setIp(0).setPort(5050).setHostname("h").build();

  private final LocalModules modules = new LocalModules();
  private final MetricsRegistry metrics = new MetricsRegistry();
  private volatile Authenticatee now = master -> Credentials.NONE;

  @AfterEach
  void close() {
    modules.close();
  }

  private LinkCredentials credentials() {
    return new LinkCredentials(
        modules.of(LocalModules.daemon("agent", Role.AGENT, Path.of("/nowhere"))),
        "vault",
        Runnable::run,
        metrics);
  }

  private LinkCredentials installed() throws Exception {
    modules.register(
        Kinds.AUTHENTICATEE, "vault", (Authenticatee) master -> now.authenticate(master));
    LinkCredentials credentials = credentials();
    modules.awaitHolders();
    return credentials;
  }

  private static Map<String, String> shown(LinkCredentials credentials) throws Exception {
    return credentials.of(MASTER).get(60, TimeUnit.SECONDS);
  }

  private double failed() {
    return metrics.snapshot().get("slave/mezzo/authentications_failed");
  }

  @Test
  void showsWhatFitsAHeader() throws Exception {
    try (LinkCredentials credentials = installed()) {
      assertThat(shown(credentials)).isEmpty();
      Map<String, String> most = new LinkedHashMap<>();
      for (int i = 0; i < Credentials.MOST_FIELDS; i++) {
        most.put("X-" + (char) ('a' + i), "! ~");
      }
      int rest = Credentials.MOST_BYTES - 6 * Credentials.MOST_FIELDS;
      most.put("X-a", "! ~" + "x".repeat(rest));
      now = master -> Credentials.of(most);
      assertThat(shown(credentials)).isEqualTo(most);
      assertThat(failed()).isZero();
      most.put("X-a", "! ~" + "x".repeat(rest + 1));
      assertThatThrownBy(() -> shown(credentials)).hasMessageContaining("16385 bytes, and may");
      most.put("X-a", "! ~");
      most.put("one-more", "x");
      assertThatThrownBy(() -> shown(credentials)).hasMessageContaining("17 header fields");
    }
  }

  @Test
  void refusesWhatIsNoHeaderAndNeverTellsIt() throws Exception {
    try (LinkCredentials credentials = installed()) {
      List<Map<String, String>> lies =
          List.of(
              Map.of("Authorization", ""),
              Map.of("Authorization", "hush\r\nX-Evil: 1"),
              Map.of("Authorization", "hush\n"),
              Map.of("Authorization", " hush"),
              Map.of("Authorization", "hush "),
              Map.of("Authorization", "hush\0"),
              Map.of("Authorization", "hush\u007f"),
              Map.of("Authorization", "h\u00fcsh"),
              Map.of("", "hush"),
              Map.of("Authorization: hush", "x"),
              Map.of("hush\r\nX", "x"),
              Map.of(":path", "/hush"),
              Map.of("h\u00fcsh", "x"),
              Map.of("Host", "hush"),
              Map.of("content-LENGTH", "0"),
              Map.of("Transfer-Encoding", "chunked"),
              Map.of("Authorization", "hush", "authorization", "hush"));
      for (Map<String, String> lie : lies) {
        double before = failed();
        now = master -> Credentials.of(lie);
        assertThatThrownBy(() -> shown(credentials))
            .cause()
            .isInstanceOf(IOException.class)
            .hasMessageContainingAll(
                "authenticatee 'vault' answers", "header field", "give --authenticatee another")
            .message()
            .doesNotContain("hush");
        assertThat(failed()).isEqualTo(before + 1);
      }
      Map<String, String> holes = new LinkedHashMap<>();
      holes.put("Authorization", null);
      now = master -> Credentials.of(holes);
      assertThatThrownBy(() -> shown(credentials)).hasMessageContaining("is empty");
      assertThat(Credentials.of(Map.of("Authorization", "hush")).toString())
          .contains("Authorization")
          .doesNotContain("hush");
    }
  }

  @Test
  void saysWhyThereIsNothingToShow() throws Exception {
    try (LinkCredentials credentials = credentials()) {
      assertThatThrownBy(() -> shown(credentials))
          .cause()
          .hasMessage(
              "authenticatee 'vault' is not available; install its module or give --authenticatee"
                  + " another one");
    }
    try (LinkCredentials credentials = installed()) {
      now =
          master -> {
            throw new IOException("the vault is sealed");
          };
      assertThatThrownBy(() -> shown(credentials))
          .cause()
          .hasMessage("authenticatee 'vault' failed: the vault is sealed");
      now = master -> null;
      assertThatThrownBy(() -> shown(credentials))
          .hasMessageContaining("authenticatee 'vault' failed: authenticate returned null");
      assertThat(failed()).isEqualTo(3);
    }
  }
}
