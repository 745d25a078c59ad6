package org.mezzo.daemon.calls;

import com.google.protobuf.CodedOutputStream;
import com.google.protobuf.Message;
import java.io.IOException;
import java.util.Arrays;
import org.mezzo.protocol.json.Json;
import org.mezzo.protocol.recordio.RecordIo;

/**
 * A message with its written forms, each made when first asked for and then kept: one event for
 * many subscribers is encoded once for each type. Safe for any thread.
 */
public final class Encoded<M extends Message> {
  private final M message;
  private volatile byte[] json;
  private volatile byte[] protobuf;

  private Encoded(M message) {
    this.message = message;
  }

  public static <M extends Message> Encoded<M> of(M message) {
    return new Encoded<>(message);
  }

  public M message() {
    return message;
  }

  /** The message as one RecordIO record. The array must not be changed. */
  public byte[] record(ContentType type) {
    byte[] known = type == ContentType.JSON ? json : protobuf;
    return known != null ? known : encode(type);
  }

  private synchronized byte[] encode(ContentType type) {
    if (type == ContentType.JSON) {
      if (json == null) {
        json = Json.encodeRecord(message);
      }
      return json;
    }
    if (protobuf == null) {
      protobuf = protobufRecord(message);
    }
    return protobuf;
  }

  /** Sized first and then written behind its header: no second array of that size. */
  private static byte[] protobufRecord(Message message) {
    int size = message.getSerializedSize();
    byte[] header = RecordIo.header(size);
    byte[] record = Arrays.copyOf(header, Math.addExact(header.length, size));
    CodedOutputStream out = CodedOutputStream.newInstance(record, header.length, size);
    try {
      message.writeTo(out);
    } catch (IOException e) {
      throw new IllegalStateException("A message is larger than it said", e);
    }
    out.checkNoSpaceLeft();
    return record;
  }

  /** The message without frame. */
  public static byte[] bytes(Message message, ContentType type) {
    return type == ContentType.JSON ? Json.encode(message) : message.toByteArray();
  }
}
