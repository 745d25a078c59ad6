package org.mezzo.itests.cluster;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.google.protobuf.ByteString;
import com.google.protobuf.Descriptors.EnumValueDescriptor;
import com.google.protobuf.Descriptors.FieldDescriptor;
import com.google.protobuf.Message;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Random;
import java.util.Set;
import org.mezzo.protocol.json.Json;
import org.mezzo.protocol.v1.AgentID;
import org.mezzo.protocol.v1.FrameworkID;
import org.mezzo.protocol.v1.OfferID;
import org.mezzo.protocol.v1.Resource;
import org.mezzo.protocol.v1.Value;
import org.mezzo.protocol.v1.Volume;

/**
 * Calls that are well formed and often nearly right: made from the descriptors of the messages,
 * with ids of the cluster that they are for. Every call and every field is made sometimes.
 */
final class RandomCalls {
  static final String ROLE = "fuzz";

  private static final int DEPTH = 7;
  private static final List<String> ROLES = List.of(ROLE, ROLE, ROLE + "/x", "*", "a b", "");

  /** Neither cpus nor memory, so that what is reserved or limited leaves room for a task. */
  private static final List<String> NAMES = List.of("disk", "disk", "ports", "gpus", "x", "");

  private static final double[] NUMBERS = {
    0, 0.001, 1, 1, 2, 16, -1, 1e9, 1e300, Double.NaN, Double.POSITIVE_INFINITY
  };

  /**
   * End, drain or replace what they are for: that are the victims, never the agent and the
   * framework that the others are for. Machines have names that are nobody's, because all agents
   * are on one.
   */
  private static final Set<String> FINAL =
      Set.of(
          "MARK_AGENT_GONE",
          "DRAIN_AGENT",
          "DEACTIVATE_AGENT",
          "UPDATE_MAINTENANCE_SCHEDULE",
          "START_MAINTENANCE",
          "TEARDOWN",
          "SUBSCRIBE");

  private final Random random;
  private final String frameworkId;
  private final String agentId;
  private List<String> offers = List.of();
  private String victim = "x";
  private List<String> victims = List.of("nobody");
  private boolean ending;

  RandomCalls(Random random, String frameworkId, String agentId) {
    this.random = random;
    this.frameworkId = frameworkId;
    this.agentId = agentId;
  }

  /** What calls are for from now on that end it. */
  void victims(String frameworkId, List<String> agentIds) {
    victim = frameworkId;
    victims = List.copyOf(agentIds);
  }

  /** Whether the last call is one for the victims. */
  boolean ending() {
    return ending;
  }

  /** Offers to answer from now on. */
  void offers(List<String> ids) {
    offers = List.copyOf(ids);
  }

  /** A call of any type of that API, mostly with the message that goes with it. */
  Message call(Message prototype) {
    Message.Builder call = prototype.newBuilderForType();
    FieldDescriptor type = prototype.getDescriptorForType().findFieldByName("type");
    EnumValueDescriptor chosen = any(type.getEnumType().getValues());
    ending = FINAL.contains(chosen.getName());
    call.setField(type, chosen);
    for (FieldDescriptor field : prototype.getDescriptorForType().getFields()) {
      if (field.equals(type)) {
        continue;
      }
      boolean own = field.getName().equals(chosen.getName().toLowerCase(Locale.ROOT));
      boolean id = field.getName().equals("framework_id");
      if (random.nextInt(100) < (own || id ? 97 : 2)) {
        set(call, field, 1);
      }
    }
    return call.buildPartial();
  }

  /** A form for an endpoint that changes resources, or is about a framework. */
  String form() {
    return switch (random.nextInt(3)) {
      case 0 -> "frameworkId=" + any(List.of("x", "", "%", victim));
      case 1 -> "slaveId=" + agent() + "&resources=" + texts() + "&volumes=" + texts();
      default -> texts();
    };
  }

  /** Resources as JSON, for forms and for the bodies of quota and weights. */
  String texts() {
    List<String> all = new ArrayList<>();
    for (int i = random.nextInt(3); i >= 0; i--) {
      all.add(new String(Json.encode(finite(resource())), UTF_8));
    }
    return random.nextInt(10) == 0
        ? any(List.of("[", "{}", "null", "[{\"role\":\"fuzz\",\"weight\":2.5}]"))
        : all.toString();
  }

