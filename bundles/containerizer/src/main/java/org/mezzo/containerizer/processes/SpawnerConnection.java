package org.mezzo.containerizer.processes;

import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/**
 * A connection with the spawner of a runtime directory, which is started where there is none. One
 * thread reads, another writes.
 */
final class SpawnerConnection implements AutoCloseable {
  private static final Duration LIMIT = Duration.ofSeconds(30);
  private static final int ATTEMPTS = 50;
  private static final int BUSY = 3;

  private static final String SOCKET = NativeFrames.MAJOR + "." + NativeFrames.MINOR + ".socket";

  /** What agents and their plans may ask for. */
  private static final Set<String> NEEDED =
      Set.of(
          "environment",
          "rlimits",
          "cgroups",
          "user",
          "hold",
          "attach",
          "terminal",
          "rotation",
          "network",
          "output-helper",
          "mount-namespaces",
          "mounts",
          "memory-events");

  private final SocketChannel channel;
  private ByteBuffer in = ByteBuffer.allocate(16_384).flip();

  private SpawnerConnection(SocketChannel channel) {
    this.channel = channel;
  }

  /**
   * Connects with the spawner that there is, or with a new one.
   *
   * @throws IOException when neither can be; it says what stood in the way
   */
  static SpawnerConnection open(Path runtime, Path binary) throws IOException {
    IOException problem = null;
    for (int attempt = 0; attempt < ATTEMPTS; attempt++) {
      try {
        return greeted(UnixSockets.connect(runtime.resolve("launcher"), SOCKET));
      } catch (IOException e) {
        problem = e;
      }
      if (!start(runtime, binary)) {
        // One that is just ending, or has not begun to listen.
        try {
          TimeUnit.MILLISECONDS.sleep(100);
        } catch (InterruptedException e) {
          Thread.currentThread().interrupt();
          throw new IOException("Interrupted while waiting for the launcher", e);
        }
      }
    }
    throw problem;
  }

  private static SpawnerConnection greeted(SocketChannel channel) throws IOException {
    SpawnerConnection connection = new SpawnerConnection(channel);
    try {
      connection.greet();
      return connection;
    } catch (IOException | RuntimeException e) {
      connection.close();
      throw e;
    }
  }

  /** What an agent says first, to spawners and to shims. */
  static byte[] hello(int number) {
    byte[] version =
        ByteBuffer.allocate(4)
            .putShort((short) NativeFrames.MAJOR)
            .putShort((short) NativeFrames.MINOR)
            .array();
    return NativeFrames.write(NativeFrames.HELLO, number)
        .bytes(NativeFrames.VERSION, version)
        .text(NativeFrames.NAME, "mezzo-agent")
        .frame();
  }

  private void greet() throws IOException {
    write(ByteBuffer.wrap(hello(0)));
    NativeFrames.Frame hello = read();
    if (hello.type() != NativeFrames.HELLO) {
      throw new IOException("The launcher refuses: " + hello.text(NativeFrames.TEXT));
    }
    Set<String> missing = new TreeSet<>(NEEDED);
    missing.removeAll(Set.copyOf(hello.texts(NativeFrames.FEATURE)));
    if (!missing.isEmpty()) {
      throw new IOException("The launcher does not know " + String.join(", ", missing));
    }
  }

  /** Whether it runs and listens now; false when there is another one. */
  private static boolean start(Path runtime, Path binary) throws IOException {
    ProcessBuilder builder =
        new ProcessBuilder(binary.toString(), "spawner", runtime.toAbsolutePath().toString());
    Map<String, String> environment = builder.environment();
    environment.clear();
    environment.put("LC_ALL", "C");
    Path log = runtime.resolve("launcher.log");
    builder.redirectError(ProcessBuilder.Redirect.appendTo(log.toFile()));
    builder.directory(runtime.toFile());
    Process process = builder.start();
    process.getOutputStream().close();
    CompletableFuture<String> said =
        CompletableFuture.supplyAsync(
            () -> {
              try {
                return String.valueOf(process.inputReader().readLine());
              } catch (IOException e) {
                return e.toString();
              }
            });
    try {
      if (said.get(LIMIT.toMillis(), TimeUnit.MILLISECONDS).equals("ready")) {
        return true;
      }
      if (process.waitFor(LIMIT.toMillis(), TimeUnit.MILLISECONDS) && process.exitValue() == BUSY) {
        return false;
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    } catch (ExecutionException | TimeoutException e) {
      // Below.
    }
    process.destroyForcibly();
    throw new IOException(binary + " does not start; " + log + " says why");
  }

  /** Writes all of it. */
  void write(ByteBuffer bytes) throws IOException {
    while (bytes.hasRemaining()) {
      channel.write(bytes);
    }
  }

  /** The next frame; waits for it. */
  NativeFrames.Frame read() throws IOException {
    for (; ; ) {
      var frame = NativeFrames.Frame.next(in);
      if (frame.isPresent()) {
        return frame.get();
      }
      ByteBuffer next =
          in.remaining() > in.capacity() / 2
              ? ByteBuffer.allocate(in.capacity() * 2).put(in)
              : in.compact();
      int count = channel.read(next);
      in = next.flip();
      if (count < 0) {
        throw new EOFException("The launcher is gone");
      }
    }
  }

  @Override
  public void close() {
    try {
      channel.close();
    } catch (IOException e) {
      // It is of no use any more either way.
    }
  }
}
