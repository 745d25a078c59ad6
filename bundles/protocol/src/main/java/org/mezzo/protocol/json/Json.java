package org.mezzo.protocol.json;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.core.JsonLocation;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.core.StreamWriteFeature;
import com.google.protobuf.Message;
import com.google.protobuf.MessageOrBuilder;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.util.ArrayList;
import java.util.List;
import org.mezzo.protocol.recordio.RecordIo;

/**
 * The JSON form of the protocol's messages as existing clients expect it (state-json section 9):
 * snake_case names, enums by name, bytes in base64, 64-bit integers as numbers, integral doubles
 * with {@code .0}. A singular field is written when it is set, or when it declares an explicit
 * default and is not deprecated; a list when it is not empty.
 *
 * <p>Works on generated message classes, of this bundle or another. Plans of the classes and
 * handles to their accessors are made at first use; after that nothing is looked up. No text tree
 * is built in either direction. Safe for any thread.
 */
public final class Json {
  /** Deeper nesting than this is refused: input must not choose the depth of our stack. */
  static final int MAX_DEPTH = 200;

  private static final JsonFactory FACTORY =
      JsonFactory.builder()
          .disable(StreamWriteFeature.AUTO_CLOSE_TARGET)
          .disable(StreamReadFeature.AUTO_CLOSE_SOURCE)
          .enable(StreamReadFeature.USE_FAST_DOUBLE_PARSER)
          // Names come from strangers; interning them would fill a table of the whole JVM.
          .disable(JsonFactory.Feature.INTERN_FIELD_NAMES)
          .streamReadConstraints(StreamReadConstraints.builder().maxNestingDepth(MAX_DEPTH).build())
          .build();

  private Json() {}

  /**
   * Encodes into a new array.
   *
   * @throws IllegalArgumentException when messages are nested more than 1000 deep, which neither
   *     {@link #decode} nor the protobuf parser lets in
   */
  public static byte[] encode(MessageOrBuilder message) {
    return encode(message, false);
  }

  /**
   * Encodes into a new array that is one RecordIO record: its header, then the JSON.
   *
   * @throws IllegalArgumentException as for {@link #encode}
   */
  public static byte[] encodeRecord(MessageOrBuilder message) {
    return encode(message, true);
  }

  private static byte[] encode(MessageOrBuilder message, boolean framed) {
    SegmentedOutput out = new SegmentedOutput();
    try {
      write(message, out);
    } catch (IOException e) {
      throw new IllegalArgumentException(
          "Cannot encode " + message.getDescriptorForType().getFullName() + ": " + e.getMessage(),
          e);
    }
    return framed ? out.join(RecordIo.header(out.size())) : out.join(SegmentedOutput.NOTHING);
  }

  /**
   * Encodes into a stream, which is flushed but not closed.
   *
   * @throws IOException when the stream fails, or when messages are nested more than 1000 deep
   */
  public static void write(MessageOrBuilder message, OutputStream out) throws IOException {
    Message complete =
        message instanceof Message.Builder builder ? builder.buildPartial() : (Message) message;
    try (JsonGenerator generator = FACTORY.createGenerator(out)) {
      new JsonEncoder(generator).write(complete);
    }
  }

  /**
   * Decodes and builds. Unknown names are skipped, {@code null} leaves a field unset, a scalar
   * where a list is expected is a list of one, an unknown name of an enum leaves the field unset
   * unless it is required.
   *
   * @param type the default instance of the wanted type
   * @throws JsonFormatException with {@link JsonFormatException.Kind#SYNTAX} when the text is no
   *     JSON, {@code CONVERSION} when it does not fit the type, {@code MISSING} when required
   *     fields are absent
   */
  public static <M extends Message> M decode(byte[] json, M type) throws JsonFormatException {
    try (JsonParser parser = FACTORY.createParser(json)) {
      return decode(parser, type);
    } catch (JsonFormatException e) {
      throw e;
    } catch (IOException e) {
      throw new JsonFormatException(JsonFormatException.Kind.SYNTAX, e.getMessage());
    }
  }

  /** As {@link #decode(byte[], Message)}, from a stream, which is not closed. */
  public static <M extends Message> M decode(InputStream json, M type)
      throws JsonFormatException, IOException {
    try (JsonParser parser = FACTORY.createParser(json)) {
      return decode(parser, type);
    }
  }

