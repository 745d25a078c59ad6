package org.mezzo.protocol.json;

import com.google.protobuf.Descriptors.Descriptor;
import com.google.protobuf.Descriptors.FieldDescriptor;
import com.google.protobuf.Message;
import java.lang.invoke.MethodHandles;
import java.util.HashMap;
import java.util.Map;

/** What the codec knows of one generated message class; compiled at its first use. */
final class MessagePlan {
  // Bound to the class, so that a bundle that goes away takes its plans along.
  private static final ClassValue<MessagePlan> PLANS =
      new ClassValue<>() {
        @Override
        protected MessagePlan computeValue(Class<?> type) {
          return new MessagePlan(type);
        }
      };

  final Descriptor descriptor;
  final Message prototype;

  /** In the order of declaration. */
  final FieldPlan[] fields;

  private final Map<String, FieldPlan> byName = new HashMap<>();

  static MessagePlan of(Class<?> type) {
    return PLANS.get(type);
  }

  private MessagePlan(Class<?> type) {
    try {
      prototype = (Message) type.getMethod("getDefaultInstance").invoke(null);
      descriptor = prototype.getDescriptorForType();
      Class<?> builder = prototype.newBuilderForType().getClass();
      MethodHandles.Lookup lookup = MethodHandles.privateLookupIn(type, MethodHandles.lookup());
      fields = new FieldPlan[descriptor.getFields().size()];
      int i = 0;
      for (FieldDescriptor field : descriptor.getFields()) {
        FieldPlan plan = FieldPlan.of(field, type, builder, lookup);
        fields[i++] = plan;
        byName.put(field.getName(), plan);
      }
    } catch (ReflectiveOperationException e) {
      throw new IllegalArgumentException(type.getName() + " is not a generated message class", e);
    }
  }

  /** The field of that name, or null. */
  FieldPlan field(String name) {
    return byName.get(name);
  }
}
