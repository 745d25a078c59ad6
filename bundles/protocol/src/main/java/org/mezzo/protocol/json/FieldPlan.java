package org.mezzo.protocol.json;

import com.fasterxml.jackson.core.io.SerializedString;
import com.google.protobuf.Descriptors.EnumValueDescriptor;
import com.google.protobuf.Descriptors.FieldDescriptor;
import com.google.protobuf.Message;
import com.google.protobuf.ProtocolMessageEnum;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.MethodType;
import java.lang.reflect.Method;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * How one field is read from and written to its generated class: method handles to the accessors
 * that protoc made, adapted to a handful of signatures so that values are never boxed.
 */
final class FieldPlan {
  /** The JSON form of a value. */
  enum Kind {
    STRING,
    MESSAGE,
    DOUBLE,
    FLOAT,
    INT,
    UINT,
    LONG,
    ULONG,
    BOOL,
    ENUM,
    BYTES
  }

  /**
   * Lists that answers of the operator APIs carry also when they are empty, as clients know them;
   * every other list is written only when it has elements.
   */
  private static final Set<String> ALWAYS_WRITTEN =
      Set.of(
          "mesos.v1.master.Response.GetAgents.agents",
          "mesos.v1.master.Response.GetAgents.recovered_agents",
          "mesos.v1.master.Response.GetExecutors.executors",
          "mesos.v1.master.Response.GetFrameworks.frameworks",
          "mesos.v1.master.Response.GetFrameworks.completed_frameworks",
          "mesos.v1.master.Response.GetTasks.tasks",
          "mesos.v1.master.Response.GetTasks.completed_tasks",
          "mesos.v1.master.Response.GetTasks.unreachable_tasks",
          "mesos.v1.agent.Response.GetExecutors.executors",
          "mesos.v1.agent.Response.GetExecutors.completed_executors",
          "mesos.v1.agent.Response.GetFrameworks.frameworks",
          "mesos.v1.agent.Response.GetFrameworks.completed_frameworks",
          "mesos.v1.agent.Response.GetTasks.pending_tasks",
          "mesos.v1.agent.Response.GetTasks.queued_tasks",
          "mesos.v1.agent.Response.GetTasks.launched_tasks",
          "mesos.v1.agent.Response.GetTasks.terminated_tasks",
          "mesos.v1.agent.Response.GetTasks.completed_tasks");

  final String name;
  final SerializedString jsonName;
  final Kind kind;
  final boolean repeated;
  final boolean required;

  /** Of a list or map: written when empty. Of a singular field: written when unset. */
  final boolean always;

  /** Of a map: the plans of its key and value; their handles are not used. */
  final FieldPlan key;

  final FieldPlan value;

  /** {@code (Message)boolean}; null for lists and maps. */
  final MethodHandle has;

  /** {@code (Message)X}, X being the primitive of the kind, Object, List for lists, Map for maps. */
  final MethodHandle get;

  /** {@code (Message.Builder, X)void}: sets, adds to the list, or puts all of a map. */
  final MethodHandle set;

  private final Class<?> type;
  private final Map<String, Object> enumByName;
  private final SerializedString[] enumNames;
  private final Map<Integer, SerializedString> sparseEnumNames;
  private MessagePlan message;

  static FieldPlan of(
      FieldDescriptor field, Class<?> message, Class<?> builder, MethodHandles.Lookup lookup)
      throws ReflectiveOperationException {
    return new FieldPlan(field, message, builder, lookup);
  }

  private FieldPlan(
      FieldDescriptor field, Class<?> message, Class<?> builder, MethodHandles.Lookup lookup)
      throws ReflectiveOperationException {
    name = field.getName();
    jsonName = new SerializedString(name);
    kind = kind(field);
    repeated = field.isRepeated();
    required = field.isRequired();
    always =
        repeated
            ? ALWAYS_WRITTEN.contains(field.getFullName())
            : field.hasDefaultValue() && !field.getOptions().getDeprecated();
    String accessor = accessorName(name);
    if (field.isMapField()) {
      has = null;
      Method getter = message.getMethod("get" + accessor + "Map");
      get = lookup.unreflect(getter).asType(MethodType.methodType(Map.class, Message.class));
      set =
          lookup
              .unreflect(builder.getMethod("putAll" + accessor, Map.class))
              .asType(MethodType.methodType(void.class, Message.Builder.class, Map.class));
      FieldDescriptor keyField = field.getMessageType().findFieldByNumber(1);
      FieldDescriptor valueField = field.getMessageType().findFieldByNumber(2);
      key = new FieldPlan(keyField, String.class);
      value = new FieldPlan(valueField, mapValueType(getter));
      type = Map.class;
    } else if (repeated) {
      has = null;
      key = null;
      value = null;
      get =
          lookup
              .unreflect(message.getMethod("get" + accessor + "List"))
              .asType(MethodType.methodType(List.class, Message.class));
      type = message.getMethod("get" + accessor, int.class).getReturnType();
      set = setter(lookup, builder.getMethod("add" + accessor, type));
    } else {
      key = null;
      value = null;
      has =
          field.hasPresence()
              ? lookup
                  .unreflect(message.getMethod("has" + accessor))
                  .asType(MethodType.methodType(boolean.class, Message.class))
              : MethodHandles.insertArguments(hasField(), 1, field);
      Method getter = message.getMethod("get" + accessor);
      type = getter.getReturnType();
      get =
          lookup
              .unreflect(getter)
              .asType(
                  MethodType.methodType(type.isPrimitive() ? type : Object.class, Message.class));
      set = setter(lookup, builder.getMethod("set" + accessor, type));
    }
    enumByName = new HashMap<>();
    sparseEnumNames = new HashMap<>();
    enumNames = indexEnum(field);
  }

