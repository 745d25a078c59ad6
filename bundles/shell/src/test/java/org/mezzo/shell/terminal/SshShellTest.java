package org.mezzo.shell.terminal;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.read.ListAppender;
import java.io.ByteArrayInputStream;
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
import java.util.Map;
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
import org.slf4j.LoggerFactory;

final class SshShellTest {
  private static final Duration PATIENCE = Duration.ofSeconds(60);

  private static final Map<String, Access> NEEDED =
      Map.of(
          "mezzo:greet", Access.VIEW,
          "mezzo:fail", Access.VIEW,
          "felix:lb", Access.VIEW,
          "felix:help", Access.VIEW,
          "mezzo:select", Access.OPERATE);

  @TempDir Path folder;
  private final ThreadIOImpl threadIo = new ThreadIOImpl();
  private CommandProcessorImpl processor;
  private Completions completions = Completions.NONE;
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

    public String select(String kind) {
      if (kind.equals("authorizer")) {
        Caller.current().demand(Access.ADMINISTER, "select an authorizer");
      }
      return Caller.current().principal() + " selected " + kind;
    }

    public String fail() {
      throw new IllegalStateException("no way");
    }

    public String config(String name, String... changes) {
      if (name.equals("nobody")) {
        throw new IllegalStateException("no module is called nobody, for " + changes[0]);
      }
      return name + " has " + String.join(", ", changes);
    }

    public String take() throws IOException {
      return "took "
          + new String(
              Caller.current().sent().orElseThrow().readAllBytes(), StandardCharsets.UTF_8);
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
    processor.addCommand("mezzo", new Commands(), "select");
    processor.addCommand("mezzo", new Commands(), "take");
    processor.addCommand("mezzo", new Commands(), "config");
    for (String command : List.of("install", "stop", "lb", "help")) {
      processor.addCommand("felix", new FelixCommands(), command);
    }
    processor.addCommand("mezzo", new Commands(), "install");
    known = key();
    keys = folder.resolve("authorized_keys");
    Files.writeString(keys, line("role=\"administer\" ", known, "tester"));
  }

  private static String line(String options, KeyPair key, String comment) {
    return options + PublicKeyEntry.toString(key.getPublic()) + " " + comment + "\n";
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
    return open(Access.VIEW);
  }

  private SshShell open(Access defaultRole) throws IOException {
    return SshShell.open(sessions(), completions, 0, keys.toString(), defaultRole, "");
  }

  private Sessions sessions() {
    return new Sessions(
        processor,
        (scope, function) -> NEEDED.getOrDefault(scope + ":" + function, Access.ADMINISTER),
        bundleCommands);
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
    return run(session, line, status, "");
  }

