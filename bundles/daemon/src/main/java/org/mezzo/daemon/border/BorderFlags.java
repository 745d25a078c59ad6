package org.mezzo.daemon.border;

import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.mezzo.api.DaemonContext.Role;
import org.mezzo.daemon.configuration.FlagTexts;
import org.mezzo.flags.FlagException;
import org.mezzo.flags.Flags;

/**
 * Who is asked about requests to a daemon, and what it does not serve. Immutable.
 *
 * @param authenticators names of the modules that must know the sender, by access; what is absent
 *     is open to anybody
 * @param authorizer name of the module that says who may do what; absent without {@code --acls}
 * @param disabledPaths {@code --firewall_rules}
 */
public record BorderFlags(
    Map<Access, List<String>> authenticators,
    Optional<String> authorizer,
    List<String> disabledPaths) {
  /** The flags that select modules who guard a daemon, of any kind of daemon. */
  public static final List<String> GUARDS =
      List.of("http_authenticators", "http_framework_authenticators", "authorizers", "authorizer");

  private static final List<String> BASIC = List.of("basic");

  public BorderFlags {
    authenticators = Map.copyOf(authenticators);
    disabledPaths = List.copyOf(disabledPaths);
  }

  /**
   * Reads them.
   *
   * @throws FlagException for one that cannot be read; names it
   */
  public static BorderFlags of(Role role, Flags flags) throws FlagException {
    List<String> operators = names(flags, "http_authenticators", BASIC);
    Map<Access, List<String>> authenticators = new EnumMap<>(Access.class);
    if (flags.bool("authenticate_http_readonly")) {
      authenticators.put(Access.READONLY, operators);
    }
    if (flags.bool("authenticate_http_readwrite")) {
      authenticators.put(Access.READWRITE, operators);
    }
    if (role == Role.MASTER && flags.bool("authenticate_http_frameworks")) {
      authenticators.put(
          Access.SCHEDULER, names(flags, "http_framework_authenticators", operators));
    }
    if (role == Role.MASTER && flags.bool("authenticate_agents")) {
      authenticators.put(Access.AGENT, operators);
    }
    if (role == Role.AGENT && flags.bool("authenticate_http_executors")) {
      // By the agent's own tokens. Who else is to know executors is named together with who makes
      // their secrets: authenticators of operators alone know none.
      authenticators.put(
          Access.EXECUTOR,
          flags.text("secret_generator").filter(name -> !name.isEmpty()).isPresent()
              ? names(flags, "http_authenticators", List.of())
              : List.of());
    }
    Optional<String> authorizer =
        flags
            .text("acls")
            .flatMap(unused -> flags.text(role == Role.MASTER ? "authorizers" : "authorizer"))
            .or(() -> flags.text("acls").map(unused -> "local"));
    return new BorderFlags(
        authenticators,
        authorizer,
        FlagTexts.read(flags, "firewall_rules", FirewallRules::disabledPaths).orElse(List.of()));
  }

  /** A flag that names nobody must not open what it was to close. */
  private static List<String> names(Flags flags, String name, List<String> otherwise)
      throws FlagException {
    if (flags.text(name).isEmpty()) {
      return otherwise;
    }
    List<String> names = FlagTexts.list(flags, name);
    if (names.isEmpty()) {
      throw new FlagException("flag --" + name + " names no module: leave it out, or name one");
    }
    return names;
  }
}
