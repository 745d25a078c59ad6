package org.mezzo.modules;

import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import org.mezzo.api.MezzoModule;

/** The flags of a daemon that a module has declared to read, and therefore sees. */
public final class DeclaredFlags {
  /** The service property that {@link MezzoModule#flags} becomes. */
  public static final String PROPERTY = MezzoModule.PREFIX_ + "flags";

  private DeclaredFlags() {}

  /**
   * What a service declares.
   *
   * @param property the value of {@link #PROPERTY}; null when there is none
   */
  public static Set<String> of(Object property) {
    List<?> values = List.of();
    if (property instanceof Object[] array) {
      values = List.of(array);
    } else if (property instanceof Collection<?> collection) {
      values = List.copyOf(collection);
    } else if (property != null) {
      values = List.of(property);
    }
    return values.stream().map(Object::toString).collect(Collectors.toUnmodifiableSet());
  }

  /** Of a daemon's flags, those that were declared. */
  public static Map<String, String> visible(Map<String, String> flags, Set<String> declared) {
    return flags.entrySet().stream()
        .filter(flag -> declared.contains(flag.getKey()))
        .collect(Collectors.toUnmodifiableMap(Map.Entry::getKey, Map.Entry::getValue));
  }
}
