package org.mezzo.protocol.json;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.protobuf.Descriptors.Descriptor;
import com.google.protobuf.Descriptors.FileDescriptor;
import org.junit.jupiter.api.Test;
import org.mezzo.protocol.Tables;

class MessagePlanTest {
  @Test
  void everyFieldOfTheProtocolHasItsAccessors() throws Exception {
    int fields = 0;
    for (FileDescriptor file : Tables.FILES) {
      for (Descriptor message : Tables.messages(file)) {
        if (message.getOptions().getMapEntry()) {
          continue;
        }
        String nested = message.getFullName().substring(file.getPackage().length() + 1);
        Class<?> type =
            Class.forName(file.getOptions().getJavaPackage() + "." + nested.replace('.', '$'));
        for (FieldPlan field : MessagePlan.of(type).fields) {
          if (!field.repeated) {
            assertThat(field.has()).isNotNull();
          }
          assertThat(field.get()).isNotNull();
          assertThat(field.set()).isNotNull();
          if (field.kind == FieldPlan.Kind.ENUM) {
            assertThat(field.enumConstant("no such name")).isNull();
          }
          fields++;
        }
      }
    }
    // Those of the tables but for the key and value of eleven maps.
    assertThat(fields).isEqualTo(1228 - 22);
  }

  @Test
  void otherClassesAreRefused() {
    assertThatThrownBy(() -> MessagePlan.of(String.class))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("java.lang.String");
  }
}
