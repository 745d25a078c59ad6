package org.mezzo.resources;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.StringJoiner;
import java.util.StringTokenizer;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.mezzo.protocol.v1.Label;
import org.mezzo.protocol.v1.Resource.DiskInfo;
import org.mezzo.protocol.v1.Resource.ReservationInfo;
import org.mezzo.protocol.v1.Value;

/** The text form of resources and of the values of resources and attributes (rules 277, 285). */
final class ResourceText {
  private static final Pattern NUMBER =
      Pattern.compile("\\+?(\\d+\\.?\\d*|\\.\\d+)([eE][+-]?\\d+)?");

  private ResourceText() {}

  /** Parses {@code name(role):value;name:value} into messages in stack form. */
  static List<org.mezzo.protocol.v1.Resource> parse(String text, String defaultRole)
      throws ResourceFormatException {
    List<org.mezzo.protocol.v1.Resource> messages = new ArrayList<>();
    for (String entry : text.split(";")) {
      if (entry.isBlank()) {
        continue;
      }
      int colon = entry.indexOf(':');
      if (colon < 0 || entry.indexOf(':', colon + 1) >= 0) {
        throw new ResourceFormatException(
            "Bad value for resources, missing or extra ':' in '"
                + entry
                + "'; write name(role):value;name:value");
      }
      String name = entry.substring(0, colon);
      String role = defaultRole;
      int open = name.indexOf('(');
      if (open >= 0) {
        int close = name.indexOf(')');
        if (close < open) {
          throw new ResourceFormatException(
              "Bad value for resources, mismatched parentheses in '" + entry + "'");
        }
        role = name.substring(open + 1, close).trim();
        name = name.substring(0, open);
      }
      messages.add(resource(name.trim(), entry.substring(colon + 1), role));
    }
    return messages;
  }

  private static org.mezzo.protocol.v1.Resource resource(String name, String text, String role)
      throws ResourceFormatException {
    Value value = value(text);
    var message =
        org.mezzo.protocol.v1.Resource.newBuilder().setName(name).setType(value.getType());
    switch (value.getType()) {
      case SCALAR -> message.setScalar(value.getScalar());
      case RANGES -> message.setRanges(value.getRanges());
      case SET -> message.setSet(value.getSet());
      case TEXT ->
          throw new ResourceFormatException(
              "Bad type for resource '"
                  + name
                  + "' value '"
                  + text.trim()
                  + "': write a number of at least 0, [ranges] or {a set}");
    }
    if (!role.equals(Roles.ANY)) {
      message.addReservations(Reservation.fixed(role).toMessage());
    }
    return message.build();
  }

  /** Parses a value; what is no number, ranges or set is a text. */
  static Value value(String text) throws ResourceFormatException {
    String value = withoutBlanks(text);
    if (value.isEmpty()) {
      throw new ResourceFormatException("Expecting a value, but there is none");
    }
    requirePairs(value, '{', '}');
    requirePairs(value, '[', ']');
    requirePairs(value, '(', ')');
    int bracket = value.indexOf('[');
    int brace = value.indexOf('{');
    if (bracket > 0) {
      throw new ResourceFormatException("Unexpected '[' found in '" + value + "'");
    }
    if (bracket == 0) {
      return ranges(value);
    }
    if (brace > 0) {
      throw new ResourceFormatException("Unexpected '{' found in '" + value + "'");
    }
    Value.Builder parsed = Value.newBuilder();
    if (brace == 0) {
      parsed
          .setType(Value.Type.SET)
          .setSet(Value.Set.newBuilder().addAllItem(tokens(value, "{},\n")));
    } else if (isScalar(value)) {
      parsed
          .setType(Value.Type.SCALAR)
          .setScalar(Value.Scalar.newBuilder().setValue(Double.parseDouble(value)));
    } else {
      parsed.setType(Value.Type.TEXT).setText(Value.Text.newBuilder().setValue(value));
    }
    return parsed.build();
  }

  /** Infinities, negatives and subnormal numbers are texts (rule 273). */
  static boolean isScalar(String value) {
    if (!NUMBER.matcher(value).matches()) {
      return false;
    }
    double number = Double.parseDouble(value);
    return number == 0 || (number >= Double.MIN_NORMAL && number <= Double.MAX_VALUE);
  }

  private static Value ranges(String value) throws ResourceFormatException {
    List<String> bounds = tokens(value, "[]-,\n");
    if (bounds.size() % 2 != 0) {
      throw new ResourceFormatException(
          "Expecting one or more ranges like [1-2,5-9], not '" + value + "'");
    }
    long[] spans = new long[bounds.size()];
    for (int i = 0; i < spans.length; i++) {
      try {
        spans[i] = Long.parseUnsignedLong(bounds.get(i));
      } catch (NumberFormatException e) {
        throw new ResourceFormatException(
            "Expecting non-negative integers in '" + bounds.get(i) + "'");
      }
    }
    for (int i = 0; i < spans.length; i += 2) {
      if (Long.compareUnsigned(spans[i], spans[i + 1]) > 0) {
        throw new ResourceFormatException("A range in '" + value + "' has begin > end");
      }
    }
    Value.Ranges.Builder ranges = Value.Ranges.newBuilder();
    long[] coalesced = Spans.coalesce(spans);
    for (int i = 0; i < coalesced.length; i += 2) {
      ranges.addRangeBuilder().setBegin(coalesced[i]).setEnd(coalesced[i + 1]);
    }
    return Value.newBuilder().setType(Value.Type.RANGES).setRanges(ranges).build();
  }

