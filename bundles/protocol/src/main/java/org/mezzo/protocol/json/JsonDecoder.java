package org.mezzo.protocol.json;

import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import com.google.protobuf.ByteString;
import com.google.protobuf.Message;
import java.io.IOException;
import java.lang.reflect.UndeclaredThrowableException;
import java.math.BigDecimal;
import java.util.Arrays;
import java.util.Base64;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * Reads one message, driven by plans. For one thread and one message. The texts of conversion
 * errors are those clients know from Mesos where it has one.
 */
final class JsonDecoder {
  /** Stands for "leave it unset": an unknown name of an enum. */
  private static final Object UNSET = new Object();

  /** No number of the protocol has a longer text; longer ones are not worth parsing. */
  private static final int MAX_NUMBER_LENGTH = 400;

  private static final int MAX_QUOTED_LENGTH = 40;

  private final JsonParser in;

  JsonDecoder(JsonParser in) {
    this.in = in;
  }

  /** Reads the object whose start is the current token. */
  Message.Builder read(MessagePlan plan) throws IOException {
    Message.Builder builder = plan.prototype.newBuilderForType();
    try {
      for (String name = in.nextFieldName(); name != null; name = in.nextFieldName()) {
        JsonToken token = in.nextToken();
        FieldPlan field = plan.field(name);
        if (field == null) {
          in.skipChildren();
        } else if (token != JsonToken.VALUE_NULL) {
          readField(field, token, builder);
        }
      }
    } catch (IOException | RuntimeException | Error e) {
      throw e;
    } catch (Throwable e) {
      throw new UndeclaredThrowableException(e);
    }
    return builder;
  }

  private void readField(FieldPlan field, JsonToken token, Message.Builder builder)
      throws Throwable {
    if (field.key != null) {
      readMap(field, token, builder);
    } else if (!field.repeated) {
      readValue(field, token, builder);
    } else if (token != JsonToken.START_ARRAY) {
      readValue(field, token, builder);
    } else {
      for (token = in.nextToken(); token != JsonToken.END_ARRAY; token = in.nextToken()) {
        if (token != JsonToken.VALUE_NULL) {
          readValue(field, token, builder);
        }
      }
    }
  }

  /** Sets the field, or adds to its list. */
  private void readValue(FieldPlan field, JsonToken token, Message.Builder builder)
      throws Throwable {
    switch (field.kind) {
      case DOUBLE -> field.set().invokeExact(builder, doubleValue(field, token));
      case FLOAT -> field.set().invokeExact(builder, floatValue(field, token));
      case INT -> field.set().invokeExact(builder, intValue(field, token));
      case UINT -> field.set().invokeExact(builder, uintValue(field, token));
      case LONG, ULONG -> field.set().invokeExact(builder, longValue(field, token));
      case BOOL -> field.set().invokeExact(builder, boolValue(field, token));
      case STRING, BYTES, ENUM, MESSAGE -> {
        Object value = objectValue(field, token);
        if (value != UNSET) {
          field.set().invokeExact(builder, value);
        }
      }
    }
  }

  private Object objectValue(FieldPlan field, JsonToken token) throws IOException {
    switch (field.kind) {
      case MESSAGE -> {
        if (token != JsonToken.START_OBJECT) {
          throw unexpected(field, token);
        }
        return read(field.message()).buildPartial();
      }
      case STRING -> {
        if (token != JsonToken.VALUE_STRING) {
          throw unexpected(field, token);
        }
        return wellFormed(field, in.getText());
      }
      case ENUM -> {
        if (token != JsonToken.VALUE_STRING) {
          throw unexpected(field, token);
        }
        Object constant = field.enumConstant(in.getText());
        if (constant != null) {
          return constant;
        }
        if (field.required) {
          throw conversion(
              "Unknown value '"
                  + quoted(in.getText())
                  + "' of required field '"
                  + field.name
                  + "'");
        }
        return UNSET;
      }
      case BYTES -> {
        if (token != JsonToken.VALUE_STRING) {
          throw unexpected(field, token);
        }
        return bytes(field, in.getText());
      }
      case DOUBLE -> {
        return doubleValue(field, token);
      }
      case FLOAT -> {
        return floatValue(field, token);
      }
      case INT -> {
        return intValue(field, token);
      }
      case UINT -> {
        return uintValue(field, token);
      }
      case LONG, ULONG -> {
        return longValue(field, token);
      }
      case BOOL -> {
        return boolValue(field, token);
      }
    }
    throw new IllegalStateException(field.name);
  }