  private static String run(ClientSession session, String line, int status, String sent)
      throws Exception {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    try (ChannelExec channel = session.createExecChannel(line)) {
      channel.setOut(out);
      channel.setIn(new ByteArrayInputStream(sent.getBytes(StandardCharsets.UTF_8)));
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
  void aCommandGetsWhatIsSentWithIt() throws Exception {
    String much = "jar ".repeat(100_000);
    try (SshShell shell = open()) {
      login(
          shell,
          known,
          session -> {
            assertThat(run(session, "mezzo:take", 0, much)).isEqualTo(("took " + much).strip());
            // Nor does it disturb what does not want it.
            assertThat(run(session, "mezzo:greet Ada", 0, much)).isEqualTo("hello Ada");
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
    assertThatThrownBy(() -> SshShell.open(sessions(), Completions.NONE, 0, "", Access.VIEW, ""))
        .isInstanceOf(IOException.class)
        .hasMessageContaining("authorized keys");
  }

  @Test
  void aKeyMayDoWhatItsRoleSays() throws Exception {
    KeyPair looking = key();
    KeyPair operating = key();
    Files.writeString(
        keys,
        "# who may what\n"
            + line("role=\"view\",no-pty ", looking, "lou@desk")
            + line("role=\"operate\" ", operating, "otto the operator")
            + line("role=\"administer\" ", known, "ada"));
    try (SshShell shell = open()) {
      login(
          shell,
          looking,
          session -> {
            assertThat(run(session, "greet Ada", 0)).isEqualTo("hello Ada");
            assertThat(run(session, "lb", 0)).isEqualTo("bundles");
            assertThat(run(session, "select allocator", 1))
                .contains(
                    "needs the role operate, and your key has view",
                    "role=\"operate\" in front of the key");
          });
      login(
          shell,
          operating,
          session -> {
            assertThat(run(session, "mezzo:select allocator", 0))
                .isEqualTo("shell (otto the operator) selected allocator");
            assertThat(run(session, "select authorizer", 1))
                .contains("needs the role administer", "select an authorizer");
            assertThat(run(session, "install x.jar", 1)).contains("needs the role administer");
            assertThat(run(session, "felix:stop 7", 1)).contains("needs the role administer");
          });
      login(
          shell,
          known,
          session -> {
            assertThat(run(session, "install x.jar", 0)).isEqualTo("installed x.jar");
            assertThat(run(session, "select authorizer", 0)).contains("shell (ada) selected");
          });
    }
  }

  @Test
  void onlyAdministratorsHaveTheLanguageOfTheShell() throws Exception {
    KeyPair operating = key();
    Files.writeString(
        keys,
        line("role=\"operate\" ", operating, "otto") + line("role=\"administer\" ", known, "ada"));
    List<String> tricks =
        List.of(
            "greet Ada; install x.jar",
            "greet Ada | install x.jar",
            "greet (install x.jar)",
            "greet $(install x.jar)",
            "greet Ada && install x.jar",
            "greet Ada\ninstall x.jar",
            "greet Ada\rinstall x.jar",
            "greet \"${.commands}\"",
            "x = install",
            "$x x.jar",
            "{install x.jar}",
            "*:install x.jar",
            "\"install\" x.jar",
            "'install' x.jar",
            "in\\stall x.jar",
            ".commands",
            ".mezzo.caller principal",
            ".mezzo.caller=1");
    try (SshShell shell = open()) {
      login(
          shell,
          operating,
          session -> {
            for (String trick : tricks) {
              assertThat(run(session, trick, 1))
                  .as(trick)
                  .doesNotContain("installed", "hello")
                  .containsAnyOf("needs the role administer", "There is no command");
            }
          });
      login(
          shell,
          known,
          session ->
              assertThat(run(session, "greet (install x.jar)", 0))
                  .isEqualTo("hello installed x.jar"));
    }
  }

  @Test
  void keysWithoutARoleHaveTheDefault() throws Exception {
    Files.writeString(keys, line("", known, "ada"));
    try (SshShell shell = open()) {
      login(
          shell,
          known,
          session -> assertThat(run(session, "install x.jar", 1)).contains("your key has view"));
    }
    try (SshShell shell = open(Access.ADMINISTER)) {
      login(
          shell,
          known,
          session -> assertThat(run(session, "install x.jar", 0)).contains("installed"));
    }
  }

  @Test
  void whatTheFileSaysHoldsForThoseWhoAreIn() throws Exception {
    try (SshShell shell = open()) {
      login(
          shell,
          known,
          session -> {
            assertThat(run(session, "install x.jar", 0)).isEqualTo("installed x.jar");
            Files.writeString(keys, line("role=\"view\" ", known, "tester"));
            assertThat(run(session, "install x.jar", 1)).contains("your key has view");
            Files.writeString(keys, "");
            assertThat(run(session, "greet Ada", 1)).contains("not authorized any more");
          });
    }
  }

  @Test
  void linesThatCannotBeMeantSoLetNobodyIn() throws Exception {
    KeyPair mistyped = key();
    KeyPair limited = key();
    KeyPair twice = key();
    Files.writeString(
        keys,
        line("role=\"root\" ", mistyped, "m")
            + line("from=\"10.0.0.1\",role=\"view\" ", limited, "l")
            + line("role=\"view\",role=\"administer\" ", twice, "t")
            + "this is no key\n"
            + line("role=\"administer\" ", known, "ada"));
    try (SshShell shell = open(Access.ADMINISTER)) {
      for (KeyPair key : List.of(mistyped, limited, twice)) {
        assertThatThrownBy(() -> login(shell, key, session -> {})).isInstanceOf(IOException.class);
      }
      login(shell, known, session -> assertThat(run(session, "lb", 0)).isEqualTo("bundles"));
    }
  }

  @Test
  void aTerminalRefusesAndEverythingButLookingIsInTheAuditLog() throws Exception {
    Files.writeString(keys, line("role=\"operate\" ", known, "otto"));
    Logger audit = (Logger) LoggerFactory.getLogger("org.mezzo.shell.audit");
    ListAppender<ILoggingEvent> lines = new ListAppender<>();
    lines.start();
    audit.setLevel(Level.INFO);
    audit.addAppender(lines);
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
              for (String line : List.of("greet Ada", "select hook", "install x.jar")) {
                typed.write((line + "\r").getBytes(StandardCharsets.UTF_8));
              }
              typed.flush();
              Await.until(
                  "the refusal is shown",
                  () ->
                      out.toString(StandardCharsets.UTF_8)
                          .contains("needs the role administer, and your key has operate"));
              typed.write("exit\r".getBytes(StandardCharsets.UTF_8));
              typed.flush();
              channel.waitFor(EnumSet.of(ClientChannelEvent.CLOSED), PATIENCE);
            }
            assertThat(out.toString(StandardCharsets.UTF_8))
                .contains("hello Ada", "shell (otto) selected hook")
                .doesNotContain("installed");
          });
    } finally {
      audit.detachAppender(lines);
      audit.setLevel(null);
    }
    assertThat(lines.list).extracting(ILoggingEvent::getFormattedMessage).hasSize(2);
    assertThat(lines.list.get(0).getFormattedMessage())
        .startsWith("shell (otto) (operate) at ")
        .endsWith(": select hook");
    assertThat(lines.list.get(1).getFormattedMessage())
        .contains("shell (otto)", "was refused, administer is needed: install x.jar");
  }

  @Test
  void whatParametersAreGivenIsNotInTheAuditLog() throws Exception {
    Logger audit = (Logger) LoggerFactory.getLogger("org.mezzo.shell.audit");
    ListAppender<ILoggingEvent> lines = new ListAppender<>();
    lines.start();
    audit.setLevel(Level.INFO);
    audit.addAppender(lines);
    try (SshShell shell = open()) {
      login(
          shell,
          known,
          session -> {
            assertThat(
                    run(
                        session,
                        "mezzo:config basic password=hush1 'realm=hush2 here' --unset=zone",
                        0))
                .contains("basic has password=hush1, realm=hush2 here, --unset=zone");
            assertThat(run(session, "config nobody password=hush3", 1)).contains("no module");
          });
      Files.writeString(keys, line("role=\"operate\" ", known, "otto"));
      login(
          shell,
          known,
          session ->
              assertThat(run(session, "config basic password=hush4", 1)).contains("administer"));
    } finally {
      audit.detachAppender(lines);
      audit.setLevel(null);
    }
    assertThat(lines.list)
        .extracting(ILoggingEvent::getFormattedMessage)
        .noneMatch(line -> line.contains("hush") || line.contains("here"))
        .anyMatch(line -> line.endsWith("mezzo:config basic password=... realm=... --unset=zone"))
        .anyMatch(
            line -> line.endsWith("config nobody password=...: failed: who called was told why"))
        .anyMatch(line -> line.contains("was refused") && line.contains("password=..."));
  }

  @Test
  void theTabKeyCompletesArgumentsOfCommandsThatCanBeUsed() throws Exception {
    Files.writeString(keys, line("role=\"view\" ", known, "lou"));
    completions =
        (words, begun) ->
            switch (words.get(0)) {
              case "greet" -> List.of("framework-0001", "stranger");
              case "install" -> List.of("secret.jar");
              default -> List.of();
            };
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
              for (String line : List.of("install s\t\r", "mezzo:greet fra\t\r")) {
                typed.write(line.getBytes(StandardCharsets.UTF_8));
              }
              typed.flush();
              Await.until(
                  "the completed command is run",
                  () -> out.toString(StandardCharsets.UTF_8).contains("hello framework-0001"));
            }
            assertThat(out.toString(StandardCharsets.UTF_8)).doesNotContain("secret");
          });
    }
  }
}
