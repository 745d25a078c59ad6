package org.mezzo.launcher;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.BufferedReader;
import java.io.DataInputStream;
import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.Channels;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.function.Predicate;
import java.util.stream.Stream;
import org.mezzo.fixtures.Await;

/** A spawner with an agent's connection to it. */
final class Spawner implements AutoCloseable {
  final Path runtime;
  final Process process;
  private final SocketChannel channel;
  private final DataInputStream in;
  private final Deque<Message> events = new ArrayDeque<>();
  private int number;

  private Spawner(Path runtime, Process process, SocketChannel channel) {
    this.runtime = runtime;
    this.process = process;
    this.channel = channel;
    this.in = new DataInputStream(Channels.newInputStream(channel));
  }

  static Process start(Path runtime, int linger, String... before) throws Exception {
    List<String> command = new ArrayList<>(List.of(before));
    command.addAll(
        List.of(C.launcher().toString(), "spawner", runtime.toString(), Integer.toString(linger)));
    return new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.INHERIT).start();
  }

  static Spawner open(Path runtime, String... before) throws Exception {
    Process process = start(runtime, 5, before);
    BufferedReader said = process.inputReader();
    assertThat(said.readLine()).isEqualTo("ready");
    return connect(runtime, process);
  }

  static Spawner connect(Path runtime, Process process) throws Exception {
    Spawner spawner = strange(runtime, process);
    assertThat(spawner.ask(hello(1, 0)).type()).isEqualTo(Message.HELLO);
    return spawner;
  }

  /** A connection that has not said who it is. */
  static Spawner strange(Path runtime, Process process) throws Exception {
    return new Spawner(runtime, process, connect(runtime.resolve("launcher/1.4.socket")));
  }

  /** The same with whoever listens there. */
  static Spawner strange(Path socket) throws Exception {
    return new Spawner(socket, null, connect(socket));
  }

  private static SocketChannel connect(Path socket) throws Exception {
    SocketChannel channel = SocketChannel.open(StandardProtocolFamily.UNIX);
    channel.connect(UnixDomainSocketAddress.of(socket));
    return channel;
  }

  static Message hello(int major, int minor) {
    return Message.of(Message.HELLO, 0)
        .with(20, (byte) 0, (byte) major, (byte) 0, (byte) minor)
        .with(21, "mezzo-test");
  }

  void send(byte[] bytes) throws Exception {
    ByteBuffer buffer = ByteBuffer.wrap(bytes);
    while (buffer.hasRemaining()) {
      channel.write(buffer);
    }
  }

  Message read() throws Exception {
    return Message.read(in);
  }

  /** Sends a request and comes back with the answer; events in between are kept. */
  Message ask(Message request) throws Exception {
    Message numbered = new Message(request.type(), ++number, request.fields());
    send(numbered.encode());
    return await(it -> it.number() == number);
  }

  Message event(int type, String container) throws Exception {
    for (Message event : events) {
      if (event.type() == type && event.text(1).equals(container)) {
        events.remove(event);
        return event;
      }
    }
    return await(it -> it.number() == 0 && it.type() == type && it.text(1).equals(container));
  }

  /** How a container ended: an exit or a failure, whichever comes. */
  Message end(String container) throws Exception {
    return await(
        it ->
            (it.type() == Message.EXITED || it.type() == Message.FAILED)
                && it.text(1).equals(container));
  }

  private Message await(Predicate<Message> wanted) throws Exception {
    for (; ; ) {
      Message message = read();
      if (wanted.test(message)) {
        return message;
      }
      events.add(message);
    }
  }

  Path folder(String container) {
    return runtime.resolve("containers").resolve(container);
  }

  /** A plan that runs a shell command in the container's own folder. */
  Message plan(String container, String command) throws Exception {
    Files.createDirectories(folder(container));
    return Message.of(Message.LAUNCH, 0)
        .with(1, container)
        .with(2, folder(container).toString())
        .with(4, "sh")
        .with(5, "sh")
        .with(5, "-c")
        .with(5, command)
        .with(6, "PATH=/usr/bin:/bin")
        .with(7, folder(container).toString())
        .with(12, "stdout")
        .with(13, "stderr");
  }

  Message launch(String container, String command) throws Exception {
    assertThat(ask(plan(container, command)).type()).isEqualTo(Message.OK);
    return event(Message.STARTED, container);
  }

  int status(String container) throws Exception {
    return event(Message.EXITED, container).number(25);
  }

  void disconnect() throws Exception {
    channel.close();
  }

  @Override
  public void close() throws Exception {
    channel.close();
    process.destroyForcibly().waitFor(10, TimeUnit.SECONDS);
  }

  /**
   * The same, and what a test has left running, which would hold the build that reads its errors.
   * Comes back when that has ended: a shim writes into the folder until then, which would keep the
   * folder from being deleted.
   */
  void closeWithContainers() throws Exception {
    close();
    List<ProcessHandle> left = new ArrayList<>();
    try (Stream<Path> files = Files.walk(runtime)) {
      for (Path file : files.filter(it -> it.endsWith("pid")).toList()) {
        String[] pidAndStart = Files.readString(file).strip().split(" ");
        Path stat = Path.of("/proc", pidAndStart[0], "stat");
        // Numbers of processes are used again: another one may have it by now.
        if (pidAndStart.length > 1 && started(stat).equals(pidAndStart[1])) {
          ProcessHandle.of(Long.parseLong(pidAndStart[0])).ifPresent(left::add);
        }
      }
    }
    left.forEach(ProcessHandle::destroyForcibly);
    for (ProcessHandle each : left) {
      Await.until(() -> ended(Path.of("/proc", Long.toString(each.pid()), "stat")));
    }
  }

  /** Whether it writes no more; that somebody has taken note of its end is not asked. */
  private static boolean ended(Path stat) {
    try {
      String line = Files.readString(stat);
      return line.charAt(line.lastIndexOf(')') + 2) == 'Z';
    } catch (IOException e) {
      return true;
    }
  }

  private static String started(Path stat) throws IOException {
    try {
      String line = Files.readString(stat);
      return line.substring(line.lastIndexOf(')') + 2).split(" ")[19];
    } catch (IOException e) {
      // It has ended.
      return "";
    }
  }
}