  private void readMap(FieldPlan field, JsonToken token, Message.Builder builder) throws Throwable {
    if (token != JsonToken.START_OBJECT) {
      throw unexpected(field, token);
    }
    Map<Object, Object> map = new LinkedHashMap<>();
    for (String name = in.nextFieldName(); name != null; name = in.nextFieldName()) {
      token = in.nextToken();
      if (token == JsonToken.VALUE_NULL) {
        continue;
      }
      Object key = key(field, name);
      Object value = objectValue(field.value, token);
      if (value != UNSET) {
        map.put(key, value);
      }
    }
    field.set().invokeExact(builder, map);
  }

  private static Object key(FieldPlan field, String text) throws JsonFormatException {
    switch (field.key.kind) {
      case STRING -> {
        return wellFormed(field, text);
      }
      case BOOL -> {
        if (text.equals("true") || text.equals("false")) {
          return text.equals("true");
        }
        throw conversion("Expecting 'true' or 'false' as key of '" + field.name + "'");
      }
      case INT -> {
        return (int) integer(field, text, Integer.MIN_VALUE, Integer.MAX_VALUE);
      }
      case UINT -> {
        return (int) integer(field, text, 0, 0xffff_ffffL);
      }
      case LONG -> {
        return integer(field, text, Long.MIN_VALUE, Long.MAX_VALUE);
      }
      case ULONG -> {
        return unsigned(field, text);
      }
      default -> throw new IllegalStateException(field.name);
    }
  }

  private double doubleValue(FieldPlan field, JsonToken token) throws IOException {
    double value;
    switch (token) {
      case VALUE_NUMBER_INT, VALUE_NUMBER_FLOAT -> value = in.getDoubleValue();
      case VALUE_STRING -> {
        String text = in.getText();
        switch (text) {
          case "Infinity" -> {
            return Double.POSITIVE_INFINITY;
          }
          case "-Infinity" -> {
            return Double.NEGATIVE_INFINITY;
          }
          case "NaN" -> {
            return Double.NaN;
          }
          default -> value = decimal(field, text).doubleValue();
        }
      }
      default -> throw unexpected(field, token);
    }
    if (Double.isInfinite(value)) {
      throw outOfRange(field, in.getText(), "a 64-bit floating point number");
    }
    return value;
  }

  private float floatValue(FieldPlan field, JsonToken token) throws IOException {
    double wide = doubleValue(field, token);
    float value = (float) wide;
    if (Float.isInfinite(value) && !Double.isInfinite(wide)) {
      throw outOfRange(field, in.getText(), "a 32-bit floating point number");
    }
    return value;
  }

  private int intValue(FieldPlan field, JsonToken token) throws IOException {
    return (int) ranged(field, token, Integer.MIN_VALUE, Integer.MAX_VALUE);
  }

  private int uintValue(FieldPlan field, JsonToken token) throws IOException {
    return (int) ranged(field, token, 0, 0xffff_ffffL);
  }

  private long longValue(FieldPlan field, JsonToken token) throws IOException {
    if (field.kind == FieldPlan.Kind.LONG) {
      return ranged(field, token, Long.MIN_VALUE, Long.MAX_VALUE);
    }
    if (token == JsonToken.VALUE_NUMBER_INT
        && in.getNumberType() != JsonParser.NumberType.BIG_INTEGER) {
      return ranged(field, token, 0, Long.MAX_VALUE);
    }
    if (!token.isNumeric() && token != JsonToken.VALUE_STRING) {
      throw unexpected(field, token);
    }
    return unsigned(field, in.getText());
  }

  private long ranged(FieldPlan field, JsonToken token, long min, long max) throws IOException {
    if (token == JsonToken.VALUE_NUMBER_INT
        && in.getNumberType() != JsonParser.NumberType.BIG_INTEGER) {
      long value = in.getLongValue();
      if (value < min || value > max) {
        throw outOfRange(field, in.getText(), "an integer from " + min + " to " + max);
      }
      return value;
    }
    if (!token.isNumeric() && token != JsonToken.VALUE_STRING) {
      throw unexpected(field, token);
    }
    return integer(field, in.getText(), min, max);
  }

  private boolean boolValue(FieldPlan field, JsonToken token) throws IOException {
    switch (token) {
      case VALUE_TRUE -> {
        return true;
      }
      case VALUE_FALSE -> {
        return false;
      }
      case VALUE_STRING -> {
        String text = in.getText();
        if (text.equals("true")) {
          return true;
        }
        if (text.equals("false")) {
          return false;
        }
        throw unexpected(field, token);
      }
      default -> throw unexpected(field, token);
    }
  }

  /** An integer, also when it is written as 5.0 or 1e9. */
  private static long integer(FieldPlan field, String text, long min, long max)
      throws JsonFormatException {
    BigDecimal number = decimal(field, text);
    try {
      if (isExpandable(number)) {
        long value = number.longValueExact();
        if (value >= min && value <= max) {
          return value;
        }
      }
    } catch (ArithmeticException e) {
      // Has a fraction: falls through to the same complaint.
    }
    throw outOfRange(field, text, "an integer from " + min + " to " + max);
  }

