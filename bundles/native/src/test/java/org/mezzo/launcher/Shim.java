package org.mezzo.launcher;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.Channels;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.Deque;

/** A connection with the shim of a container. */
final class Shim implements AutoCloseable {
  static final int INPUT = 0;
  static final int OUTPUT = 1;
  static final int ERRORS = 2;

  private final SocketChannel channel;
  private final DataInputStream in;
  private final Deque<Message> output = new ArrayDeque<>();
  private int number;

  private Shim(SocketChannel channel) {
    this.channel = channel;
    this.in = new DataInputStream(Channels.newInputStream(channel));
  }

  /** A connection that has said hello. */
  static Shim connect(Path folder) throws Exception {
    Shim shim = strange(folder);
    Message hello = shim.ask(Spawner.hello(1, 1));
    assertThat(hello.type()).isEqualTo(Message.HELLO);
    assertThat(
            hello.fields().stream()
                .filter(it -> it.tag() == 3)
                .map(it -> new String(it.value(), StandardCharsets.UTF_8)))
        .contains("attach", "terminal", "rotation");
    return shim;
  }

  static Shim strange(Path folder) throws Exception {
    SocketChannel channel = SocketChannel.open(StandardProtocolFamily.UNIX);
    channel.connect(UnixDomainSocketAddress.of(folder.resolve("control")));
    return new Shim(channel);
  }

  /** One that is attached to some of its streams. */
  static Shim attach(Path folder, int... streams) throws Exception {
    Shim shim = connect(folder);
    assertThat(shim.attach(streams).type()).isEqualTo(Message.OK);
    return shim;
  }

  Message attach(int... streams) throws Exception {
    Message request = Message.of(Message.ATTACH, 0);
    for (int stream : streams) {
      request.number(31, stream);
    }
    return ask(request);
  }

  void send(Message request) throws Exception {
    send(new Message(request.type(), ++number, request.fields()).encode());
  }

  void send(byte[] frame) throws Exception {
    ByteBuffer bytes = ByteBuffer.wrap(frame);
    while (bytes.hasRemaining()) {
      channel.write(bytes);
    }
  }

  Message read() throws Exception {
    return Message.read(in);
  }

  /** Sends a request and comes back with the answer; output in between is kept. */
  Message ask(Message request) throws Exception {
    send(request);
    for (; ; ) {
      Message message = read();
      if (message.number() == number) {
        return message;
      }
      output.add(message);
    }
  }

  Message input(String text) throws Exception {
    return ask(Message.of(Message.INPUT, 0).with(32, text));
  }

  private Message next() throws Exception {
    return output.isEmpty() ? read() : output.remove();
  }

  /** Reads until something was written to a stream, of which all so far is returned. */
  String until(int stream, String wanted) throws Exception {
    ByteArrayOutputStream seen = new ByteArrayOutputStream();
    for (; ; ) {
      Message message = next();
      assertThat(message.type()).as("after '%s': %s", seen, message).isEqualTo(Message.OUTPUT);
      if (message.number(31) == stream) {
        seen.writeBytes(message.bytes(32));
      }
      String text = seen.toString(StandardCharsets.UTF_8);
      if (text.contains(wanted)) {
        return text;
      }
    }
  }

  /** All that comes on a stream until it is said that this was all. */
  byte[] rest(int stream) throws Exception {
    ByteArrayOutputStream seen = new ByteArrayOutputStream();
    for (; ; ) {
      Message message = next();
      if (message.type() == Message.END) {
        assertThat(message.has(19)).as("%s", message).isFalse();
        return seen.toByteArray();
      }
      assertThat(message.type()).isEqualTo(Message.OUTPUT);
      if (message.number(31) == stream) {
        seen.writeBytes(message.bytes(32));
      }
    }
  }

  /** The first end of output that comes, whatever comes before. */
  Message end() throws Exception {
    for (; ; ) {
      Message message = next();
      if (message.type() == Message.END) {
        return message;
      }
    }
  }

  @Override
  public void close() throws Exception {
    channel.close();
  }
}
