package org.mezzo.protocol;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.DescriptorProtos.DescriptorProto;
import com.google.protobuf.Descriptors.Descriptor;
import com.google.protobuf.Descriptors.EnumDescriptor;
import com.google.protobuf.Descriptors.EnumValueDescriptor;
import com.google.protobuf.Descriptors.FieldDescriptor;
import com.google.protobuf.Descriptors.FileDescriptor;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import org.junit.jupiter.api.Test;

/** The compiled messages are exactly those of the tables, and the tables hold nothing else. */
class DescriptorTablesTest {
  @Test
  void fields() {
    List<String> compiled = new ArrayList<>();
    int fields = 0;
    for (FileDescriptor file : Tables.FILES) {
      for (Descriptor message : Tables.messages(file)) {
        for (FieldDescriptor field : message.getFields()) {
          fields++;
          compiled.add(
              String.join(
                  "\t",
                  file.getName(),
                  message.getFullName(),
                  Integer.toString(field.getNumber()),
                  label(field),
                  type(field),
                  field.getName(),
                  defaultValue(field),
                  field.getRealContainingOneof() == null
                      ? ""
                      : field.getRealContainingOneof().getName(),
                  field.getOptions().getDeprecated() ? "deprecated" : ""));
        }
      }
    }
    // A message without fields has a row of its own here; messages() compares those.
    List<String> table = Tables.rows("messages.tsv");
    table.removeIf(row -> row.split("\t", -1)[2].isEmpty());
    assertSame(compiled, table);
    assertThat(fields).isEqualTo(1228);
    System.out.println("descriptors: " + fields + " fields, zero differences");
  }

  @Test
  void enumValues() {
    List<String> compiled = new ArrayList<>();
    for (FileDescriptor file : Tables.FILES) {
      List<EnumDescriptor> enums = new ArrayList<>(file.getEnumTypes());
      Tables.messages(file).forEach(message -> enums.addAll(message.getEnumTypes()));
      for (EnumDescriptor each : enums) {
        for (EnumValueDescriptor value : each.getValues()) {
          compiled.add(
              String.join(
                  "\t",
                  file.getName(),
                  each.getFullName(),
                  value.getName(),
                  Integer.toString(value.getNumber())));
        }
      }
    }
    assertSame(compiled, Tables.rows("enums.tsv"));
    assertThat(compiled).hasSize(442);
    System.out.println("descriptors: " + compiled.size() + " enum values, zero differences");
  }

  @Test
  void messages() {
    List<String> compiled = new ArrayList<>();
    for (FileDescriptor file : Tables.FILES) {
      for (Descriptor message : Tables.messages(file)) {
        compiled.add(
            String.join(
                "\t",
                file.getName(),
                message.getFullName(),
                Integer.toString(message.getFields().size()),
                message.getOptions().getMapEntry() ? "map_entry" : "",
                reserved(message)));
      }
    }
    assertSame(compiled, Tables.rows("message_list.tsv"));
    System.out.println("descriptors: " + compiled.size() + " messages, zero differences");
  }

  private static void assertSame(List<String> compiled, List<String> table) {
    Set<String> missing = new LinkedHashSet<>(table);
    missing.removeAll(compiled);
    Set<String> surplus = new LinkedHashSet<>(compiled);
    surplus.removeAll(table);
    assertThat(missing).as("in the table, not compiled").isEmpty();
    assertThat(surplus).as("compiled, not in the table").isEmpty();
    assertThat(compiled).doesNotHaveDuplicates().hasSameSizeAs(table);
  }

  private static String label(FieldDescriptor field) {
    return field.isRequired() ? "required" : field.isRepeated() ? "repeated" : "optional";
  }

  private static String type(FieldDescriptor field) {
    return switch (field.getType()) {
      case MESSAGE, GROUP -> field.getMessageType().getFullName();
      case ENUM -> field.getEnumType().getFullName();
      default -> field.getType().name().toLowerCase(Locale.ROOT);
    };
  }

  private static String defaultValue(FieldDescriptor field) {
    // The text protoc keeps: the enum's name, the number, the string as it is.
    return field.hasDefaultValue() ? field.toProto().getDefaultValue() : "";
  }

  private static String reserved(Descriptor message) {
    List<String> ranges = new ArrayList<>();
    for (DescriptorProto.ReservedRange range : message.toProto().getReservedRangeList()) {
      for (int number = range.getStart(); number < range.getEnd(); number++) {
        ranges.add(Integer.toString(number));
      }
    }
    return String.join(",", ranges);
  }
}
