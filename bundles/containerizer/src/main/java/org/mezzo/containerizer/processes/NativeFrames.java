package org.mezzo.containerizer.processes;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.function.Consumer;

/** The numbers and frames of {@code docs/launcher-protocol.md}. */
final class NativeFrames {
  static final int MAJOR = 1;
  static final int MINOR = 4;

  static final int HELLO = 1;
  static final int LAUNCH = 2;
  static final int RELEASE = 3;
  static final int KILL = 5;
  static final int RETIRE = 8;
  static final int ATTACH = 10;
  static final int INPUT = 11;
  static final int CLOSE_INPUT = 12;
  static final int RESIZE = 13;
  static final int WATCH = 14;
  static final int STARTED = 64;
  static final int EXITED = 65;
  static final int FAILED = 66;
  static final int LOST = 67;
  static final int OUTPUT_DATA = 68;
  static final int OUTPUT_END = 69;
  static final int MEMORY = 70;
  static final int HELPER_LOST = 71;
  static final int OK = 128;
  static final int ERROR = 129;

  static final int CONTAINER = 1;
  static final int FOLDER = 2;
  static final int FEATURE = 3;
  static final int PROGRAM = 4;
  static final int ARGUMENT = 5;
  static final int VARIABLE = 6;
  static final int DIRECTORY = 7;
  static final int USER = 8;
  static final int RLIMIT = 9;
  static final int CGROUP = 10;
  static final int OUTPUT = 12;
  static final int ERRORS = 13;
  static final int HOLD = 14;
  static final int SIGNAL = 16;
  static final int PIDS = 17;
  static final int PATH = 18;
  static final int TEXT = 19;
  static final int VERSION = 20;
  static final int NAME = 21;
  static final int PID = 22;
  static final int START = 23;
  static final int SHIM = 24;
  static final int STATUS = 25;
  static final int SHIM_START = 27;
  static final int WINDOW = 28;
  static final int REACH = 29;
  static final int ROTATION = 30;
  static final int STREAM = 31;
  static final int DATA = 32;
  static final int OBSTACLE = 33;
  static final int NETWORK = 34;
  static final int NAMESPACE = 35;
  static final int MOUNT = 36;
  static final int HELPER = 37;

  /** The most bytes that a frame may have behind its length. */
  static final int MOST = 8 << 20;

  private static final int HEADER = 12;

  private NativeFrames() {}

  /** A frame that is being written. */
  static final class Writer {
    private final ByteArrayOutputStream bytes = new ByteArrayOutputStream(512);

    private Writer() {}

    private Writer(int type, int number) {
      bytes.writeBytes(
          ByteBuffer.allocate(HEADER).putInt(0).putInt(type << 16).putInt(number).array());
    }

    Writer bytes(int tag, byte[] value) {
      bytes.writeBytes(ByteBuffer.allocate(6).putShort((short) tag).putInt(value.length).array());
      bytes.writeBytes(value);
      return this;
    }

    Writer text(int tag, String value) {
      return bytes(tag, value.getBytes(StandardCharsets.UTF_8));
    }

    Writer number(int tag, int value) {
      return bytes(tag, ByteBuffer.allocate(4).putInt(value).array());
    }

    /** Numbers of 4 bytes each, none of them below zero. */
    Writer numbers(int tag, List<Long> values) {
      ByteBuffer all = ByteBuffer.allocate(4 * values.size());
      values.forEach(value -> all.putInt((int) (long) value));
      return bytes(tag, all.array());
    }

    /** A field whose value begins with a number and goes on with fields. */
    Writer inner(int tag, int number, Consumer<Writer> fields) {
      Writer inner = new Writer();
      inner.bytes.writeBytes(ByteBuffer.allocate(4).putInt(number).array());
      fields.accept(inner);
      return bytes(tag, inner.bytes.toByteArray());
    }

    /** The frame. */
    byte[] frame() {
      byte[] frame = bytes.toByteArray();
      ByteBuffer.wrap(frame).putInt(frame.length - 4);
      return frame;
    }
  }

  static Writer write(int type, int number) {
    return new Writer(type, number);
  }

  /** A frame that was read; what it has not is empty. */
  record Frame(int type, int number, ByteBuffer body) {

    /**
     * The next frame of what was read, whose position moves behind it; empty when it is not there
     * yet.
     *
     * @throws IOException when it never will be
     */
    static Optional<Frame> next(ByteBuffer in) throws IOException {
      if (in.remaining() < 4) {
        return Optional.empty();
      }
      int length = in.getInt(in.position());
      if (length < HEADER - 4 || length > MOST) {
        throw new IOException("The launcher sent a frame of " + length + " bytes");
      }
      if (in.remaining() < 4 + length) {
        return Optional.empty();
      }
      byte[] bytes = new byte[length];
      in.getInt();
      in.get(bytes);
      ByteBuffer frame = ByteBuffer.wrap(bytes);
      int type = Short.toUnsignedInt(frame.getShort());
      frame.getShort();
      int number = frame.getInt();
      return Optional.of(new Frame(type, number, frame.slice()));
    }

    Optional<byte[]> find(int tag) {
      return all(tag).stream().findFirst();
    }

    private List<byte[]> all(int tag) {
      List<byte[]> found = new java.util.ArrayList<>();
      ByteBuffer rest = body.duplicate();
      while (rest.remaining() >= 6) {
        int each = Short.toUnsignedInt(rest.getShort());
        int length = rest.getInt();
        if (length < 0 || length > rest.remaining()) {
          break;
        }
        byte[] value = new byte[length];
        rest.get(value);
        if (each == tag) {
          found.add(value);
        }
      }
      return found;
    }

    String text(int tag) {
      return find(tag).map(it -> new String(it, StandardCharsets.UTF_8)).orElse("");
    }

    List<String> texts(int tag) {
      return all(tag).stream().map(it -> new String(it, StandardCharsets.UTF_8)).toList();
    }

    /** A number of 4 or 8 bytes. */
    OptionalLong number(int tag) {
      Optional<byte[]> value = find(tag);
      if (value.isPresent() && value.get().length == 4) {
        return OptionalLong.of(Integer.toUnsignedLong(ByteBuffer.wrap(value.get()).getInt()));
      }
      return value.isPresent() && value.get().length == 8
          ? OptionalLong.of(ByteBuffer.wrap(value.get()).getLong())
          : OptionalLong.empty();
    }
  }
}
