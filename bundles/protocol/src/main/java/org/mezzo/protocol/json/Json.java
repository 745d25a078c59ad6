package org.mezzo.protocol.json;

import com.google.protobuf.Message;
import com.google.protobuf.MessageOrBuilder;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;

/**
 * The JSON form of the protocol's messages as existing clients expect it (state-json section 9).
 * Safe for any thread.
 */
public final class Json {
  private Json() {}

  /** Encodes into a new array. */
  public static byte[] encode(MessageOrBuilder message) {
    throw new UnsupportedOperationException();
  }

  /** Encodes into a stream, which is flushed but not closed. */
  public static void write(MessageOrBuilder message, OutputStream out) throws IOException {
    throw new UnsupportedOperationException();
  }

  /**
   * Decodes and builds.
   *
   * @param type the default instance of the wanted type
   * @throws JsonFormatException with {@link JsonFormatException.Kind#SYNTAX} when the text is no
   *     JSON, {@code CONVERSION} when it does not fit the type, {@code MISSING} when required fields
   *     are absent
   */
  public static <M extends Message> M decode(byte[] json, M type) throws JsonFormatException {
    throw new UnsupportedOperationException();
  }

  /** As {@link #decode(byte[], Message)}, from a stream, which is not closed. */
  public static <M extends Message> M decode(InputStream json, M type)
      throws JsonFormatException, IOException {
    throw new UnsupportedOperationException();
  }
}