  private static String withoutBlanks(String text) {
    return text.chars()
        .filter(c -> c != ' ' && c != '\t' && c != '\r')
        .mapToObj(Character::toString)
        .collect(Collectors.joining())
        .strip();
  }

  private static List<String> tokens(String text, String separators) {
    List<String> tokens = new ArrayList<>();
    StringTokenizer tokenizer = new StringTokenizer(text, separators);
    while (tokenizer.hasMoreTokens()) {
      tokens.add(tokenizer.nextToken());
    }
    return tokens;
  }

  private static void requirePairs(String value, char open, char close)
      throws ResourceFormatException {
    int depth = 0;
    for (int i = 0; i < value.length() && depth >= 0; i++) {
      depth += value.charAt(i) == open ? 1 : value.charAt(i) == close ? -1 : 0;
    }
    if (depth != 0) {
      throw new ResourceFormatException("Mismatched brackets in '" + value + "'");
    }
  }

  static String value(Resource resource) {
    return switch (resource.kind.type) {
      case SCALAR -> Millis.print(resource.millis);
      case RANGES -> {
        StringJoiner text = new StringJoiner(", ", "[", "]");
        long[] spans = resource.spans;
        for (int i = 0; i < spans.length; i += 2) {
          text.add(Long.toUnsignedString(spans[i]) + "-" + Long.toUnsignedString(spans[i + 1]));
        }
        yield text.toString();
      }
      case SET -> String.join(", ", resource.items).transform(items -> "{" + items + "}");
    };
  }

  /** A message in stack form as error messages show it, whether it is valid or not. */
  static String print(org.mezzo.protocol.v1.Resource message) {
    String value =
        switch (message.getType()) {
          case SCALAR ->
              Math.abs(message.getScalar().getValue()) <= Millis.MAX_SCALAR
                  ? Millis.print(Millis.of(message.getScalar().getValue()))
                  : Double.toString(message.getScalar().getValue());
          case RANGES ->
              message.getRanges().getRangeList().stream()
                  .map(
                      range ->
                          Long.toUnsignedString(range.getBegin())
                              + "-"
                              + Long.toUnsignedString(range.getEnd()))
                  .collect(Collectors.joining(", ", "[", "]"));
          case SET ->
              message.getSet().getItemList().stream().collect(Collectors.joining(", ", "{", "}"));
          case TEXT -> "";
        };
    return kind(message) + ":" + value;
  }

  /** Everything but the amount of a message in stack form. */
  static String kind(org.mezzo.protocol.v1.Resource message) {
    StringBuilder text = new StringBuilder(message.getName());
    if (message.hasAllocationInfo()) {
      text.append("(allocated: ").append(message.getAllocationInfo().getRole()).append(')');
    }
    if (message.getReservationsCount() > 0) {
      text.append(
          message.getReservationsList().stream()
              .map(ResourceText::reservation)
              .collect(Collectors.joining(",", "(reservations: [", "])")));
    }
    if (message.hasDisk()) {
      text.append('[').append(disk(message.getDisk())).append(']');
    }
    if (message.hasRevocable()) {
      text.append("{REV}");
    }
    if (message.hasShared()) {
      text.append("<SHARED>");
    }
    return text.toString();
  }

  private static String reservation(ReservationInfo info) {
    StringBuilder text = new StringBuilder("(").append(info.getType().name());
    text.append(',').append(info.getRole());
    if (info.hasPrincipal()) {
      text.append(',').append(info.getPrincipal());
    }
    if (info.hasLabels()) {
      text.append(
          info.getLabels().getLabelsList().stream()
              .map(ResourceText::label)
              .collect(Collectors.joining(", ", ",{", "}")));
    }
    return text.append(')').toString();
  }

  private static String label(Label label) {
    return label.hasValue() ? label.getKey() + ": " + label.getValue() : label.getKey();
  }

  private static String disk(DiskInfo disk) {
    StringBuilder text = new StringBuilder();
    if (disk.hasSource()) {
      DiskInfo.Source source = disk.getSource();
      text.append(source.getType().name());
      if (source.hasId() || source.hasProfile()) {
        text.append('(').append(source.getId()).append(',').append(source.getProfile()).append(')');
      }
      if (source.getPath().hasRoot()) {
        text.append(':').append(source.getPath().getRoot());
      }
      if (source.getMount().hasRoot()) {
        text.append(':').append(source.getMount().getRoot());
      }
    }
    if (disk.hasPersistence()) {
      text.append(text.length() > 0 ? "," : "").append(disk.getPersistence().getId());
    }
    if (disk.hasVolume()) {
      text.append(':').append(disk.getVolume().getContainerPath());
    }
    return text.toString();
  }

  /** The names an operator mentions in the text form, also with a zero (rule 288). */
  static Set<String> names(List<org.mezzo.protocol.v1.Resource> messages) {
    Set<String> names = new HashSet<>();
    for (var message : messages) {
      names.add(message.getName());
    }
    return names;
  }
}
