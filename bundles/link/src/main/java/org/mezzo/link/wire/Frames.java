package org.mezzo.link.wire;

import com.google.protobuf.MessageLite;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.List;

/**
 * The framing of both directions of a link: four bytes of length, big endian, one byte that tells
 * the kind, then as many bytes as the length says. Kinds that are not known are skipped.
 */
public final class Frames {
  /** Says that the sender lives; empty. */
  public static final int ALIVE = 0;

  public static final int HELLO = 1;
  public static final int CALL = 2;
  public static final int WELCOME = 3;
  public static final int REFUSAL = 4;
  public static final int EVENT = 5;

  /** Largest frame that is accepted: a re-registration with all tasks of an agent fits. */
  public static final int MAX_BYTES = 64 << 20;

  private Frames() {}

  /** A frame without content. */
  public static byte[] empty(int kind) {
    return Frame.join(List.of(Frame.empty(kind)));
  }

  /** A message with its frame. */
  public static byte[] frame(int kind, MessageLite message) {
    return Frame.join(List.of(Frame.of(kind, message)));
  }

  /** Takes what a stream of frames holds. */
  @FunctionalInterface
  public interface Receiver {
    void frame(int kind, byte[] content) throws IOException;
  }

  /** Cuts a stream into frames; for one thread at a time. */
  public static final class Decoder {
    private final Receiver receiver;
    private final ByteBuffer header = ByteBuffer.allocate(Frame.HEADER);
    private byte[] content;
    private int kind;
    private int filled;

    public Decoder(Receiver receiver) {
      this.receiver = receiver;
    }

    /**
     * Takes some bytes and delivers the frames they complete.
     *
     * @throws IOException when a frame is longer than {@link #MAX_BYTES}, or from the receiver; the
     *     stream is of no use then
     */
    public void feed(ByteBuffer bytes) throws IOException {
      while (true) {
        if (content == null) {
          while (header.hasRemaining() && bytes.hasRemaining()) {
            header.put(bytes.get());
          }
          if (header.hasRemaining()) {
            return;
          }
          header.flip();
          int length = header.getInt();
          kind = header.get() & 0xff;
          header.clear();
          if (length < 0 || length > MAX_BYTES) {
            throw new IOException(
                "Link frame of " + Integer.toUnsignedString(length) + " bytes is too long");
          }
          content = new byte[length];
          filled = 0;
        }
        int count = Math.min(bytes.remaining(), content.length - filled);
        bytes.get(content, filled, count);
        filled += count;
        if (filled < content.length) {
          return;
        }
        byte[] whole = content;
        content = null;
        receiver.frame(kind, whole);
      }
    }
  }
}
