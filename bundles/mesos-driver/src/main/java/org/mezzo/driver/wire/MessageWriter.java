package org.mezzo.driver.wire;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;

/** Puts a message together, field by field in the order of the calls. For one thread. */
public final class MessageWriter {
  private final ByteArrayOutputStream out = new ByteArrayOutputStream();

  public MessageWriter number(int field, long value) {
    varint((long) field << 3 | MessageReader.VARINT);
    varint(value);
    return this;
  }

  public MessageWriter real(int field, double value) {
    varint((long) field << 3 | MessageReader.FIXED64);
    long bits = Double.doubleToRawLongBits(value);
    for (int i = 0; i < 8; i++) {
      out.write((int) (bits >>> (8 * i)));
    }
    return this;
  }

  /** A field of bytes, or of a message that is encoded already. */
  public MessageWriter bytes(int field, byte[] value) {
    varint((long) field << 3 | MessageReader.DELIMITED);
    varint(value.length);
    out.write(value, 0, value.length);
    return this;
  }

  public MessageWriter text(int field, String value) {
    return bytes(field, value.getBytes(StandardCharsets.UTF_8));
  }

  public MessageWriter message(int field, MessageWriter value) {
    return bytes(field, value.toBytes());
  }

  public byte[] toBytes() {
    return out.toByteArray();
  }

  private void varint(long value) {
    long rest = value;
    while ((rest & ~0x7fL) != 0) {
      out.write((int) (rest & 0x7f | 0x80));
      rest >>>= 7;
    }
    out.write((int) rest);
  }
}
