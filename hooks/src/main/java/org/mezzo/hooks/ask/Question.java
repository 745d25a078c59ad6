package org.mezzo.hooks.ask;

import com.google.protobuf.MessageOrBuilder;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import org.mezzo.protocol.json.Json;

/** A question being put together: an object of JSON in one line, without its end. */
final class Question {
  private final ByteArrayOutputStream line = new ByteArrayOutputStream(1024);

  private Question() {}

  /** Begins one. */
  static Question of(Point point, long id) {
    Question question = new Question();
    question.write("{\"id\":" + id + ",\"point\":\"" + point.method() + "\"");
    return question;
  }

  /** Adds a message in the JSON of the v1 API. */
  Question with(String name, MessageOrBuilder message) {
    write(",\"" + name + "\":");
    line.writeBytes(Json.encode(message));
    return this;
  }

  /** Adds a text. */
  Question with(String name, String text) {
    write(",\"" + name + "\":\"");
    line.writeBytes(
        new String(
                com.fasterxml.jackson.core.io.JsonStringEncoder.getInstance().quoteAsString(text))
            .getBytes(StandardCharsets.UTF_8));
    write("\"");
    return this;
  }

  private void write(String text) {
    line.writeBytes(text.getBytes(StandardCharsets.UTF_8));
  }

  /** The whole. */
  byte[] bytes() {
    write("}");
    byte[] whole = line.toByteArray();
    line.reset();
    return whole;
  }
}
