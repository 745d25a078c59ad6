package org.mezzo.master.transitions;

import java.util.Collection;
import java.util.HashSet;
import java.util.Optional;
import java.util.Set;
import java.util.SortedSet;
import java.util.TreeSet;
import org.mezzo.protocol.v1.FrameworkInfo;

/** Role names and the roles of a framework (rules 28 and 29). */
final class Roles {
  private Roles() {}

  /** What is wrong with a role name. */
  static Optional<String> problem(String role) {
    if (role.equals("*")) {
      return Optional.empty();
    }
    if (role.isEmpty()) {
      return Optional.of("Role names cannot be the empty string");
    }
    String quoted = "Role '" + role + "' ";
    if (role.startsWith("/")) {
      return Optional.of(quoted + "cannot start with a slash");
    }
    if (role.endsWith("/")) {
      return Optional.of(quoted + "cannot end with a slash");
    }
    if (role.contains("//")) {
      return Optional.of(quoted + "cannot contain two adjacent slashes");
    }
    for (String component : role.split("/")) {
      if (component.equals(".") || component.equals("..") || component.equals("*")) {
        return Optional.of(quoted + "cannot include '" + component + "' as a component");
      }
      if (component.startsWith("-")) {
        return Optional.of(quoted + "cannot include a component that starts with '-'");
      }
      boolean blank =
          component.chars().anyMatch(c -> (c >= 0x09 && c <= 0x0d) || c == 0x20 || c == 0x7f);
      if (blank) {
        return Optional.of(quoted + "cannot contain white space or control characters");
      }
    }
    return Optional.empty();
  }

  /** What is wrong with the roles of a framework. */
  static Optional<String> problem(FrameworkInfo info) {
    if (!capabilities(info).contains(FrameworkInfo.Capability.Type.MULTI_ROLE)) {
      if (info.getRolesCount() > 0) {
        return Optional.of(
            "'FrameworkInfo.roles' must not be set when the framework is not MULTI_ROLE capable");
      }
      return problem(info.getRole())
          .map(problem -> "'FrameworkInfo.role' is not a valid role: " + problem);
    }
    if (info.hasRole()) {
      return Optional.of(
          "'FrameworkInfo.role' must not be set when the framework is MULTI_ROLE capable");
    }
    Set<String> seen = new HashSet<>();
    for (String role : info.getRolesList()) {
      if (!seen.add(role)) {
        return Optional.of("'FrameworkInfo.roles' contains duplicate items: " + role);
      }
    }
    for (String role : info.getRolesList()) {
      Optional<String> problem = problem(role);
      if (problem.isPresent()) {
        return problem.map(text -> "'FrameworkInfo.roles' contains invalid role: " + text);
      }
    }
    return Optional.empty();
  }

  /** The roles a framework subscribes to. */
  static SortedSet<String> of(FrameworkInfo info) {
    if (capabilities(info).contains(FrameworkInfo.Capability.Type.MULTI_ROLE)) {
      return new TreeSet<>(info.getRolesList());
    }
    return new TreeSet<>(Set.of(info.getRole()));
  }

  /** The capabilities a framework declares; unknown ones are not seen. */
  static Set<FrameworkInfo.Capability.Type> capabilities(FrameworkInfo info) {
    Set<FrameworkInfo.Capability.Type> all =
        java.util.EnumSet.noneOf(FrameworkInfo.Capability.Type.class);
    info.getCapabilitiesList().forEach(capability -> all.add(capability.getType()));
    return all;
  }

  /** Roles as error messages show them: {@code { a, b }}. */
  static String shown(Collection<String> roles) {
    return "{ " + String.join(", ", new TreeSet<>(roles)) + " }";
  }
}
