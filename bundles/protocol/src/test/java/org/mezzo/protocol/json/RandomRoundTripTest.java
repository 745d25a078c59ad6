package org.mezzo.protocol.json;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.Descriptors.Descriptor;
import com.google.protobuf.Descriptors.FieldDescriptor;
import com.google.protobuf.Descriptors.FileDescriptor;
import com.google.protobuf.Message;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.mezzo.protocol.RandomMessages;
import org.mezzo.protocol.Tables;

/** Every message of the protocol survives JSON, whatever it holds. Replay: {@code -Dseed=...}. */
class RandomRoundTripTest {
  private static final long SEED = Long.getLong("seed", System.nanoTime());

  static {
    System.out.println("RandomRoundTripTest seed " + SEED);
  }

  static Stream<Descriptor> messages() {
    return Tables.FILES.stream().map(FileDescriptor::getMessageTypes).flatMap(List::stream);
  }

  @ParameterizedTest
  @MethodSource("messages")
  void survives(Descriptor descriptor) throws Exception {
    Random random = new Random(SEED ^ descriptor.getFullName().hashCode());
    Message type = prototype(descriptor);
    RandomMessages messages = new RandomMessages(random);
    for (int i = 0; i < 40; i++) {
      Message sent = messages.next(type, i % 5);
      byte[] json = Json.encode(sent);
      Message received = Json.decode(json, type);
      // What was unset and has a default is sent, hence set afterwards.
      assertThat(received)
          .as("seed %d: %s", SEED, new String(json, StandardCharsets.UTF_8))
          .isEqualTo(withDefaults(sent));
    }
  }

  private static Message prototype(Descriptor descriptor) throws Exception {
    String file = descriptor.getFile().getOptions().getJavaPackage();
    return (Message)
        Class.forName(file + "." + descriptor.getName())
            .getMethod("getDefaultInstance")
            .invoke(null);
  }

  static Message withDefaults(Message message) {
    Message.Builder builder = message.toBuilder();
    for (FieldDescriptor field : message.getDescriptorForType().getFields()) {
      boolean isMessage = field.getJavaType() == FieldDescriptor.JavaType.MESSAGE;
      if (field.isRepeated()) {
        for (int i = 0; isMessage && i < message.getRepeatedFieldCount(field); i++) {
          builder.setRepeatedField(
              field, i, withDefaults((Message) message.getRepeatedField(field, i)));
        }
      } else if (isMessage && message.hasField(field)) {
        builder.setField(field, withDefaults((Message) message.getField(field)));
      } else if (field.hasDefaultValue()
          && !field.getOptions().getDeprecated()
          && !message.hasField(field)) {
        builder.setField(field, field.getDefaultValue());
      }
    }
    return builder.build();
  }
}
