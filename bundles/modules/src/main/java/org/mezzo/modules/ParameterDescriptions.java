package org.mezzo.modules;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.stream.Collectors;

/**
 * What a module says of its parameters, all of them. Immutable.
 *
 * @param description of the whole, for people; may be empty
 * @param parameters in the module's order
 */
public record ParameterDescriptions(String description, List<ParameterDescription> parameters) {
  public ParameterDescriptions {
    parameters = List.copyOf(parameters);
  }

  /** What is said of a parameter: of exactly that name before patterns. */
  public Optional<ParameterDescription> of(String parameter) {
    return parameters.stream()
        .filter(it -> it.name().equals(parameter))
        .findFirst()
        .or(() -> parameters.stream().filter(it -> it.matches(parameter)).findFirst());
  }

  /** The names of parameters that are not described. */
  public List<String> unknown(Map<String, String> given) {
    return given.keySet().stream().filter(name -> of(name).isEmpty()).sorted().toList();
  }

  /** What there is, for people. */
  public String names() {
    return parameters.isEmpty()
        ? "none"
        : parameters.stream().map(ParameterDescription::name).collect(Collectors.joining(", "));
  }

  /**
   * What speaks against values as a whole; what is not described is not objected to. No value of a
   * password is told.
   *
   * @param module whose they are, for people
   * @return one sentence for each, without a full stop
   */
  public List<String> objections(String module, Map<String, String> given) {
    List<String> objections = new ArrayList<>();
    new TreeMap<>(given)
        .forEach(
            (name, value) ->
                of(name)
                    .ifPresent(
                        described ->
                            described
                                .objection(value)
                                .ifPresent(
                                    expected ->
                                        objections.add(
                                            "parameter '%s' of %s is %s and has to be %s"
                                                .formatted(
                                                    name,
                                                    module,
                                                    described.isSecret()
                                                        ? "something else"
                                                        : "'" + shown(value) + "'",
                                                    expected)))));
    for (ParameterDescription described : parameters) {
      boolean there = given.keySet().stream().anyMatch(described::matches);
      if (described.required() && described.value().isEmpty() && !there) {
        objections.add(
            "parameter '%s' of %s is missing and has to be %s"
                .formatted(described.name(), module, described.expected()));
      }
    }
    return objections;
  }

  private static String shown(String value) {
    String begin = value.length() > 100 ? value.substring(0, 100) + "..." : value;
    return begin.replaceAll("\\p{Cntrl}", "?");
  }
}
