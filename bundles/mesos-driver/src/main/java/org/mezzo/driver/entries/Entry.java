package org.mezzo.driver.entries;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.UUID;
import org.mezzo.driver.wire.MessageReader;
import org.mezzo.driver.wire.MessageWriter;

/** A named value, and the mark that it gets anew with each change. Immutable. */
public final class Entry {
  private static final int NAME = 1;
  private static final int MARK = 2;
  private static final int VALUE = 3;

  private final String name;
  private final byte[] mark;
  private final byte[] value;

  private Entry(String name, byte[] mark, byte[] value) {
    this.name = name;
    this.mark = mark;
    this.value = value;
  }

  /** One with a mark that no other has. */
  public static Entry of(String name, byte[] value) {
    UUID uuid = UUID.randomUUID();
    byte[] mark =
        ByteBuffer.allocate(16)
            .putLong(uuid.getMostSignificantBits())
            .putLong(uuid.getLeastSignificantBits())
            .array();
    return new Entry(name, mark, value.clone());
  }

  /**
   * The one that is encoded as Mesos does it.
   *
   * @throws IOException when it is none
   */
  static Entry read(byte[] encoded) throws IOException {
    MessageReader read = new MessageReader(encoded);
    return new Entry(
        new String(read.required(NAME), StandardCharsets.UTF_8),
        read.required(MARK),
        read.required(VALUE));
  }

  byte[] encoded() {
    return new MessageWriter().text(NAME, name).bytes(MARK, mark).bytes(VALUE, value).toBytes();
  }

  public String name() {
    return name;
  }

  public byte[] value() {
    return value.clone();
  }

  /** Whether the other one is this very state of a value, not one before or after a change. */
  boolean isOfSameMark(Entry other) {
    return Arrays.equals(mark, other.mark);
  }
}
