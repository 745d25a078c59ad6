package org.mezzo.protocol.json;

import com.fasterxml.jackson.core.JsonGenerator;
import com.google.protobuf.ByteString;
import com.google.protobuf.Message;
import java.io.IOException;
import java.lang.reflect.UndeclaredThrowableException;
import java.util.List;
import java.util.Map;

/** Writes one message, driven by plans. For one thread and one message. */
final class JsonEncoder {
  private final JsonGenerator out;
  private final char[] digits = new char[Decimals.MAX_LENGTH];

  JsonEncoder(JsonGenerator out) {
    this.out = out;
  }

  void write(Message message) throws IOException {
    write(MessagePlan.of(message.getClass()), message);
  }

  private void write(MessagePlan plan, Message message) throws IOException {
    out.writeStartObject();
    try {
      for (FieldPlan field : plan.fields) {
        if (field.repeated) {
          if (field.key == null) {
            writeList(field, (List<?>) field.get().invokeExact(message));
          } else {
            writeMap(field, (Map<?, ?>) field.get().invokeExact(message));
          }
        } else if (field.always || (boolean) field.has().invokeExact(message)) {
          writeSingular(field, message);
        }
      }
    } catch (IOException | RuntimeException | Error e) {
      throw e;
    } catch (Throwable e) {
      throw new UndeclaredThrowableException(e);
    }
    out.writeEndObject();
  }

  private void writeSingular(FieldPlan field, Message message) throws Throwable {
    out.writeFieldName(field.jsonName);
    switch (field.kind) {
      case STRING -> out.writeString((String) (Object) field.get().invokeExact(message));
      case MESSAGE -> write(field.message(), (Message) (Object) field.get().invokeExact(message));
      case DOUBLE -> writeDouble((double) field.get().invokeExact(message));
      case FLOAT -> writeFloat((float) field.get().invokeExact(message));
      case INT -> out.writeNumber((int) field.get().invokeExact(message));
      case UINT -> out.writeNumber(Integer.toUnsignedLong((int) field.get().invokeExact(message)));
      case LONG -> out.writeNumber((long) field.get().invokeExact(message));
      case ULONG -> writeUnsigned((long) field.get().invokeExact(message));
      case BOOL -> out.writeBoolean((boolean) field.get().invokeExact(message));
      case ENUM -> out.writeString(field.enumName((Object) field.get().invokeExact(message)));
      case BYTES -> writeBytes((ByteString) (Object) field.get().invokeExact(message));
    }
  }

  private void writeList(FieldPlan field, List<?> list) throws IOException {
    int size = list.size();
    if (size == 0 && !field.always) {
      return;
    }
    out.writeFieldName(field.jsonName);
    out.writeStartArray();
    for (int i = 0; i < size; i++) {
      writeBoxed(field, list.get(i));
    }
    out.writeEndArray();
  }

  private void writeMap(FieldPlan field, Map<?, ?> map) throws IOException {
    if (map.isEmpty() && !field.always) {
      return;
    }
    out.writeFieldName(field.jsonName);
    out.writeStartObject();
    for (Map.Entry<?, ?> entry : map.entrySet()) {
      out.writeFieldName(keyText(field.key, entry.getKey()));
      writeBoxed(field.value, entry.getValue());
    }
    out.writeEndObject();
  }

  private static String keyText(FieldPlan key, Object value) {
    return switch (key.kind) {
      case UINT -> Integer.toUnsignedString((Integer) value);
      case ULONG -> Long.toUnsignedString((Long) value);
      default -> value.toString();
    };
  }

  private void writeBoxed(FieldPlan field, Object value) throws IOException {
    switch (field.kind) {
      case STRING -> out.writeString((String) value);
      case MESSAGE -> write(field.message(), (Message) value);
      case DOUBLE -> writeDouble((Double) value);
      case FLOAT -> writeFloat((Float) value);
      case INT -> out.writeNumber((Integer) value);
      case UINT -> out.writeNumber(Integer.toUnsignedLong((Integer) value));
      case LONG -> out.writeNumber((Long) value);
      case ULONG -> writeUnsigned((Long) value);
      case BOOL -> out.writeBoolean((Boolean) value);
      case ENUM -> out.writeString(field.enumName(value));
      case BYTES -> writeBytes((ByteString) value);
    }
  }

  private void writeDouble(double value) throws IOException {
    if (Double.isFinite(value)) {
      out.writeNumber(digits, 0, Decimals.format(value, digits));
    } else {
      out.writeString(Double.toString(value));
    }
  }

  private void writeFloat(float value) throws IOException {
    if (Float.isFinite(value)) {
      out.writeNumber(digits, 0, Decimals.format(value, digits));
    } else {
      out.writeString(Float.toString(value));
    }
  }

  private void writeUnsigned(long value) throws IOException {
    if (value >= 0) {
      out.writeNumber(value);
    } else {
      out.writeNumber(Long.toUnsignedString(value));
    }
  }

  private void writeBytes(ByteString value) throws IOException {
    out.writeBinary(value.toByteArray());
  }
}
