package org.mezzo.agent.detection;

import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.mezzo.protocol.v1.Attribute;
import org.mezzo.protocol.v1.Value;

/** Reads {@code --attributes} (rule 307). */
public final class Attributes {
  private static final Pattern RANGE = Pattern.compile("(\\d+)-(\\d+)");

  private Attributes() {}

  /**
   * Parses {@code name:value;name:value}.
   *
   * @throws IllegalArgumentException naming the entry that cannot be read, and the remedy
   */
  public static List<Attribute> parse(String text) {
    List<Attribute> attributes = new ArrayList<>();
    for (String entry : text.split("[;\n]")) {
      if (entry.isEmpty()) {
        continue;
      }
      int colon = entry.indexOf(':');
      String name = colon < 0 ? "" : entry.substring(0, colon);
      String value = colon < 0 ? "" : entry.substring(colon + 1).replace(" ", "");
      if (name.isEmpty() || value.isEmpty()) {
        throw new IllegalArgumentException(
            "--attributes: '" + entry + "' is not of the form name:value");
      }
      attributes.add(attribute(name, value));
    }
    return attributes;
  }

  private static Attribute attribute(String name, String value) {
    Attribute.Builder attribute = Attribute.newBuilder().setName(name);
    if (value.startsWith("{")) {
      throw new IllegalArgumentException(
          "--attributes: '" + name + "' is a set; attributes are texts, numbers or ranges");
    }
    if (value.startsWith("[")) {
      if (!value.endsWith("]")) {
        throw new IllegalArgumentException("--attributes: the ranges of '" + name + "' lack a ]");
      }
      Value.Ranges.Builder ranges = Value.Ranges.newBuilder();
      for (String part : value.substring(1, value.length() - 1).split(",")) {
        Matcher matcher = RANGE.matcher(part);
        if (!matcher.matches()) {
          throw new IllegalArgumentException(
              "--attributes: '" + part + "' of '" + name + "' is not a range like 1-5");
        }
        ranges.addRange(
            Value.Range.newBuilder()
                .setBegin(Long.parseUnsignedLong(matcher.group(1)))
                .setEnd(Long.parseUnsignedLong(matcher.group(2))));
      }
      return attribute.setType(Value.Type.RANGES).setRanges(ranges).build();
    }
    Double number = number(value);
    return number == null
        ? attribute
            .setType(Value.Type.TEXT)
            .setText(Value.Text.newBuilder().setValue(value))
            .build()
        : attribute
            .setType(Value.Type.SCALAR)
            .setScalar(Value.Scalar.newBuilder().setValue(number))
            .build();
  }

  private static Double number(String value) {
    if (!value.matches("[-+]?(\\d+\\.?\\d*|\\.\\d+)([eE][-+]?\\d+)?")) {
      return null;
    }
    double number = Double.parseDouble(value);
    return Double.isFinite(number) && number >= 0 ? number : null;
  }
}
