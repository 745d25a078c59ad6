package org.mezzo.shell.terminal;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PipedInputStream;
import java.io.PipedOutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.spec.ECGenParameterSpec;
import java.time.Duration;
import java.util.EnumSet;
import java.util.List;
import org.apache.felix.gogo.runtime.CommandProcessorImpl;
import org.apache.felix.gogo.runtime.threadio.ThreadIOImpl;
import org.apache.sshd.client.SshClient;
import org.apache.sshd.client.channel.ChannelExec;
import org.apache.sshd.client.channel.ChannelShell;
import org.apache.sshd.client.channel.ClientChannelEvent;
import org.apache.sshd.client.keyverifier.AcceptAllServerKeyVerifier;
import org.apache.sshd.client.session.ClientSession;
import org.apache.sshd.common.config.keys.PublicKeyEntry;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.mezzo.fixtures.Await;

final class SshShellTest {
  private static final Duration PATIENCE = Duration.ofSeconds(60);

  @TempDir Path folder;
  private final ThreadIOImpl threadIo = new ThreadIOImpl();
  private CommandProcessorImpl processor;
  private boolean bundleCommands;
  private KeyPair known;
  private Path keys;

  /** Commands for the tests. */
  public static final class Commands {
    public String greet(String name) {
      return "hello " + name;
    }

    public String install(String file) {
      return "installed " + file;
    }

    public String fail() {
      throw new IllegalStateException("no way");
    }
  }

  /** Like those of Felix. */
  public static final class FelixCommands {
    public String install(String location) {
      return "changed";
    }

    public String stop(String bundle) {
      return "changed";
    }

    public String lb() {
      return "bundles";
    }

    public String help(String command) {
      return "how to use " + command;
    }
  }

  @BeforeEach
  void commands() throws Exception {
    threadIo.start();
    processor = new CommandProcessorImpl(threadIo);
    processor.addCommand("mezzo", new Commands(), "greet");
    processor.addCommand("mezzo", new Commands(), "fail");
    for (String command : List.of("install", "stop", "lb", "help")) {
      processor.addCommand("felix", new FelixCommands(), command);
    }
    processor.addCommand("mezzo", new Commands(), "install");
    known = key();
    keys = folder.resolve("authorized_keys");
    Files.writeString(keys, PublicKeyEntry.toString(known.getPublic()) + " tester\n");
  }

  @AfterEach
  void stop() {
    threadIo.stop();
  }

  private static KeyPair key() throws Exception {
    KeyPairGenerator generator = KeyPairGenerator.getInstance("EC");
    generator.initialize(new ECGenParameterSpec("secp256r1"));
    return generator.generateKeyPair();
  }

  private SshShell open() throws IOException {
    return SshShell.open(
        new Sessions(processor, bundleCommands), Completions.NONE, 0, keys.toString(), "");
  }

  private interface Use {
    void with(ClientSession session) throws Exception;
  }

  private void login(SshShell shell, KeyPair key, Use use) throws Exception {
    try (SshClient client = SshClient.setUpDefaultClient()) {
      client.setServerKeyVerifier(AcceptAllServerKeyVerifier.INSTANCE);
      client.start();
      try (ClientSession session =
          client.connect("op", "127.0.0.1", shell.port()).verify(PATIENCE).getSession()) {
        session.addPublicKeyIdentity(key);
        session.auth().verify(PATIENCE);
        use.with(session);
      }
    }
  }

  private static String run(ClientSession session, String line, int status) throws Exception {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    try (ChannelExec channel = session.createExecChannel(line)) {
      channel.setOut(out);
      channel.open().verify(PATIENCE);
      channel.waitFor(EnumSet.of(ClientChannelEvent.CLOSED), PATIENCE);
      assertThat(channel.getExitStatus()).isEqualTo(status);
    }
    return out.toString(StandardCharsets.UTF_8).strip();
  }

  @Test
  void runsOneCommandForAKnownKey() throws Exception {
    try (SshShell shell = open()) {
      login(
          shell,
          known,
          session -> {
            assertThat(run(session, "mezzo:greet Ada", 0)).isEqualTo("hello Ada");
            assertThat(run(session, "mezzo:fail", 1)).contains("no way");
            assertThat(run(session, "nonsense", 1)).contains("nonsense");
          });
    }
  }

  @Test
  void commandsThatChangeBundlesBehindTheBackOfDeploymentAreOffUnlessAskedFor() throws Exception {
    try (SshShell shell = open()) {
      login(
          shell,
          known,
          session -> {
            assertThat(run(session, "install x.jar", 0)).isEqualTo("installed x.jar");
            for (String line : List.of("felix:install x.jar", "felix:stop 7", "stop 7")) {
              assertThat(run(session, line, 1))
                  .contains("is off: it would change bundles", "--shell_bundle_commands");
            }
            assertThat(run(session, "lb", 0)).isEqualTo("bundles");
          });
    }
    bundleCommands = true;
    try (SshShell shell = open()) {
      login(
          shell,
          known,
          session -> {
            assertThat(run(session, "felix:stop 7", 0)).isEqualTo("changed");
            assertThat(run(session, "install x.jar", 0)).isEqualTo("installed x.jar");
          });
    }
  }

  @Test
  void whoCallsACommandWronglyIsToldHowItIsCalled() throws Exception {
    try (SshShell shell = open()) {
      login(
          shell,
          known,
          session -> {
            assertThat(run(session, "mezzo:greet", 1))
                .isEqualTo("Error: mezzo:greet is not called so.\nhow to use mezzo:greet");
            assertThat(run(session, "greet a b c", 1)).contains("how to use greet");
          });
    }
  }

  @Test
  void servesATerminal() throws Exception {
    try (SshShell shell = open()) {
      login(
          shell,
          known,
          session -> {
            ByteArrayOutputStream out = new ByteArrayOutputStream();
            PipedOutputStream typed = new PipedOutputStream();
            try (ChannelShell channel = session.createShellChannel()) {
              channel.setPtyType("xterm");
              channel.setIn(new PipedInputStream(typed));
              channel.setOut(out);
              channel.open().verify(PATIENCE);
              typed.write("greet Ada\r".getBytes(StandardCharsets.UTF_8));
              typed.flush();
              Await.until(
                  "the answer is shown",
                  () -> out.toString(StandardCharsets.UTF_8).contains("hello Ada"));
              typed.write("exit\r".getBytes(StandardCharsets.UTF_8));
              typed.flush();
              assertThat(channel.waitFor(EnumSet.of(ClientChannelEvent.CLOSED), PATIENCE))
                  .contains(ClientChannelEvent.CLOSED);
            }
          });
    }
  }

  @Test
  void refusesAnUnknownKey() throws Exception {
    KeyPair unknown = key();
    try (SshShell shell = open()) {
      assertThatThrownBy(() -> login(shell, unknown, session -> {}))
          .isInstanceOf(IOException.class);
    }
  }

  @Test
  void keepsItsHostKeyToItself() throws Exception {
    open().close();
    Path hostKey = folder.resolve("mezzo_host_key");
    assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(hostKey)))
        .isEqualTo("rw-------");
    byte[] first = Files.readAllBytes(hostKey);
    open().close();
    assertThat(Files.readAllBytes(hostKey)).isEqualTo(first);
    try (var files = Files.list(folder)) {
      assertThat(files).hasSize(2);
    }
  }

  @Test
  void needsAFileOfKeys() {
    assertThatThrownBy(
            () ->
                SshShell.open(new Sessions(processor, bundleCommands), Completions.NONE, 0, "", ""))
        .isInstanceOf(IOException.class)
        .hasMessageContaining("authorized keys");
  }
}
