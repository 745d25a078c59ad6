package org.mezzo.protocol;

import com.google.protobuf.ByteString;
import com.google.protobuf.Descriptors.EnumValueDescriptor;
import com.google.protobuf.Descriptors.FieldDescriptor;
import com.google.protobuf.Message;
import java.util.HashSet;
import java.util.List;
import java.util.Random;
import java.util.Set;

/** Makes messages with random fields set, required ones always. */
public final class RandomMessages {
  private static final int[] CODE_POINTS = {
    'a', 'Z', '0', '"', '\\', '/', '\n', 0, 0x7f, 0xe9, 0x20ac, 0x2028, 0xfffd, 0x1f600, 0x10ffff
  };

  private final Random random;

  public RandomMessages(Random random) {
    this.random = random;
  }

  /** A complete message; the deeper, the fewer optional fields it has. */
  public Message next(Message type, int depth) {
    Message.Builder builder = type.newBuilderForType();
    for (FieldDescriptor field : type.getDescriptorForType().getFields()) {
      boolean wanted =
          field.isRequired() || (random.nextInt(4) == 0 && (depth > 0 || !isMessage(field)));
      if (!wanted) {
        continue;
      }
      if (field.isMapField()) {
        Set<Object> keys = new HashSet<>();
        for (int i = random.nextInt(3); i >= 0; i--) {
          Message.Builder entry = builder.newBuilderForField(field);
          FieldDescriptor key = field.getMessageType().findFieldByNumber(1);
          FieldDescriptor value = field.getMessageType().findFieldByNumber(2);
          Object k = value(key, entry, depth);
          if (keys.add(k)) {
            entry.setField(key, k).setField(value, value(value, entry, depth));
            builder.addRepeatedField(field, entry.build());
          }
        }
      } else if (field.isRepeated()) {
        for (int i = random.nextInt(3); i >= 0; i--) {
          builder.addRepeatedField(field, value(field, builder, depth));
        }
      } else {
        builder.setField(field, value(field, builder, depth));
      }
    }
    return builder.build();
  }

  private static boolean isMessage(FieldDescriptor field) {
    return field.getJavaType() == FieldDescriptor.JavaType.MESSAGE;
  }

  private Object value(FieldDescriptor field, Message.Builder parent, int depth) {
    return switch (field.getJavaType()) {
      case INT -> random.nextInt() >> random.nextInt(32);
      case LONG -> random.nextLong() >> random.nextInt(64);
      case FLOAT -> random.nextInt(1_000_000) / 1000f;
      case DOUBLE -> number();
      case BOOLEAN -> random.nextBoolean();
      case STRING -> text();
      case BYTE_STRING -> {
        byte[] bytes = new byte[random.nextInt(20)];
        random.nextBytes(bytes);
        yield ByteString.copyFrom(bytes);
      }
      case ENUM -> {
        List<EnumValueDescriptor> values = field.getEnumType().getValues();
        yield values.get(random.nextInt(values.size()));
      }
      case MESSAGE -> next(parent.newBuilderForField(field).getDefaultInstanceForType(), depth - 1);
    };
  }

  private double number() {
    return switch (random.nextInt(6)) {
      case 0 -> random.nextInt(1000);
      case 1 -> random.nextInt(100_000_000) / 1000.0;
      case 2 -> 1.7e9 + random.nextDouble() * 1e8;
      case 3 -> Double.longBitsToDouble(random.nextLong());
      case 4 -> random.nextGaussian();
      default ->
          new double[] {
                0.0,
                -0.0,
                1e21,
                1e22,
                1e-6,
                1e-7,
                Double.MIN_VALUE,
                Double.MAX_VALUE,
                Double.POSITIVE_INFINITY,
                Double.NEGATIVE_INFINITY,
                Double.NaN
              }
              [random.nextInt(11)];
    };
  }

  private String text() {
    StringBuilder text = new StringBuilder();
    for (int i = random.nextInt(12); i > 0; i--) {
      text.appendCodePoint(CODE_POINTS[random.nextInt(CODE_POINTS.length)]);
    }
    return text.toString();
  }
}
