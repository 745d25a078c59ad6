package org.mezzo.daemon.json;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.core.io.NumberOutput;
import com.google.protobuf.ByteString;
import com.google.protobuf.Descriptors.EnumValueDescriptor;
import com.google.protobuf.Descriptors.FieldDescriptor;
import com.google.protobuf.Message;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.math.BigDecimal;
import java.util.Collection;
import java.util.List;
import java.util.function.Consumer;

/**
 * Writes JSON piece by piece, with numbers as v0 clients know them: doubles in their shortest form
 * with at least one decimal ({@code 4.0}), integers without. For one thread at a time. A failing
 * stream throws {@link UncheckedIOException}.
 */
public final class JsonOut implements AutoCloseable {
  private static final JsonFactory FACTORY = new JsonFactory();

  private final JsonGenerator json;

  /** Writes to a stream, which {@link #close} flushes and does not close. */
  public JsonOut(OutputStream out) {
    try {
      json = FACTORY.createGenerator(out);
      json.disable(JsonGenerator.Feature.AUTO_CLOSE_TARGET);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** The text of one value in UTF-8. */
  public static byte[] bytes(Consumer<JsonOut> value) {
    ByteArrayOutputStream out = new ByteArrayOutputStream(512);
    try (JsonOut json = new JsonOut(out)) {
      value.accept(json);
    }
    return out.toByteArray();
  }

  /** The text of one object in UTF-8. */
  public static byte[] objectBytes(Consumer<JsonOut> fields) {
    return bytes(json -> json.object(() -> fields.accept(json)));
  }

  private interface Step {
    void run() throws IOException;
  }

  private static void run(Step step) {
    try {
      step.run();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** The name of the next field. */
  public JsonOut name(String name) {
    run(() -> json.writeFieldName(name));
    return this;
  }

  public void text(String value) {
    run(() -> json.writeString(value));
  }

  public void integer(long value) {
    run(() -> json.writeNumber(value));
  }

  /** A double; infinities and NaN become texts, which JSON has no numbers for. */
  public void number(double value) {
    if (Double.isFinite(value)) {
      run(() -> json.writeNumber(text(value)));
    } else {
      text(Double.toString(value));
    }
  }

  public void bool(boolean value) {
    run(() -> json.writeBoolean(value));
  }

  /** An object; {@code fields} writes what is in it. */
  public void object(Runnable fields) {
    run(json::writeStartObject);
    fields.run();
    run(json::writeEndObject);
  }

  /** An array; {@code elements} writes what is in it. */
  public void array(Runnable elements) {
    run(json::writeStartArray);
    elements.run();
    run(json::writeEndArray);
  }

  public void field(String name, String value) {
    name(name).text(value);
  }

  public void field(String name, double value) {
    name(name).number(value);
  }

  public void integer(String name, long value) {
    name(name).integer(value);
  }

  public void field(String name, boolean value) {
    name(name).bool(value);
  }

  public void object(String name, Runnable fields) {
    name(name).object(fields);
  }

  public void array(String name, Runnable elements) {
    name(name).array(elements);
  }

  /** An array with one element for each item. */
  public <T> void array(String name, Iterable<T> items, Consumer<T> element) {
    name(name).array(() -> items.forEach(element));
  }

  /** An array of texts. */
  public void texts(String name, Collection<String> values) {
    array(name, values, this::text);
  }

  /** A message as the unversioned API writes it: see {@link #message(Message)}. */
  public void message(String name, Message message) {
    name(name).message(message);
  }

  /**
   * A message with the names of the unversioned API ({@code slave_id}, {@code
   * REASON_SLAVE_REMOVED}): fields that are set, and unset ones with a default that are not
   * deprecated; lists that are not empty.
   */
  public void message(Message message) {
    object(
        () -> {
          for (FieldDescriptor field : message.getDescriptorForType().getFields()) {
            if (field.isRepeated()) {
              List<?> values = (List<?>) message.getField(field);
              if (field.isMapField() && !values.isEmpty()) {
                object(unversioned(field.getName()), () -> values.forEach(this::entry));
              } else if (!values.isEmpty()) {
                array(unversioned(field.getName()), values, value -> value(field, value));
              }
            } else if (message.hasField(field)
                || (field.hasDefaultValue() && !field.getOptions().getDeprecated())) {
              name(unversioned(field.getName()));
              value(field, message.getField(field));
            }
          }
        });
  }

  private void entry(Object entry) {
    Message pair = (Message) entry;
    List<FieldDescriptor> fields = pair.getDescriptorForType().getFields();
    name(pair.getField(fields.get(0)).toString());
    value(fields.get(1), pair.getField(fields.get(1)));
  }

  private void value(FieldDescriptor field, Object value) {
    switch (field.getJavaType()) {
      case INT:
        integer(
            field.getType() == FieldDescriptor.Type.UINT32
                    || field.getType() == FieldDescriptor.Type.FIXED32
                ? Integer.toUnsignedLong((Integer) value)
                : (Integer) value);
        break;
      case LONG:
        if ((Long) value < 0
            && (field.getType() == FieldDescriptor.Type.UINT64
                || field.getType() == FieldDescriptor.Type.FIXED64)) {
          run(() -> json.writeNumber(Long.toUnsignedString((Long) value)));
        } else {
          integer((Long) value);
        }
        break;
      case FLOAT:
      case DOUBLE:
        number(((Number) value).doubleValue());
        break;
      case BOOLEAN:
        bool((Boolean) value);
        break;
      case STRING:
        text((String) value);
        break;
      case BYTE_STRING:
        run(() -> json.writeBinary(((ByteString) value).toByteArray()));
        break;
      case ENUM:
        text(enumName((EnumValueDescriptor) value));
        break;
      case MESSAGE:
        message((Message) value);
        break;
      default:
        throw new IllegalArgumentException("Unknown field type of " + field.getFullName());
    }
  }

  /** A field name as the unversioned API has it. */
  static String unversioned(String name) {
    return name.contains("agent") ? name.replace("agent", "slave") : name;
  }

  /** An enum value's name as the unversioned API has it. */
  static String enumName(EnumValueDescriptor value) {
    String name = value.getName();
    return name.contains("AGENT") ? name.replace("AGENT", "SLAVE") : name;
  }

  /** A finite double in its shortest form, with at least one decimal. */
  public static String text(double value) {
    String shortest = NumberOutput.toString(value, true);
    int exponent = shortest.indexOf('E');
    if (exponent < 0) {
      return shortest;
    }
    double magnitude = Math.abs(value);
    if (magnitude >= 1e-5 && magnitude < 1e17) {
      String plain = new BigDecimal(shortest).stripTrailingZeros().toPlainString();
      return plain.indexOf('.') < 0 ? plain + ".0" : plain;
    }
    return shortest.replace('E', 'e');
  }

  /** Completes the text. */
  @Override
  public void close() {
    run(json::close);
  }
}
