package org.mezzo.modules;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.TreeSet;
import org.mezzo.api.DaemonContext;

/**
 * A parameter as people may see it.
 *
 * @param name as {@code --modules} has it
 * @param description what the module says of it; empty when it does not describe it
 * @param value what holds; empty when nothing does. A password is {@value #HIDDEN}
 * @param origin who says so
 */
public record ParameterValue(
    String name,
    Optional<ParameterDescription> description,
    Optional<String> value,
    Origin origin) {
  /** What is shown in the place of a password. */
  public static final String HIDDEN = "********";

  /** Where a value comes from. */
  public enum Origin {
    /** An operator has set it while the daemon ran. */
    OPERATOR("operator"),
    /** The flag of the daemon gives it. */
    FLAG("--modules"),
    /** Nobody says anything: it is what the module describes. */
    DEFAULT("default");

    private final String word;

    Origin(String word) {
      this.word = word;
    }

    /** In a word, for people. */
    public String word() {
      return word;
    }
  }

  /**
   * Those of a module for a daemon: what it describes, in its order, and what it is given besides.
   *
   * @param daemon its name
   */
  public static List<ParameterValue> of(
      ModuleLeases leases, String kind, String name, String daemon) {
    Map<String, String> given =
        leases.wanting(kind, name).stream()
            .filter(it -> it.daemon().equals(daemon))
            .findFirst()
            .map(DaemonContext::parameters)
            .orElse(Map.of());
    ModuleConfiguration configuration = leases.configuration();
    return of(configuration.described(kind, name), given, configuration.values(kind, name));
  }

  /**
   * The same by what is known.
   *
   * @param given by the daemon
   * @param set by operators
   */
  static List<ParameterValue> of(
      Optional<ParameterDescriptions> described,
      Map<String, String> given,
      Map<String, String> set) {
    List<ParameterValue> values = new ArrayList<>();
    TreeSet<String> left = new TreeSet<>(given.keySet());
    left.addAll(set.keySet());
    for (ParameterDescription one :
        described.map(ParameterDescriptions::parameters).orElse(List.of())) {
      List<String> names =
          left.stream()
              .filter(name -> described.get().of(name).filter(it -> it == one).isPresent())
              .toList();
      names.forEach(name -> values.add(value(name, Optional.of(one), given, set)));
      names.forEach(left::remove);
      if (names.isEmpty()) {
        values.add(value(one.name(), Optional.of(one), given, set));
      }
    }
    left.forEach(name -> values.add(value(name, Optional.empty(), given, set)));
    return values;
  }

  private static ParameterValue value(
      String name,
      Optional<ParameterDescription> description,
      Map<String, String> given,
      Map<String, String> set) {
    Origin origin =
        set.containsKey(name)
            ? Origin.OPERATOR
            : given.containsKey(name) ? Origin.FLAG : Origin.DEFAULT;
    String text = Objects.requireNonNullElse(set.get(name), given.getOrDefault(name, ""));
    boolean secret = description.filter(ParameterDescription::isSecret).isPresent();
    Optional<String> value =
        origin == Origin.DEFAULT
            ? description.map(ParameterDescription::value).filter(it -> !it.isEmpty())
            : Optional.of(text);
    return new ParameterValue(name, description, value.map(it -> secret ? HIDDEN : it), origin);
  }
}
