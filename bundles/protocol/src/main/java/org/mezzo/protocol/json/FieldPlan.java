package org.mezzo.protocol.json;

import com.fasterxml.jackson.core.io.SerializedString;
import com.google.protobuf.ByteString;
import com.google.protobuf.Descriptors.EnumValueDescriptor;
import com.google.protobuf.Descriptors.FieldDescriptor;
import com.google.protobuf.Message;
import com.google.protobuf.ProtocolMessageEnum;
import com.google.protobuf.ProtocolStringList;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.MethodType;
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

  private static final MethodHandle HAS_FIELD;

  static {
    try {
      HAS_FIELD =
          MethodHandles.lookup()
              .findVirtual(
                  Message.class,
                  "hasField",
                  MethodType.methodType(boolean.class, FieldDescriptor.class));
    } catch (ReflectiveOperationException e) {
      throw new ExceptionInInitializerError(e);
    }
  }

  final String name;
  final SerializedString jsonName;
  final Kind kind;
  final boolean repeated;
  final boolean required;

  /** Of a list or map: written when empty. Of a singular field: written when unset. */
  final boolean always;

  /** Of a map: the plans of its key and value, which have no accessors; else null. */
  final FieldPlan key;

  final FieldPlan value;

  private final FieldDescriptor field;
  private final MessagePlan owner;

  // Handles, constants and the plan of a message are made at first use: a message has many more
  // fields than are ever used, and making them loads classes. All of them are safe to publish by a
  // race, which at worst makes one of them twice.
  private MethodHandle has;
  private MethodHandle get;
  private MethodHandle set;
  private Map<String, Object> enumByName;
  private Map<Integer, SerializedString> enumNames;
  private MessagePlan message;

  FieldPlan(FieldDescriptor field, MessagePlan owner) {
    this.field = field;
    this.owner = owner;
    name = field.getName();
    jsonName = new SerializedString(name);
    kind = kind(field);
    repeated = field.isRepeated();
    required = field.isRequired();
    always =
        repeated
            ? ALWAYS_WRITTEN.contains(field.getFullName())
            : field.hasDefaultValue() && !field.getOptions().getDeprecated();
    boolean map = field.isMapField();
    key = map ? new FieldPlan(field.getMessageType().findFieldByNumber(1), owner) : null;
    value = map ? new FieldPlan(field.getMessageType().findFieldByNumber(2), owner) : null;
  }

  /** {@code (Message)boolean}; not for lists and maps. */
  MethodHandle has() {
    MethodHandle handle = has;
    if (handle == null) {
      handle = bindHas();
      has = handle;
    }
    return handle;
  }

  /**
   * {@code (Message)X}, X being the primitive of the kind, Object, List for lists, Map for maps.
   */
  MethodHandle get() {
    MethodHandle handle = get;
    if (handle == null) {
      handle = bindGet();
      get = handle;
    }
    return handle;
  }

  /** {@code (Message.Builder, X)void}: sets, adds to the list, or puts all of a map. */
  MethodHandle set() {
    MethodHandle handle = set;
    if (handle == null) {
      handle = bindSet();
      set = handle;
    }
    return handle;
  }

  private MethodHandle bindHas() {
    if (!field.hasPresence()) {
      // A scalar of proto3, such as those of Duration, counts as set when it is not zero.
      return MethodHandles.insertArguments(HAS_FIELD, 1, field);
    }
    return owner.accessor("has" + accessorName(name), boolean.class);
  }

  private MethodHandle bindGet() {
    String accessor = "get" + accessorName(name);
    if (key != null) {
      return owner.accessor(accessor + "Map", Map.class);
    }
    if (!repeated) {
      return owner.accessor(accessor, javaType());
    }
    MethodHandle getter =
        owner.accessor(
            accessor + "List", kind == Kind.STRING ? ProtocolStringList.class : List.class);
    return getter.asType(MethodType.methodType(List.class, Message.class));
  }

  private MethodHandle bindSet() {
    String accessor = accessorName(name);
    if (key != null) {
      return owner.mutator("putAll" + accessor, Map.class);
    }
    return owner.mutator((repeated ? "add" : "set") + accessor, javaType());
  }

  /** The type of a single value in the generated code. */
  private Class<?> javaType() {
    return switch (kind) {
      case STRING -> String.class;
      case BYTES -> ByteString.class;
      case DOUBLE -> double.class;
      case FLOAT -> float.class;
      case INT, UINT -> int.class;
      case LONG, ULONG -> long.class;
      case BOOL -> boolean.class;
      case MESSAGE ->
          owner.generatedClass(
              field.getMessageType().getFile(), field.getMessageType().getFullName());
      case ENUM ->
          owner.generatedClass(field.getEnumType().getFile(), field.getEnumType().getFullName());
    };
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

  /** The constant of that name, or null. */
  Object enumConstant(String text) {
    Map<String, Object> byName = enumByName;
    if (byName == null) {
      byName = new HashMap<>();
      for (Object constant : javaType().getEnumConstants()) {
        byName.put(((Enum<?>) constant).name(), constant);
      }
      byName = Map.copyOf(byName);
      enumByName = byName;
    }
    return byName.get(text);
  }

  SerializedString enumName(Object constant) {
    Map<Integer, SerializedString> names = enumNames;
    if (names == null) {
      names = new HashMap<>();
      for (EnumValueDescriptor each : field.getEnumType().getValues()) {
        names.putIfAbsent(each.getNumber(), new SerializedString(each.getName()));
      }
      names = Map.copyOf(names);
      enumNames = names;
    }
    return names.get(((ProtocolMessageEnum) constant).getNumber());
  }

  /** The plan of the message this field holds. */
  MessagePlan message() {
    MessagePlan plan = message;
    if (plan == null) {
      plan = MessagePlan.of(javaType());
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
