package org.mezzo.hooks.audit;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import com.google.protobuf.MessageOrBuilder;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import org.mezzo.protocol.json.Json;

/** One line being put together. What is empty is left out. */
final class AuditLine {
  private static final JsonFactory JSON = new JsonFactory();

  private final ByteArrayOutputStream bytes = new ByteArrayOutputStream(512);
  private final JsonGenerator json;

  private AuditLine() throws IOException {
    json = JSON.createGenerator(bytes);
  }

  /** Begins with what every line has. */
  static AuditLine of(Instant time, String daemon, String event) {
    try {
      AuditLine line = new AuditLine();
      line.json.writeStartObject();
      line.json.writeStringField("time", time.truncatedTo(ChronoUnit.MILLIS).toString());
      line.json.writeStringField("daemon", daemon);
      line.json.writeStringField("event", event);
      return line;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Adds a text. */
  AuditLine with(String name, String value) {
    if (!value.isEmpty()) {
      try {
        json.writeStringField(name, value);
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }
    return this;
  }

  /** Adds a message in the JSON of the v1 API. */
  AuditLine with(String name, MessageOrBuilder message) {
    try {
      json.writeFieldName(name);
      json.writeRawValue(new String(Json.encode(message), StandardCharsets.UTF_8));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return this;
  }

  /** The line with its end. */
  byte[] end() {
    try {
      json.writeEndObject();
      json.close();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    bytes.write('\n');
    return bytes.toByteArray();
  }
}
