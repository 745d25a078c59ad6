package org.mezzo.resources;

import java.util.Optional;

/** Role names: paths with {@code /} between their components. */
public final class Roles {
  /** The role of everybody, to which nothing can be reserved. */
  public static final String ANY = "*";

  private Roles() {}

  /** Whether {@code role} is {@code ancestor} or lies below it. */
  public static boolean isSameOrBelow(String role, String ancestor) {
    return role.equals(ancestor) || isStrictlyBelow(role, ancestor);
  }

  /** Whether {@code role} lies below {@code ancestor}. */
  public static boolean isStrictlyBelow(String role, String ancestor) {
    return role.length() > ancestor.length()
        && role.charAt(ancestor.length()) == '/'
        && role.startsWith(ancestor);
  }

  /** What is wrong with a role name; empty when it is valid. */
  public static Optional<String> check(String role) {
    if (role.equals(ANY)) {
      return Optional.empty();
    }
    if (role.isEmpty()) {
      return Optional.of("Role name is invalid because it is empty");
    }
    if (role.startsWith("/")) {
      return Optional.of("Role '" + role + "' cannot start with a slash");
    }
    if (role.endsWith("/")) {
      return Optional.of("Role '" + role + "' cannot end with a slash");
    }
    for (String component : role.split("/", -1)) {
      String problem = problemOf(component);
      if (problem != null) {
        return Optional.of("Role component '" + component + "' is invalid because it " + problem);
      }
    }
    return Optional.empty();
  }

  private static String problemOf(String component) {
    if (component.isEmpty()) {
      return "is empty: role '//' is not allowed";
    }
    if (component.equals(".") || component.equals("..")) {
      return "is a relative path";
    }
    if (component.equals(ANY)) {
      return "is '*', which stands for no role";
    }
    if (component.startsWith("-")) {
      return "begins with a dash";
    }
    for (int i = 0; i < component.length(); i++) {
      char c = component.charAt(i);
      if (c == '\b' || c == ' ' || (c >= '\t' && c <= '\r')) {
        return "contains backspace or whitespace";
      }
    }
    return null;
  }
}
