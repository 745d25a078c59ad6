package org.mezzo.shell.terminal;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.PosixFileAttributeView;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.PublicKey;
import java.util.List;
import org.apache.sshd.common.AttributeRepository.AttributeKey;
import org.apache.sshd.common.keyprovider.KeyPairProvider;
import org.apache.sshd.server.Environment;
import org.apache.sshd.server.ExitCallback;
import org.apache.sshd.server.SshServer;
import org.apache.sshd.server.auth.pubkey.UserAuthPublicKeyFactory;
import org.apache.sshd.server.channel.ChannelSession;
import org.apache.sshd.server.command.Command;
import org.apache.sshd.server.keyprovider.SimpleGeneratorHostKeyProvider;
import org.apache.sshd.server.session.ServerSession;
import org.jline.builtins.ssh.ShellFactoryImpl;
import org.jline.builtins.ssh.Ssh;
import org.jline.terminal.Terminal;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** A shell over SSH on loopback, for those who have an authorized key. */
final class SshShell implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(SshShell.class);
  private static final String LOOPBACK = "127.0.0.1";
  private static final AttributeKey<PublicKey> KEY = new AttributeKey<>();

  private final SshServer server;

  private SshShell(SshServer server) {
    this.server = server;
  }

  /**
   * Listens from now on.
   *
   * @param defaultRole what holders of keys may do that have no role in the file
   * @param hostKeyFile empty for the default beside the authorized keys
   * @throws IOException when it cannot; with a message for operators
   */
  static SshShell open(
      Sessions sessions,
      Completions completions,
      int port,
      String authorizedKeys,
      Access defaultRole,
      String hostKeyFile)
      throws IOException {
    if (authorizedKeys.isBlank() || !Files.isReadable(Path.of(authorizedKeys))) {
      throw new IOException(
          "SSH needs a readable file of authorized keys, but '"
              + authorizedKeys
              + "' is none; name one, for example ~/.ssh/authorized_keys, or leave SSH off");
    }
    Path keys = Path.of(authorizedKeys).toAbsolutePath();
    Path hostKey =
        hostKeyFile.isBlank() ? keys.resolveSibling("mezzo_host_key") : Path.of(hostKeyFile);
    // The server looks for its transport through the context class loader.
    ClassLoader before = Thread.currentThread().getContextClassLoader();
    Thread.currentThread().setContextClassLoader(SshServer.class.getClassLoader());
    try {
      SshServer server = SshServer.setUpDefaultServer();
      server.setHost(LOOPBACK);
      server.setPort(port);
      server.setKeyPairProvider(hostKey(hostKey.toAbsolutePath()));
      server.setUserAuthFactories(List.of(UserAuthPublicKeyFactory.INSTANCE));
      AuthorizedKeys authorized = new AuthorizedKeys(keys, defaultRole);
      // Asked for the last time about the key with which somebody gets in.
      server.setPublickeyAuthenticator(
          (user, key, session) -> {
            session.setAttribute(KEY, key);
            return authorized.find(key).isPresent();
          });
      ShellFactoryImpl shells =
          new ShellFactoryImpl(
              params ->
                  interactive(
                      sessions, completions, params, caller(authorized, params.getSession())));
      server.setShellFactory(channel -> new WithLoader(shells.createShell(channel)));
      server.setCommandFactory(
          (channel, line) ->
              new OneLine(sessions, line, caller(authorized, channel.getServerSession())));
      server.start();
      LOG.info(
          "The shell is at ssh -p {} {} for those who have a key in {}",
          server.getPort(),
          LOOPBACK,
          keys);
      return new SshShell(server);
    } finally {
      Thread.currentThread().setContextClassLoader(before);
    }
  }

  /** Whoever has got in; who may do what the file says of the key at the moment. */
  private static Caller caller(AuthorizedKeys authorized, ServerSession session) {
    PublicKey key = session.getAttribute(KEY);
    return new Caller(
        "shell ("
            + authorized.find(key).map(AuthorizedKeys.Holder::name).orElse("a former key")
            + ")",
        String.valueOf(session.getClientAddress()),
        () -> authorized.find(key).map(AuthorizedKeys.Holder::access));
  }

  private static void interactive(
      Sessions sessions, Completions completions, Ssh.ShellParams params, Caller caller) {
    Repl.run(sessions, params.getTerminal(), completions, caller);
    params.getCloser().run();
  }

  /** The server's key; made in a directory that nobody else can enter, then put in its place. */
  private static KeyPairProvider hostKey(Path file) throws IOException {
    if (!Files.exists(file)) {
      Path hidden = Files.createTempDirectory(file.getParent(), ".mezzo");
      try {
        Path made = hidden.resolve("key");
        generator(made).loadKeys(null);
        if (Files.getFileAttributeView(made, PosixFileAttributeView.class) != null) {
          Files.setPosixFilePermissions(made, PosixFilePermissions.fromString("rw-------"));
        }
        Files.move(made, file, StandardCopyOption.ATOMIC_MOVE);
      } finally {
        Files.deleteIfExists(hidden);
      }
    }
    return generator(file);
  }

  private static SimpleGeneratorHostKeyProvider generator(Path file) {
    SimpleGeneratorHostKeyProvider provider = new SimpleGeneratorHostKeyProvider(file);
    provider.setAlgorithm("EC");
    provider.setKeySize(256);
    return provider;
  }

  int port() {
    return server.getPort();
  }

  @Override
  public void close() {
    try {
      server.stop(true);
    } catch (IOException e) {
      LOG.debug("The SSH server does not stop in order", e);
    }
  }

  /** One command line, as in {@code ssh host mezzo:modules}. */
  private static final class OneLine implements Command {
    private final Sessions sessions;
    private final String line;
    private final Caller caller;
    private InputStream in;
    private OutputStream out;
    private ExitCallback exit;

    OneLine(Sessions sessions, String line, Caller caller) {
      this.caller = caller;
      this.sessions = sessions;
      this.line = line;
    }

    @Override
    public void setInputStream(InputStream in) {
      this.in = in;
    }

    @Override
    public void setOutputStream(OutputStream out) {
      this.out = out;
    }

    @Override
    public void setErrorStream(OutputStream err) {}

    @Override
    public void setExitCallback(ExitCallback callback) {
      exit = callback;
    }

    @Override
    public void start(ChannelSession channel, Environment environment) {
      Thread thread =
          new Thread(
              () -> exit.onExit(Repl.runOnce(sessions, line, out, caller.sending(in))),
              "mezzo-ssh-command");
      thread.setDaemon(true);
      thread.setContextClassLoader(null);
      thread.start();
    }

    @Override
    public void destroy(ChannelSession channel) {}
  }

  /** Runs JLine's command under JLine's class loader, by which it finds its terminals. */
  private static final class WithLoader implements Command {
    private final Command command;

    WithLoader(Command command) {
      this.command = command;
    }

    private interface Step {
      void run() throws IOException, Exception;
    }

    private static void with(Step step) throws IOException {
      ClassLoader before = Thread.currentThread().getContextClassLoader();
      Thread.currentThread().setContextClassLoader(Terminal.class.getClassLoader());
      try {
        step.run();
      } catch (IOException | RuntimeException e) {
        throw e;
      } catch (Exception e) {
        throw new IOException(e);
      } finally {
        Thread.currentThread().setContextClassLoader(before);
      }
    }

    @Override
    public void setInputStream(InputStream in) {
      command.setInputStream(in);
    }

    @Override
    public void setOutputStream(OutputStream out) {
      command.setOutputStream(out);
    }

    @Override
    public void setErrorStream(OutputStream err) {
      command.setErrorStream(err);
    }

    @Override
    public void setExitCallback(ExitCallback callback) {
      command.setExitCallback(callback);
    }

    @Override
    public void start(ChannelSession channel, Environment environment) throws IOException {
      with(() -> command.start(channel, environment));
    }

    @Override
    public void destroy(ChannelSession channel) throws Exception {
      with(() -> command.destroy(channel));
    }
  }
}
