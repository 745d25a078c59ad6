package org.mezzo.driver.wire;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;

/**
 * The fields of an encoded message; those that nobody asks for are skipped. Of a field that is
 * there several times but is asked for as one, the last counts. Immutable.
 */
public final class MessageReader {
  static final int VARINT = 0;
  static final int FIXED64 = 1;
  static final int DELIMITED = 2;
  private static final int FIXED32 = 5;

  /** A number, or where in the message bytes begin and how many they are. */
  private static final class Field {
    final int number;
    final int type;
    final long value;
    final int length;

    Field(int number, int type, long value, int length) {
      this.number = number;
      this.type = type;
      this.value = value;
      this.length = length;
    }
  }

  private final byte[] message;
  private final List<Field> fields = new ArrayList<>();
  private int position;

  /**
   * @throws IOException when it is no message
   */
  public MessageReader(byte[] message) throws IOException {
    this.message = message;
    while (position < message.length) {
      long tag = varint();
      fields.add(field((int) (tag >>> 3), (int) (tag & 7)));
    }
  }

  private Field field(int number, int type) throws IOException {
    switch (type) {
      case VARINT:
        return new Field(number, type, varint(), 0);
      case FIXED64:
        return new Field(number, type, fixed(8), 8);
      case FIXED32:
        return new Field(number, type, fixed(4), 4);
      case DELIMITED:
        long length = varint();
        if (length < 0 || length > message.length - position) {
          throw new IOException("field " + number + " is longer than its message");
        }
        Field field = new Field(number, type, position, (int) length);
        position += (int) length;
        return field;
      default:
        throw new IOException("field " + number + " is of the unknown wire type " + type);
    }
  }

  private long varint() throws IOException {
    long value = 0;
    for (int shift = 0; shift < 64; shift += 7) {
      if (position == message.length) {
        throw new IOException("the message ends within a number");
      }
      byte next = message[position++];
      value |= (long) (next & 0x7f) << shift;
      if (next >= 0) {
        return value;
      }
    }
    throw new IOException("a number has more than ten bytes");
  }

  private long fixed(int bytes) throws IOException {
    if (message.length - position < bytes) {
      throw new IOException("the message ends within a number");
    }
    long value = 0;
    for (int i = 0; i < bytes; i++) {
      value |= (message[position++] & 0xffL) << (8 * i);
    }
    return value;
  }

  private Optional<Field> last(int number, int type) {
    Field last = null;
    for (Field field : fields) {
      if (field.number == number && field.type == type) {
        last = field;
      }
    }
    return Optional.ofNullable(last);
  }

  private byte[] content(Field field) {
    return Arrays.copyOfRange(message, (int) field.value, (int) field.value + field.length);
  }

  public long number(int field, long otherwise) {
    return last(field, VARINT).map(it -> it.value).orElse(otherwise);
  }

  public double real(int field, double otherwise) {
    return last(field, FIXED64).map(it -> Double.longBitsToDouble(it.value)).orElse(otherwise);
  }

  public Optional<byte[]> bytes(int field) {
    return last(field, DELIMITED).map(this::content);
  }

  public Optional<String> text(int field) {
    return bytes(field).map(it -> new String(it, StandardCharsets.UTF_8));
  }

  /** All of a repeated field, in their order. */
  public List<byte[]> all(int field) {
    List<byte[]> all = new ArrayList<>();
    for (Field each : fields) {
      if (each.number == field && each.type == DELIMITED) {
        all.add(content(each));
      }
    }
    return all;
  }

  /**
   * The bytes of a field that has to be there.
   *
   * @throws IOException when it is not
   */
  public byte[] required(int field) throws IOException {
    return bytes(field).orElseThrow(() -> new IOException("field " + field + " is missing"));
  }

  /**
   * The message in a field; one without fields when it is not there.
   *
   * @throws IOException when it is no message
   */
  public MessageReader message(int field) throws IOException {
    return new MessageReader(bytes(field).orElse(new byte[0]));
  }
}
