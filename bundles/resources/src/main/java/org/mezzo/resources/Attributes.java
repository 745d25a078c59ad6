package org.mezzo.resources;

import java.util.ArrayList;
import java.util.List;
import org.mezzo.protocol.v1.Attribute;
import org.mezzo.protocol.v1.Value;

/** The text form of agent attributes (rule 307). */
public final class Attributes {
  private Attributes() {}

  /**
   * Parses {@code name:value;...}, entries separated by {@code ;} or newline, split at their first
   * {@code :}. Values are texts, scalars or ranges; names may repeat.
   *
   * @throws ResourceFormatException naming the entry that is wrong
   */
  public static List<Attribute> parse(String text) throws ResourceFormatException {
    List<Attribute> attributes = new ArrayList<>();
    for (String entry : text.split("[;\n]")) {
      if (entry.isEmpty()) {
        continue;
      }
      int colon = entry.indexOf(':');
      if (colon <= 0 || entry.substring(colon + 1).isBlank()) {
        throw new ResourceFormatException(
            "Invalid attribute '" + entry + "'; write name:value;name:value");
      }
      attributes.add(attribute(entry.substring(0, colon), entry.substring(colon + 1)));
    }
    return attributes;
  }

  private static Attribute attribute(String name, String text) throws ResourceFormatException {
    Value value = ResourceText.value(text);
    Attribute.Builder attribute = Attribute.newBuilder().setName(name).setType(value.getType());
    switch (value.getType()) {
      case SCALAR -> attribute.setScalar(value.getScalar());
      case RANGES -> attribute.setRanges(value.getRanges());
      case TEXT -> attribute.setText(value.getText());
      case SET ->
          throw new ResourceFormatException(
              "Attribute '" + name + "' is a set; write a text, a number or [ranges]");
    }
    return attribute.build();
  }
}