  private static long unsigned(FieldPlan field, String text) throws JsonFormatException {
    BigDecimal number = decimal(field, text);
    try {
      if (number.signum() >= 0 && isExpandable(number)) {
        return Long.parseUnsignedLong(number.toBigIntegerExact().toString());
      }
    } catch (ArithmeticException | NumberFormatException e) {
      // Has a fraction or more than 64 bits: falls through to the same complaint.
    }
    throw outOfRange(field, text, "an integer from 0 to 18446744073709551615");
  }

  /** Whether exponent and digits are small enough to be expanded without harm. */
  private static boolean isExpandable(BigDecimal number) {
    return number.signum() == 0
        ? number.scale() > -MAX_NUMBER_LENGTH
        : (long) number.precision() - number.scale() <= 20 && number.scale() <= MAX_NUMBER_LENGTH;
  }

  private static BigDecimal decimal(FieldPlan field, String text) throws JsonFormatException {
    if (text.length() <= MAX_NUMBER_LENGTH && isDecimal(text)) {
      try {
        return new BigDecimal(text);
      } catch (NumberFormatException e) {
        // Falls through to the same complaint.
      }
    }
    throw conversion(
        "Failed to parse '" + quoted(text) + "' as a JSON number for field '" + field.name + "'");
  }

  private static boolean isDecimal(String text) {
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      if ((c < '0' || c > '9') && c != '.' && c != '-' && c != '+' && c != 'e' && c != 'E') {
        return false;
      }
    }
    return true;
  }

  /**
   * Base64 of either alphabet, with as much padding as the client likes, none included; white space
   * is skipped.
   */
  private static ByteString bytes(FieldPlan field, String text) throws JsonFormatException {
    byte[] clean = new byte[text.length()];
    int length = 0;
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      if (c == '-') {
        c = '+';
      } else if (c == '_') {
        c = '/';
      } else if (c == ' ' || c == '\n' || c == '\r' || c == '\t') {
        continue;
      }
      boolean valid =
          (c >= 'A' && c <= 'Z')
              || (c >= 'a' && c <= 'z')
              || (c >= '0' && c <= '9')
              || c == '+'
              || c == '/'
              || c == '=';
      if (!valid) {
        throw conversion(
            "Failed to base64 decode bytes field '"
                + field.name
                + "': Invalid character '"
                + quoted(String.valueOf(c))
                + "'");
      }
      clean[length++] = (byte) c;
    }
    while (length > 0 && clean[length - 1] == '=') {
      length--;
    }
    try {
      byte[] exact = length == clean.length ? clean : Arrays.copyOf(clean, length);
      return ByteString.copyFrom(Base64.getDecoder().decode(exact));
    } catch (IllegalArgumentException e) {
      throw conversion(
          "Failed to base64 decode bytes field '" + field.name + "': " + e.getMessage());
    }
  }

  /** Refuses what could be read but never be written again. */
  private static String wellFormed(FieldPlan field, String text) throws JsonFormatException {
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      if (Character.isSurrogate(c)) {
        if (Character.isHighSurrogate(c)
            && i + 1 < text.length()
            && Character.isLowSurrogate(text.charAt(i + 1))) {
          i++;
        } else {
          throw conversion("Unpaired surrogate in the text of field '" + field.name + "'");
        }
      }
    }
    return text;
  }

  private static JsonFormatException unexpected(FieldPlan field, JsonToken token) {
    String what =
        switch (token) {
          case START_OBJECT -> "object";
          case START_ARRAY -> "array";
          case VALUE_STRING -> "string";
          case VALUE_NUMBER_INT, VALUE_NUMBER_FLOAT -> "number";
          case VALUE_TRUE, VALUE_FALSE -> "boolean";
          default -> "null";
        };
    return conversion("Not expecting a JSON " + what + " for field '" + field.name + "'");
  }

  private static JsonFormatException outOfRange(FieldPlan field, String text, String expected) {
    return conversion(
        "Expecting " + expected + " for field '" + field.name + "', not " + quoted(text));
  }

  private static JsonFormatException conversion(String text) {
    return new JsonFormatException(JsonFormatException.Kind.CONVERSION, text);
  }

  /** Input as it may appear in an error message: short and printable. */
  private static String quoted(String text) {
    String head =
        text.length() > MAX_QUOTED_LENGTH ? text.substring(0, MAX_QUOTED_LENGTH) + "..." : text;
    StringBuilder safe = new StringBuilder(head.length());
    for (int i = 0; i < head.length(); i++) {
      char c = head.charAt(i);
      safe.append(Character.isISOControl(c) || Character.isSurrogate(c) ? '?' : c);
    }
    return safe.toString();
  }
}
