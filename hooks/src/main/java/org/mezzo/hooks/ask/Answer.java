package org.mezzo.hooks.ask;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import com.google.protobuf.Message;
import java.io.IOException;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import org.mezzo.protocol.json.Json;
import org.mezzo.protocol.json.JsonFormatException;

/** What was answered: an object of JSON. Fields that nobody asks for do not matter. */
final class Answer {
  private static final JsonFactory JSON = new JsonFactory();

  /** Nothing is to be changed. */
  static final Answer NOTHING = new Answer(OptionalLong.empty(), Map.of(), Map.of());

  private final OptionalLong id;
  private final Map<String, String> texts;
  private final Map<String, byte[]> parts;

  private Answer(OptionalLong id, Map<String, String> texts, Map<String, byte[]> parts) {
    this.id = id;
    this.texts = texts;
    this.parts = parts;
  }

  /**
   * Reads one.
   *
   * @throws IOException when it is not one object of JSON
   */
  static Answer read(byte[] json) throws IOException {
    OptionalLong id = OptionalLong.empty();
    Map<String, String> texts = new HashMap<>();
    Map<String, byte[]> parts = new HashMap<>();
    try (JsonParser parser = JSON.createParser(json)) {
      if (parser.nextToken() != JsonToken.START_OBJECT) {
        throw new IOException("the answer is not an object of JSON");
      }
      while (parser.nextToken() == JsonToken.FIELD_NAME) {
        String name = parser.currentName();
        JsonToken value = parser.nextToken();
        if (value == JsonToken.START_OBJECT || value == JsonToken.START_ARRAY) {
          int begin = (int) parser.currentTokenLocation().getByteOffset();
          parser.skipChildren();
          int end = (int) parser.currentLocation().getByteOffset();
          parts.put(name, Arrays.copyOfRange(json, begin, end));
        } else if (name.equals("id") && value == JsonToken.VALUE_NUMBER_INT) {
          id = OptionalLong.of(parser.getLongValue());
        } else if (value == JsonToken.VALUE_STRING) {
          texts.put(name, parser.getText());
        }
      }
      if (parser.nextToken() != null) {
        throw new IOException("there is more behind the answer");
      }
    }
    return new Answer(id, texts, parts);
  }

  /** Which question it is the answer to. */
  OptionalLong id() {
    return id;
  }

  /** A text, where there is one. */
  Optional<String> text(String name) {
    return Optional.ofNullable(texts.get(name));
  }

  /** A message, where there is one. */
  <M extends Message> Optional<M> message(String name, M type) throws JsonFormatException {
    byte[] part = parts.get(name);
    return part == null ? Optional.empty() : Optional.of(Json.decode(part, type));
  }

  /** A list of messages, where there is one. */
  <M extends Message> Optional<List<M>> list(String name, M type) throws JsonFormatException {
    byte[] part = parts.get(name);
    return part == null ? Optional.empty() : Optional.of(Json.decodeList(part, type));
  }
}