  /** A key or value of a map: only what is needed to convert it. */
  private FieldPlan(FieldDescriptor field, Class<?> type) throws ReflectiveOperationException {
    name = field.getName();
    jsonName = new SerializedString(name);
    kind = kind(field);
    repeated = false;
    required = false;
    always = false;
    key = null;
    value = null;
    has = null;
    get = null;
    set = null;
    this.type = type;
    enumByName = new HashMap<>();
    sparseEnumNames = new HashMap<>();
    enumNames = indexEnum(field);
  }

  /** For proto3 scalars, such as those of Duration: they count as set when they are not zero. */
  private static MethodHandle hasField() throws ReflectiveOperationException {
    return MethodHandles.lookup()
        .findVirtual(
            Message.class,
            "hasField",
            MethodType.methodType(boolean.class, FieldDescriptor.class));
  }

  private static MethodHandle setter(MethodHandles.Lookup lookup, Method method)
      throws IllegalAccessException {
    Class<?> type = method.getParameterTypes()[0];
    return lookup
        .unreflect(method)
        .asType(
            MethodType.methodType(
                void.class, Message.Builder.class, type.isPrimitive() ? type : Object.class));
  }

  private static Class<?> mapValueType(Method getter) {
    java.lang.reflect.Type generic = getter.getGenericReturnType();
    java.lang.reflect.Type valueType =
        ((java.lang.reflect.ParameterizedType) generic).getActualTypeArguments()[1];
    return (Class<?>) valueType;
  }

  private static Kind kind(FieldDescriptor field) {
    return switch (field.getType()) {
      case STRING -> Kind.STRING;
      case MESSAGE, GROUP -> Kind.MESSAGE;
      case DOUBLE -> Kind.DOUBLE;
      case FLOAT -> Kind.FLOAT;
      case INT32, SINT32, SFIXED32 -> Kind.INT;
      case UINT32, FIXED32 -> Kind.UINT;
      case INT64, SINT64, SFIXED64 -> Kind.LONG;
      case UINT64, FIXED64 -> Kind.ULONG;
      case BOOL -> Kind.BOOL;
      case ENUM -> Kind.ENUM;
      case BYTES -> Kind.BYTES;
    };
  }

  private SerializedString[] indexEnum(FieldDescriptor field) throws ReflectiveOperationException {
    if (kind != Kind.ENUM) {
      return null;
    }
    Method forNumber = type.getMethod("forNumber", int.class);
    int max = 0;
    for (EnumValueDescriptor each : field.getEnumType().getValues()) {
      enumByName.put(each.getName(), forNumber.invoke(null, each.getNumber()));
      sparseEnumNames.putIfAbsent(each.getNumber(), new SerializedString(each.getName()));
      max = Math.max(max, each.getNumber());
    }
    SerializedString[] dense = new SerializedString[Math.min(max + 1, 1024)];
    for (int i = 0; i < dense.length; i++) {
      dense[i] = sparseEnumNames.get(i);
    }
    return dense;
  }

  /** The constant of that name, or null. */
  Object enumConstant(String text) {
    return enumByName.get(text);
  }

  SerializedString enumName(Object constant) {
    int number = ((ProtocolMessageEnum) constant).getNumber();
    return number >= 0 && number < enumNames.length
        ? enumNames[number]
        : sparseEnumNames.get(number);
  }

  /** The plan of the message this field holds. */
  MessagePlan message() {
    MessagePlan plan = message;
    if (plan == null) {
      // A race finds the same plan twice.
      plan = MessagePlan.of(type);
      message = plan;
    }
    return plan;
  }

  /** The name protoc gives to a field's accessors: each letter after a non-letter is a capital. */
  private static String accessorName(String field) {
    StringBuilder name = new StringBuilder(field.length());
    boolean capital = true;
    for (int i = 0; i < field.length(); i++) {
      char c = field.charAt(i);
      if (c >= 'a' && c <= 'z') {
        name.append(capital ? (char) (c - 'a' + 'A') : c);
        capital = false;
      } else if (c >= 'A' && c <= 'Z') {
        name.append(c);
        capital = false;
      } else {
        if (c >= '0' && c <= '9') {
          name.append(c);
        }
        capital = true;
      }
    }
    // Object.getClass() is taken.
    return name.toString().equals("Class") ? "Class_" : name.toString();
  }
}
