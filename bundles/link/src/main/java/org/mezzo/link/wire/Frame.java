package org.mezzo.link.wire;

import com.google.protobuf.CodedOutputStream;
import com.google.protobuf.MessageLite;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.util.List;
import org.mezzo.link.messages.Welcome;

/**
 * A frame that is still to be written: its size is known and its message is encoded only when it
 * goes out, straight into the piece it goes out with. Immutable, safe for any thread.
 */
public final class Frame {
  static final int HEADER = Integer.BYTES + 1;
  private static final byte[] NOTHING = {};

  private final int kind;
  private final byte[] known;
  private final MessageLite message;

  private Frame(int kind, byte[] known, MessageLite message) {
    this.kind = kind;
    this.known = known;
    this.message = message;
  }

  /** Without content. */
  public static Frame empty(int kind) {
    return new Frame(kind, NOTHING, Welcome.getDefaultInstance());
  }

  /** A message's. */
  public static Frame of(int kind, MessageLite message) {
    return new Frame(kind, NOTHING, message);
  }

  /**
   * That of a message of which a part was encoded before: what protobuf parses from the two behind
   * each other is their union, in which fields of messages that both have are merged.
   *
   * @param known is not copied and must not change
   */
  public static Frame of(int kind, byte[] known, MessageLite rest) {
    return new Frame(kind, known, rest);
  }

  /** As in {@link Frames}. */
  public int kind() {
    return kind;
  }

  /** What it carries, without what was encoded before. */
  public MessageLite message() {
    return message;
  }

  /** Bytes it takes, its header included. Of a large message it takes a moment to find out. */
  public int size() {
    return HEADER + known.length + message.getSerializedSize();
  }

  /** Frames behind each other, encoded into one array of just their size. */
  public static byte[] join(List<Frame> frames) {
    int size = 0;
    for (Frame frame : frames) {
      size = Math.addExact(size, frame.size());
    }
    byte[] bytes = new byte[size];
    int at = 0;
    for (Frame frame : frames) {
      at = frame.write(bytes, at);
    }
    return bytes;
  }

  private int write(byte[] into, int at) {
    int size = message.getSerializedSize();
    ByteBuffer.wrap(into, at, HEADER + known.length)
        .putInt(known.length + size)
        .put((byte) kind)
        .put(known);
    int begin = at + HEADER + known.length;
    CodedOutputStream out = CodedOutputStream.newInstance(into, begin, size);
    try {
      message.writeTo(out);
      out.checkNoSpaceLeft();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return begin + size;
  }
}
