package org.mezzo.deployment.folder;

import java.util.Set;

/**
 * A component that announces itself as a module, as its description in the jar says.
 *
 * @param component its name
 * @param kind of module, for example {@code hook}
 * @param name that flags use
 * @param interfaces that it provides
 * @param scope of its service: {@code singleton}, {@code bundle} or {@code prototype}
 */
public record DeclaredModule(
    String component, String kind, String name, Set<String> interfaces, String scope) {
  public DeclaredModule {
    interfaces = Set.copyOf(interfaces);
  }

  /** Kind and name, as operators read them. */
  public String title() {
    return kind + " " + name;
  }
}
