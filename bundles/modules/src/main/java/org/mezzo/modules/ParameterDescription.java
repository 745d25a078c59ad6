package org.mezzo.modules;

import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.regex.Pattern;

/**
 * What a module says of one of its parameters, by OSGi Metatype.
 *
 * @param name as {@code --modules} has it. A part in capitals stands for any text there, so that
 *     {@code label.KEY} describes {@code label.zone}
 * @param description for people; may be empty
 * @param type what a value has to be
 * @param several whether a value is a list, with commas between
 * @param required whether there must be a value
 * @param value what holds when nothing is said; empty when nothing does
 * @param least the least number, or for texts the least length; empty where there is none
 * @param most the greatest, likewise
 * @param options what a value may be; empty for whatever its type allows
 */
public record ParameterDescription(
    String name,
    String description,
    Type type,
    boolean several,
    boolean required,
    String value,
    Optional<String> least,
    Optional<String> most,
    List<String> options) {
  private static final Pattern ANY = Pattern.compile("[A-Z][A-Z0-9_]*");

  /** What values are. */
  public enum Type {
    TEXT("a text"),
    INTEGER("a whole number"),
    NUMBER("a number"),
    BOOLEAN("true or false"),
    CHARACTER("one character"),
    /** A text that is shown to nobody. */
    PASSWORD("a text");

    private final String words;

    Type(String words) {
      this.words = words;
    }

    /** What a value is, for people. */
    public String words() {
      return words;
    }
  }

  public ParameterDescription {
    options = List.copyOf(options);
  }

  /** Whether nobody may see its values. */
  public boolean isSecret() {
    return type == Type.PASSWORD;
  }

  /** Whether it stands for parameters of many names. */
  public boolean isPattern() {
    return Arrays.stream(name.split("\\.", -1)).anyMatch(ParameterDescription::isAny);
  }

  private static boolean isAny(String part) {
    return ANY.matcher(part).matches();
  }

  /** Whether it is about a parameter of that name. */
  public boolean matches(String parameter) {
    if (parameter.equals(name)) {
      return true;
    }
    StringBuilder expression = new StringBuilder();
    for (String part : name.split("\\.", -1)) {
      expression.append(expression.isEmpty() ? "" : "\\.");
      expression.append(isAny(part) ? ".+" : Pattern.quote(part));
    }
    return isPattern() && parameter.matches("(?s)" + expression);
  }

  /**
   * What speaks against a value.
   *
   * @return what the value has to be, to follow the words "has to be"; empty when it is
   */
  public Optional<String> objection(String text) {
    List<String> values = several ? List.of(text.split(",", -1)) : List.of(text);
    return values.stream().allMatch(this::fits) ? Optional.empty() : Optional.of(expected());
  }

  private boolean fits(String given) {
    String text = several ? given.strip() : given;
    if (!options.isEmpty()) {
      return options.contains(text);
    }
    return switch (type) {
      case TEXT, PASSWORD -> within(text.length());
      case CHARACTER -> text.length() == 1;
      case BOOLEAN -> text.equals("true") || text.equals("false");
      case INTEGER -> text.matches("[+-]?\\d{1,18}") && within(Long.parseLong(text));
      case NUMBER -> isNumber(text) && within(Double.parseDouble(text));
    };
  }

  private static boolean isNumber(String text) {
    try {
      return Double.isFinite(Double.parseDouble(text));
    } catch (NumberFormatException e) {
      return false;
    }
  }

  private boolean within(double number) {
    return least.map(Double::parseDouble).filter(bound -> number < bound).isEmpty()
        && most.map(Double::parseDouble).filter(bound -> number > bound).isEmpty();
  }

  /** What a value has to be, for people. */
  public String expected() {
    if (!options.isEmpty()) {
      return (several ? "a list of " : "one of ") + String.join(", ", options);
    }
    String what = (several ? "a list, with commas between, each " : "") + type.words();
    if (type == Type.BOOLEAN || type == Type.CHARACTER) {
      return what;
    }
    String bounds =
        least.map(bound -> " from " + bound).orElse("")
            + most.map(bound -> " to " + bound).orElse("");
    boolean text = type == Type.TEXT || type == Type.PASSWORD;
    return bounds.isEmpty() ? what : what + (text ? " with a length" : "") + bounds;
  }
}
