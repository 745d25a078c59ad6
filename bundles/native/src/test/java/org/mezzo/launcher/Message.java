package org.mezzo.launcher;

import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/** A frame by its numbers, as docs/launcher-protocol.md has them. */
record Message(int type, int number, List<Field> fields) {
  static final int HELLO = 1;
  static final int LAUNCH = 2;
  static final int RELEASE = 3;
  static final int SIGNAL = 4;
  static final int KILL = 5;
  static final int WRITE = 6;
  static final int LIST = 7;
  static final int RETIRE = 8;
  static final int WAIT = 9;
  static final int ATTACH = 10;
  static final int INPUT = 11;
  static final int CLOSE_INPUT = 12;
  static final int RESIZE = 13;
  static final int WATCH = 14;
  static final int STARTED = 64;
  static final int EXITED = 65;
  static final int FAILED = 66;
  static final int LOST = 67;
  static final int OUTPUT = 68;
  static final int END = 69;
  static final int MEMORY = 70;
  static final int HELPER_LOST = 71;
  static final int OK = 128;
  static final int ERROR = 129;

  record Field(int tag, byte[] value) {}

  static Message of(int type, int number) {
    return new Message(type, number, new ArrayList<>());
  }

  Message with(int tag, byte... value) {
    fields.add(new Field(tag, value));
    return this;
  }

  Message with(int tag, String value) {
    return with(tag, value.getBytes(StandardCharsets.UTF_8));
  }

  /** Some numbers of 4 bytes each. */
  Message numbers(int tag, int... values) {
    ByteBuffer all = ByteBuffer.allocate(4 * values.length);
    for (int value : values) {
      all.putInt(value);
    }
    return with(tag, all.array());
  }

  Message number(int tag, int value) {
    return with(tag, ByteBuffer.allocate(4).putInt(value).array());
  }

  String text(int tag) {
    return new String(bytes(tag), StandardCharsets.UTF_8);
  }

  int number(int tag) {
    return ByteBuffer.wrap(bytes(tag)).getInt();
  }

  boolean has(int tag) {
    return fields.stream().anyMatch(it -> it.tag() == tag);
  }

  byte[] bytes(int tag) {
    return fields.stream()
        .filter(it -> it.tag() == tag)
        .findFirst()
        .orElseThrow(() -> new AssertionError("no field " + tag + " in " + this))
        .value();
  }

  byte[] encode() {
    try {
      ByteArrayOutputStream body = new ByteArrayOutputStream();
      DataOutputStream out = new DataOutputStream(body);
      out.writeShort(type);
      out.writeShort(0);
      out.writeInt(number);
      for (Field field : fields) {
        out.writeShort(field.tag());
        out.writeInt(field.value().length);
        out.write(field.value());
      }
      return ByteBuffer.allocate(4 + body.size())
          .putInt(body.size())
          .put(body.toByteArray())
          .array();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  static Message read(DataInputStream in) throws IOException {
    ByteBuffer frame = ByteBuffer.wrap(in.readNBytes(in.readInt()));
    int type = frame.getShort();
    frame.getShort();
    Message message = of(type, frame.getInt());
    while (frame.hasRemaining()) {
      int tag = frame.getShort();
      byte[] value = new byte[frame.getInt()];
      frame.get(value);
      message.with(tag, value);
    }
    return message;
  }

  @Override
  public String toString() {
    StringBuilder text = new StringBuilder(type + " " + number);
    for (Field field : fields) {
      text.append(' ').append(field.tag()).append('=');
      text.append(new String(field.value(), StandardCharsets.ISO_8859_1));
    }
    return text.toString();
  }
}
