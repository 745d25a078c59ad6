package org.mezzo.link;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.InputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyStore;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.TrustManagerFactory;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.mezzo.http.ConnectorOptions;
import org.mezzo.http.HttpConnector;
import org.mezzo.http.JettyConnectors;
import org.mezzo.link.messages.AgentCall;
import org.mezzo.link.messages.Hello;
import org.mezzo.link.messages.MasterEvent;
import org.mezzo.link.messages.Ping;
import org.mezzo.link.messages.Refusal;
import org.mezzo.link.messages.Welcome;

class TlsLinkTest {
  @TempDir Path dir;

  @Test
  void linkIsOpenedOverTlsToAMasterThatIsTrustedOnly() throws Exception {
    SSLContext trusted = context("localhost");
    SSLContext stranger = context("localhost");
    LinkedBlockingQueue<LinkServer.Session> sessions = new LinkedBlockingQueue<>();
    try (Links.Server server = Links.server();
        Links.Client client = Links.client();
        HttpConnector connector =
            new JettyConnectors()
                .open(
                    new ConnectorOptions(
                        "test",
                        InetAddress.getLoopbackAddress(),
                        0,
                        Optional.of(trusted),
                        8,
                        Duration.ofSeconds(30)),
                    server.handler((session, hello, principal) -> sessions.add(session)))) {
      InetSocketAddress address =
          InetSocketAddress.createUnresolved("localhost", connector.address().getPort());
      Agent agent = new Agent();
      client.connect(address, Optional.of(trusted), Hello.getDefaultInstance(), agent);
      LinkServer.Session session = sessions.poll(60, TimeUnit.SECONDS);
      assertThat(session).isNotNull();
      session.accept(Welcome.getDefaultInstance(), new Silent());
      session.send(MasterEvent.newBuilder().setPing(Ping.newBuilder().setSequence(3)));
      assertThat(agent.next()).isInstanceOf(Welcome.class);
      assertThat(((MasterEvent) agent.next()).getPing().getSequence()).isEqualTo(3);

      Agent suspicious = new Agent();
      client.connect(address, Optional.of(stranger), Hello.getDefaultInstance(), suspicious);
      assertThat(suspicious.next().toString()).startsWith("closed: ");
      assertThat(sessions).isEmpty();
    }
  }

  /** Has a certificate of its own and trusts no other. */
  private SSLContext context(String host) throws Exception {
    Path store = Files.createTempFile(dir, "keys", ".p12");
    Files.delete(store);
    Process keytool =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "keytool").toString(),
                "-genkeypair",
                "-alias",
                "master",
                "-keyalg",
                "EC",
                "-dname",
                "CN=" + host,
                "-ext",
                "SAN=dns:" + host,
                "-storepass",
                "password",
                "-keystore",
                store.toString())
            .redirectErrorStream(true)
            .start();
    String said = new String(keytool.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertThat(keytool.waitFor()).as(said).isZero();
    KeyStore keys = KeyStore.getInstance("PKCS12");
    try (InputStream in = Files.newInputStream(store)) {
      keys.load(in, "password".toCharArray());
    }
    KeyStore trust = KeyStore.getInstance("PKCS12");
    trust.load(null, null);
    trust.setCertificateEntry("master", keys.getCertificate("master"));
    KeyManagerFactory own = KeyManagerFactory.getInstance(KeyManagerFactory.getDefaultAlgorithm());
    own.init(keys, "password".toCharArray());
    TrustManagerFactory others =
        TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
    others.init(trust);
    SSLContext context = SSLContext.getInstance("TLS");
    context.init(own.getKeyManagers(), others.getTrustManagers(), null);
    return context;
  }

  private static final class Silent implements LinkServer.Listener {
    @Override
    public void call(AgentCall call) {
      throw new AssertionError("nobody calls");
    }

    @Override
    public void closed(String reason) {
      assertThat(reason).isNotEmpty();
    }
  }

  private static final class Agent implements LinkClient.Listener {
    private final LinkedBlockingQueue<Object> seen = new LinkedBlockingQueue<>();

    Object next() throws Exception {
      Object what = seen.poll(60, TimeUnit.SECONDS);
      assertThat(what).as("something").isNotNull();
      return what;
    }

    @Override
    public void opened(Welcome welcome) {
      seen.add(welcome);
    }

    @Override
    public void refused(Refusal refusal) {
      seen.add(refusal);
    }

    @Override
    public void event(MasterEvent event) {
      seen.add(event);
    }

    @Override
    public void closed(String reason) {
      seen.add("closed: " + reason);
    }
  }
}