  /** JSON has no other numbers. */
  private static Resource finite(Resource resource) {
    return Double.isFinite(resource.getScalar().getValue())
        ? resource
        : resource.toBuilder().setScalar(Value.Scalar.newBuilder().setValue(1)).build();
  }

  private <T> T any(List<T> all) {
    return all.get(random.nextInt(all.size()));
  }

  private String agent() {
    if (random.nextInt(10) == 0) {
      return "nobody";
    }
    return ending ? any(victims) : agentId;
  }

  private Resource resource() {
    String name = any(NAMES);
    Resource.Builder resource = Resource.newBuilder().setName(name);
    if (name.equals("ports")) {
      resource.setType(Value.Type.RANGES);
      long begin = 31000 + random.nextInt(100);
      resource
          .getRangesBuilder()
          .addRange(Value.Range.newBuilder().setBegin(begin).setEnd(begin + random.nextInt(5) - 1));
    } else {
      resource.setType(Value.Type.SCALAR);
      resource.getScalarBuilder().setValue(number());
    }
    if (random.nextInt(3) > 0) {
      resource
          .addReservationsBuilder()
          .setType(Resource.ReservationInfo.Type.DYNAMIC)
          .setRole(any(ROLES));
    }
    if (name.equals("disk") && random.nextInt(3) == 0) {
      Resource.DiskInfo.Builder disk = resource.getDiskBuilder();
      disk.getPersistenceBuilder().setId("v" + random.nextInt(3));
      disk.getVolumeBuilder().setContainerPath("v").setMode(Volume.Mode.RW);
    }
    if (random.nextInt(4) == 0) {
      resource.getAllocationInfoBuilder().setRole(any(ROLES));
    }
    return resource.build();
  }

  private double number() {
    return NUMBERS[random.nextInt(NUMBERS.length)];
  }

  private void fill(Message.Builder message, int depth) {
    for (FieldDescriptor field : message.getDescriptorForType().getFields()) {
      int chance = field.isRequired() ? 97 : depth >= DEPTH ? 0 : 70 / (depth + 1);
      if (random.nextInt(100) < chance) {
        set(message, field, depth);
      }
    }
  }

  private void set(Message.Builder message, FieldDescriptor field, int depth) {
    if (field.isRepeated()) {
      for (int i = random.nextInt(3); i >= 0; i--) {
        message.addRepeatedField(field, value(message, field, depth));
      }
    } else {
      message.setField(field, value(message, field, depth));
    }
  }

  private Object value(Message.Builder message, FieldDescriptor field, int depth) {
    return switch (field.getJavaType()) {
      case MESSAGE -> nested(message.newBuilderForField(field), depth);
      case ENUM -> any(field.getEnumType().getValues());
      case STRING -> text(field.getName());
      case INT -> any(List.of(0, 1, -1, Integer.MAX_VALUE));
      case LONG -> any(List.of(0L, 1L, 1_000_000L, -1L, Long.MAX_VALUE));
      case DOUBLE -> number();
      case FLOAT -> (float) number();
      case BOOLEAN -> random.nextBoolean();
      case BYTE_STRING -> ByteString.copyFrom(new byte[random.nextBoolean() ? 16 : 3]);
    };
  }

  private Message nested(Message.Builder message, int depth) {
    if (message instanceof FrameworkID.Builder id) {
      return id.setValue(random.nextInt(10) == 0 ? "x" : ending ? victim : frameworkId).build();
    }
    if (message instanceof AgentID.Builder id) {
      return id.setValue(agent()).build();
    }
    if (message instanceof OfferID.Builder id) {
      return id.setValue(offers.isEmpty() || random.nextInt(8) == 0 ? "O" : any(offers)).build();
    }
    if (message instanceof Resource.Builder && random.nextInt(5) > 0) {
      return resource();
    }
    fill(message, depth + 1);
    return message.buildPartial();
  }

  private String text(String field) {
    if (field.contains("role")) {
      return any(ROLES);
    }
    return switch (field) {
      case "user" -> System.getProperty("user.name");
      case "name" -> random.nextInt(3) == 0 ? "t" : any(NAMES);
      case "path" -> any(List.of("/", "/..", "/slave/log", "x"));
      default -> any(List.of("", "true", "t", "1", "a/b", "\u0000", "x".repeat(300)));
    };
  }
}
