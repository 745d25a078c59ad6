package org.mezzo.shell.terminal;

import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.osgi.framework.BundleContext;
import org.osgi.framework.InvalidSyntaxException;
import org.osgi.framework.ServiceReference;

/**
 * What a command needs. Those who offer one say so by a service property beside {@code
 * osgi.command.function}, which lists functions: {@code mezzo.command.view}, {@code
 * mezzo.command.operate} or {@code mezzo.command.administer}. Safe for any thread.
 */
@FunctionalInterface
interface CommandAccess {
  /** Those of Felix that show something which anybody in the shell may know. */
  Map<String, Set<String>> LOOKING =
      Map.of(
          "felix", Set.of("headers", "help", "inspect", "lb", "which"),
          "scr", Set.of("list"));

  /**
   * By the names of a command, which have letters, digits, dots, hyphens and underscores only.
   *
   * @return what the most demanding of those needs who offer it; all there is where nobody says
   */
  Access needed(String scope, String function);

  /** By what the services say that offer commands. */
  static CommandAccess of(BundleContext bundle) {
    return (scope, function) -> {
      if (LOOKING.getOrDefault(scope, Set.of()).contains(function)) {
        return Access.VIEW;
      }
      try {
        ServiceReference<?>[] offers =
            bundle.getAllServiceReferences(
                null,
                "(&(osgi.command.scope=" + scope + ")(osgi.command.function=" + function + "))");
        Access most = offers == null ? Access.ADMINISTER : Access.VIEW;
        for (ServiceReference<?> offer : offers == null ? new ServiceReference<?>[0] : offers) {
          Access declared = declared(offer, function);
          most = most.includes(declared) ? most : declared;
        }
        return most;
      } catch (InvalidSyntaxException e) {
        throw new IllegalStateException(e);
      }
    };
  }

  private static Access declared(ServiceReference<?> offer, String function) {
    for (Access access : List.of(Access.ADMINISTER, Access.OPERATE, Access.VIEW)) {
      if (names(offer.getProperty("mezzo.command." + access.word())).contains(function)) {
        return access;
      }
    }
    return Access.ADMINISTER;
  }

  private static Collection<?> names(Object property) {
    if (property instanceof Object[] several) {
      return List.of(several);
    }
    return property instanceof Collection<?> several
        ? several
        : property == null ? List.of() : List.of(property);
  }
}
