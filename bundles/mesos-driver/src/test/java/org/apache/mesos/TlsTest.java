package org.apache.mesos;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyStore;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import org.apache.mesos.v1.Protos.AgentInfo;
import org.apache.mesos.v1.Protos.CommandInfo;
import org.apache.mesos.v1.Protos.ExecutorID;
import org.apache.mesos.v1.Protos.ExecutorInfo;
import org.apache.mesos.v1.Protos.FrameworkInfo;
import org.apache.mesos.v1.executor.Protos.Event;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.mezzo.fixtures.Await;

/** What the other side shows is verified, as the variables of libprocess say. */
@Timeout(60)
class TlsTest {
  private static final String PASSWORD = "changeit";

  @TempDir Path folder;
  private final ToldExecutor executor = new ToldExecutor();
  private final MesosExecutorDriver driver = new MesosExecutorDriver(executor);
  private final CountDownLatch ended = new CountDownLatch(1);
  private final Map<String, String> environment = new HashMap<>();
  private ScriptedServer agent;

  @BeforeEach
  void open() throws Exception {
    agent = secured("agent", "IP:127.0.0.1");
    environment.put("MESOS_FRAMEWORK_ID", "f-1");
    environment.put("MESOS_EXECUTOR_ID", "e-1");
    environment.put("MESOS_CHECKPOINT", "1");
    environment.put("LIBPROCESS_SSL_ENABLED", "true");
  }

  @AfterEach
  void close() throws Exception {
    ended.countDown();
    driver.abort();
    agent.close();
  }

  private void tool(String... arguments) throws Exception {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "keytool").toString());
    command.addAll(List.of(arguments));
    command.addAll(List.of("-storepass", PASSWORD));
    Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
    String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertThat(process.waitFor()).as(said).isZero();
  }

  /** An agent with a certificate of its own making, which is in a file of that name, too. */
  private ScriptedServer secured(String name, String who) throws Exception {
    String keys = folder.resolve(name + ".p12").toString();
    tool(
        "-genkeypair",
        "-alias",
        "me",
        "-keyalg",
        "EC",
        "-dname",
        "CN=" + name,
        "-ext",
        "san=" + who,
        "-keystore",
        keys);
    tool(
        "-exportcert",
        "-rfc",
        "-alias",
        "me",
        "-keystore",
        keys,
        "-file",
        folder.resolve(name + ".pem").toString());
    KeyStore store = KeyStore.getInstance("PKCS12");
    try (InputStream in = Files.newInputStream(Path.of(keys))) {
      store.load(in, PASSWORD.toCharArray());
    }
    KeyManagerFactory managers =
        KeyManagerFactory.getInstance(KeyManagerFactory.getDefaultAlgorithm());
    managers.init(store, PASSWORD.toCharArray());
    SSLContext context = SSLContext.getInstance("TLS");
    context.init(managers.getKeyManagers(), null, null);
    return ScriptedServer.agent(context.getServerSocketFactory())
        .then(
            subscription -> {
              subscription.open();
              subscription.events(subscribed());
              ended.await();
            });
  }

  private static byte[] subscribed() {
    return Event.newBuilder()
        .setType(Event.Type.SUBSCRIBED)
        .setSubscribed(
            Event.Subscribed.newBuilder()
                .setExecutorInfo(
                    ExecutorInfo.newBuilder()
                        .setExecutorId(ExecutorID.newBuilder().setValue("e-1"))
                        .setCommand(CommandInfo.newBuilder().setValue("x")))
                .setFrameworkInfo(FrameworkInfo.newBuilder().setUser("u").setName("tested"))
                .setAgentInfo(AgentInfo.newBuilder().setHostname("h")))
        .build()
        .toByteArray();
  }

  private void start() {
    environment.put("MESOS_SLAVE_PID", "slave(1)@" + agent.address());
    assertThat(driver.start(environment)).isEqualTo(Protos.Status.DRIVER_RUNNING);
  }

  private void trust(String name) {
    environment.put("LIBPROCESS_SSL_CA_FILE", folder.resolve(name + ".pem").toString());
  }

  private void assertIsLeft() {
    Await.until("the driver has left twice", () -> agent.left.get() >= 2);
    assertThat(agent.subscriptions).isEmpty();
    assertThat(executor.told).isEmpty();
  }

  @Test
  void whoIsTrustedIsTalkedTo() throws Exception {
    trust("agent");
    start();
    assertThat(executor.next()).isEqualTo("registered e-1 of tested on h");
    driver.sendFrameworkMessage(new byte[] {7});
    assertThat(agent.call().path()).isEqualTo("/api/v1/executor");
  }

  @Test
  void whoNobodyVouchesForIsLeft() throws Exception {
    start();
    assertIsLeft();
  }

  @Test
  void whoSomebodyElseVouchesForIsLeft() throws Exception {
    secured("other", "IP:127.0.0.1").close();
    trust("other");
    start();
    assertIsLeft();
  }

  @Test
  void whoShowsTheCertificateOfAnotherHostIsLeft() throws Exception {
    agent.close();
    agent = secured("elsewhere", "DNS:elsewhere.example");
    trust("elsewhere");
    start();
    assertIsLeft();
  }

  @Test
  void whoAsksNotToVerifyTalksToAnybody() throws Exception {
    environment.put("LIBPROCESS_SSL_VERIFY_SERVER_CERT", "false");
    start();
    assertThat(executor.next()).isEqualTo("registered e-1 of tested on h");
    assertThat(agent.subscriptions.poll(30, TimeUnit.SECONDS)).isNotNull();
  }

  @Test
  void aFileThatCannotBeUsedIsSaidToBe() throws Exception {
    environment.put("MESOS_SLAVE_PID", "slave(1)@" + agent.address());
    Files.writeString(folder.resolve("nonsense.pem"), "nonsense");
    trust("nonsense");
    assertThat(driver.start(environment)).isEqualTo(Protos.Status.DRIVER_ABORTED);
    assertThat(executor.next())
        .startsWith("error TLS cannot be set up")
        .contains("LIBPROCESS_SSL_CA_FILE");
  }
}
