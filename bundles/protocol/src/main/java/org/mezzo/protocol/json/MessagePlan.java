package org.mezzo.protocol.json;

import com.google.protobuf.DescriptorProtos.FileOptions;
import com.google.protobuf.Descriptors.Descriptor;
import com.google.protobuf.Descriptors.FileDescriptor;
import com.google.protobuf.Message;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.MethodType;
import java.util.HashMap;
import java.util.List;
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

  final Message prototype;

  /** In the order of declaration. */
  final FieldPlan[] fields;

  private final Class<?> type;
  private final MethodHandles.Lookup lookup;
  private final Map<String, FieldPlan> byName;

  /** The plan of a generated class; any other class is an IllegalArgumentException. */
  static MessagePlan of(Class<?> type) {
    return PLANS.get(type);
  }

  private MessagePlan(Class<?> type) {
    this.type = type;
    try {
      lookup = MethodHandles.privateLookupIn(type, MethodHandles.lookup());
      prototype =
          (Message)
              lookup
                  .findStatic(type, "getDefaultInstance", MethodType.methodType(type))
                  .asType(MethodType.methodType(Message.class))
                  .invokeExact();
    } catch (Throwable e) {
      throw new IllegalArgumentException(type.getName() + " is not a generated message class", e);
    }
    Descriptor descriptor = prototype.getDescriptorForType();
    fields =
        descriptor.getFields().stream()
            .map(field -> new FieldPlan(field, this))
            .toArray(FieldPlan[]::new);
    byName = new HashMap<>(fields.length * 2);
    for (FieldPlan field : fields) {
      byName.put(field.name, field);
    }
  }

  /** The field of that name, or null. */
  FieldPlan field(String name) {
    return byName.get(name);
  }

  /** An accessor of the message: {@code (Message)T}, or {@code (Message)Object}. */
  MethodHandle accessor(String name, Class<?> result) {
    try {
      // By name and exact type: listing a class's methods would load all classes they mention.
      return lookup
          .findVirtual(type, name, MethodType.methodType(result))
          .asType(MethodType.methodType(general(result), Message.class));
    } catch (ReflectiveOperationException e) {
      throw new IllegalArgumentException(type.getName() + " has no " + name, e);
    }
  }

  /** A mutator of the builder: {@code (Message.Builder, T)void}, or with Object for T. */
  MethodHandle mutator(String name, Class<?> parameter) {
    Class<?> builder = prototype.newBuilderForType().getClass();
    try {
      return lookup
          .findVirtual(builder, name, MethodType.methodType(builder, parameter))
          .asType(MethodType.methodType(void.class, Message.Builder.class, general(parameter)));
    } catch (ReflectiveOperationException e) {
      throw new IllegalArgumentException(builder.getName() + " has no " + name, e);
    }
  }

  private static Class<?> general(Class<?> type) {
    return type.isPrimitive() || type == Map.class || type == List.class ? type : Object.class;
  }

  /**
   * The class protoc made for a message or enum that a field of this message has.
   *
   * @param fullName in the protocol, nested names included
   */
  Class<?> generatedClass(FileDescriptor file, String fullName) {
    FileOptions options = file.getOptions();
    String path = file.getPackage();
    String nested = path.isEmpty() ? fullName : fullName.substring(path.length() + 1);
    String name =
        (options.hasJavaPackage() ? options.getJavaPackage() : path)
            + '.'
            + (options.getJavaMultipleFiles() ? "" : options.getJavaOuterClassname() + '$')
            + nested.replace('.', '$');
    try {
      return Class.forName(name, false, type.getClassLoader());
    } catch (ClassNotFoundException e) {
      throw new IllegalArgumentException(
          fullName + " has no class " + name + " beside " + type.getName(), e);
    }
  }
}