  /**
   * Decodes an array of messages; each as {@link #decode(byte[], Message)} does it.
   *
   * @param type the default instance of the elements' type
   */
  public static <M extends Message> List<M> decodeList(byte[] json, M type)
      throws JsonFormatException {
    try (JsonParser parser = FACTORY.createParser(json)) {
      MessagePlan plan = MessagePlan.of(type.getClass());
      List<Message.Builder> builders =
          whole(
              parser,
              JsonToken.START_ARRAY,
              "array",
              () -> {
                List<Message.Builder> read = new ArrayList<>();
                while (parser.nextToken() != JsonToken.END_ARRAY) {
                  if (parser.currentToken() != JsonToken.START_OBJECT) {
                    throw new JsonFormatException(
                        JsonFormatException.Kind.CONVERSION, "Expecting an array of JSON objects");
                  }
                  read.add(new JsonDecoder(parser).read(plan));
                }
                return read;
              });
      List<M> messages = new ArrayList<>();
      for (Message.Builder builder : builders) {
        messages.add(built(builder));
      }
      return messages;
    } catch (JsonFormatException e) {
      throw e;
    } catch (IOException e) {
      throw new JsonFormatException(JsonFormatException.Kind.SYNTAX, e.getMessage());
    }
  }

  private static <M extends Message> M decode(JsonParser parser, M type) throws IOException {
    MessagePlan plan = MessagePlan.of(type.getClass());
    return built(
        whole(parser, JsonToken.START_OBJECT, "object", () -> new JsonDecoder(parser).read(plan)));
  }

  private interface Reading<T> {
    T read() throws IOException;
  }

  /** Reads what begins with a token and is all that there is. */
  private static <T> T whole(JsonParser parser, JsonToken begin, String what, Reading<T> reading)
      throws IOException {
    T read;
    try {
      try {
        JsonToken first = parser.nextToken();
        if (first == null) {
          throw syntax(parser.currentTokenLocation(), "empty text instead of a JSON " + what, "");
        }
        if (first != begin) {
          throw new JsonFormatException(
              JsonFormatException.Kind.CONVERSION, "Expecting a JSON " + what);
        }
        read = reading.read();
      } catch (JsonFormatException e) {
        // Text that is no JSON at all is the graver fault, also when it comes later.
        if (e.kind() == JsonFormatException.Kind.CONVERSION) {
          drain(parser);
        }
        throw e;
      }
      if (parser.nextToken() != null) {
        throw syntax(
            parser.currentTokenLocation(), "unexpected text after the end of the JSON " + what, "");
      }
    } catch (JsonProcessingException e) {
      throw syntax(e.getLocation(), e.getOriginalMessage(), path(parser));
    }
    return read;
  }

  private static <M extends Message> M built(Message.Builder builder) throws JsonFormatException {
    if (!builder.isInitialized()) {
      throw new JsonFormatException(
          JsonFormatException.Kind.MISSING,
          "Missing required fields: " + String.join(", ", builder.findInitializationErrors()));
    }
    @SuppressWarnings("unchecked") // The plan's builder is that of the type.
    M message = (M) builder.build();
    return message;
  }

  private static void drain(JsonParser parser) throws IOException {
    while (parser.nextToken() != null) {
      // Only the parser's complaints matter.
    }
  }

  private static String path(JsonParser parser) {
    String pointer = parser.getParsingContext().pathAsPointer().toString();
    return pointer.isEmpty() ? "" : pointer.substring(1).replace('/', '.');
  }

  private static JsonFormatException syntax(JsonLocation where, String what, String path) {
    StringBuilder text = new StringBuilder("syntax error at line ");
    text.append(Math.max(1, where == null ? 1 : where.getLineNr()));
    text.append(" column ").append(Math.max(1, where == null ? 1 : where.getColumnNr()));
    if (!path.isEmpty()) {
      text.append(" in '").append(path.length() > 200 ? path.substring(0, 200) : path).append('\'');
    }
    return new JsonFormatException(
        JsonFormatException.Kind.SYNTAX, text.append(": ").append(what).toString());
  }
}
