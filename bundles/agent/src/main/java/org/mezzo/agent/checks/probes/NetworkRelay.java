package org.mezzo.agent.checks.probes;

import java.io.IOException;
import java.net.ConnectException;
import java.net.Inet6Address;
import java.net.InetAddress;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.mezzo.agent.checks.Outcome;

/**
 * Makes connections in the networks of tasks. A socket is in the network of the thread that makes
 * it, which in Java nobody can choose; so the native launcher's program does that, in one process
 * for all tasks, which is started when it is needed for the first time and ends with this one. What
 * is said between the two is in {@code docs/launcher-protocol.md}. Safe for any thread.
 */
public final class NetworkRelay implements AutoCloseable {
  private static final String SOCKET = "relay.socket";

  /** What the address of a socket holds on every system; the kernel's is 108. */
  private static final int LONGEST_PATH = 100;

  private static final long START_SECONDS = 30;
  private static final int USAGE = 64;
  private static final int REQUEST = 24;
  private static final int VERSION = 1;
  private static final int LONGEST_TEXT = 256;

  private static final int CONNECTED = 0;
  private static final int REFUSED = 1;
  private static final int FORBIDDEN = 3;

  private final Optional<Path> program;
  private final Path folder;
  private volatile Path socket;
  private Process process;
  private Optional<Path> shortcut = Optional.empty();
  private boolean closed;

  /** That a task cannot be tried by this agent, ever. */
  static final class ImpossibleException extends IOException {
    private static final long serialVersionUID = 1;

    ImpossibleException(String why) {
      super(
          "the task has a network namespace of its own, and "
              + why
              + "; leave the task on the network of its machine");
    }

    Outcome outcome() {
      return new Outcome.Impossible(getMessage());
    }
  }

  /**
   * None runs yet.
   *
   * @param program of the native launcher; empty where the agent has none
   * @param runtime the agent's runtime directory
   */
  public NetworkRelay(Optional<Path> program, Path runtime) {
    this.program = program;
    this.folder = runtime.toAbsolutePath().resolve("relay");
  }

  /** Whether it runs, as far as is known. */
  synchronized boolean runs() {
    return process != null && process.isAlive();
  }

  /**
   * Has it run; takes a moment where it does not.
   *
   * @throws ImpossibleException where there is none
   */
  synchronized void start() throws IOException {
    if (runs()) {
      return;
    }
    if (program.isEmpty() || !Files.isExecutable(program.get())) {
      throw new ImpossibleException("only agents with the native launcher enter one");
    }
    if (closed) {
      throw new IOException("the agent is stopping");
    }
    if (Files.notExists(folder)) {
      Files.createDirectory(
          folder,
          PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
    }
    ProcessBuilder builder =
        new ProcessBuilder(program.get().toString(), "relay", folder.toString());
    Map<String, String> environment = builder.environment();
    environment.clear();
    environment.put("LC_ALL", "C");
    builder.redirectError(ProcessBuilder.Redirect.appendTo(folder.resolve("relay.log").toFile()));
    builder.directory(folder.toFile());
    Process started = builder.start();
    awaitReady(started);
    socket = way();
    process = started;
  }

  private void awaitReady(Process started) throws IOException {
    CompletableFuture<String> said =
        CompletableFuture.supplyAsync(
            () -> {
              try {
                return String.valueOf(started.inputReader().readLine());
              } catch (IOException e) {
                return e.toString();
              }
            });
    try {
      if (said.get(START_SECONDS, TimeUnit.SECONDS).equals("ready")) {
        return;
      }
      if (started.waitFor(START_SECONDS, TimeUnit.SECONDS) && started.exitValue() == USAGE) {
        throw new ImpossibleException(program.orElseThrow() + " is of a time before it could");
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    } catch (ExecutionException | TimeoutException e) {
      // Below.
    }
    started.destroyForcibly();
    throw new IOException(
        program.orElseThrow() + " does not start; " + folder.resolve("relay.log") + " says why");
  }

  /** A path to its socket that fits into an address. */
  private Path way() throws IOException {
    Path direct = folder.resolve(SOCKET);
    if (direct.toString().getBytes(StandardCharsets.UTF_8).length <= LONGEST_PATH) {
      return direct;
    }
    if (shortcut.isEmpty()) {
      Path temporary = Files.createTempDirectory("mezzo");
      shortcut = Optional.of(Files.createSymbolicLink(temporary.resolve("r"), folder));
    }
    return shortcut.get().resolve(SOCKET);
  }

  /**
   * Asks for a connection. Does not block.
   *
   * @param pid of a process in whose network it is to be
   * @param port from 1 to 65,535
   * @return with the other side of which the {@link #answer} is to be waited for first
   */
  SocketChannel dial(long pid, InetAddress address, int port) throws IOException {
    ByteBuffer request =
        ByteBuffer.allocate(REQUEST)
            .put((byte) VERSION)
            .put((byte) (address instanceof Inet6Address ? 6 : 4))
            .putShort((short) port)
            .putInt((int) pid)
            .put(address.getAddress())
            .rewind();
    SocketChannel channel = SocketChannel.open(StandardProtocolFamily.UNIX);
    try {
      channel.configureBlocking(false);
      if (!channel.connect(UnixDomainSocketAddress.of(socket))
          || channel.write(request) < REQUEST) {
        throw new IOException("the relay is too busy");
      }
      return channel;
    } catch (IOException | RuntimeException e) {
      channel.close();
      throw e;
    }
  }

  /**
   * Reads what came of it, nothing of what the other side says.
   *
   * @return whether there is a connection; false: it is not known yet
   * @throws ConnectException where it was refused
   * @throws ImpossibleException where this agent may not enter the network
   * @throws IOException where something else came in between
   */
  static boolean answer(SocketChannel channel) throws IOException {
    ByteBuffer code = ByteBuffer.allocate(1);
    int count = channel.read(code);
    if (count == 0) {
      return false;
    }
    if (count < 0) {
      throw new IOException("the relay ended, or has too many connections");
    }
    if (code.get(0) == CONNECTED) {
      return true;
    }
    // It comes with the first byte.
    ByteBuffer text = ByteBuffer.allocate(LONGEST_TEXT);
    channel.read(text);
    String why = new String(text.array(), 0, text.position(), StandardCharsets.UTF_8);
    throw switch (code.get(0)) {
      case REFUSED -> new ConnectException(why);
      case FORBIDDEN -> new ImpossibleException("this agent may not enter it: " + why);
      default -> new IOException(why);
    };
  }

  /** Ends it. */
  @Override
  public synchronized void close() {
    closed = true;
    if (process != null) {
      try {
        // Which it takes for its end.
        process.getOutputStream().close();
        if (!process.waitFor(2, TimeUnit.SECONDS)) {
          process.destroyForcibly();
        }
      } catch (IOException e) {
        process.destroyForcibly();
      } catch (InterruptedException e) {
        process.destroyForcibly();
        Thread.currentThread().interrupt();
      }
    }
    shortcut.ifPresent(
        link -> {
          try {
            Files.deleteIfExists(link);
            Files.deleteIfExists(link.getParent());
          } catch (IOException e) {
            // A link that leads nowhere.
            return;
          }
        });
  }
}
