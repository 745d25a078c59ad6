package org.mezzo.daemon.endpoints;

import java.util.EnumSet;
import java.util.Optional;
import java.util.Set;
import org.mezzo.api.authentication.Principal;
import org.mezzo.api.authorization.Action;
import org.mezzo.daemon.border.Access;
import org.mezzo.daemon.border.ApiEndpoint;
import org.mezzo.daemon.border.EndpointDeclaration;
import org.mezzo.daemon.border.Help;
import org.mezzo.daemon.border.Permission;
import org.mezzo.daemon.border.Refused;
import org.mezzo.deployment.Deployments.Condition;
import org.mezzo.http.HttpExchange;

/** {@code /mezzo/modules/install}: Mezzo's own. */
final class InstallModuleEndpoint implements ApiEndpoint {
  private static final String PATH = "/mezzo/modules/install";

  private final ModuleChanges changes;

  InstallModuleEndpoint(ModuleChanges changes) {
    this.changes = changes;
  }

  @Override
  public EndpointDeclaration declaration() {
    return new EndpointDeclaration(
        PATH,
        Set.of("POST"),
        Access.READWRITE,
        Permission.of(Action.CHANGE_MODULES),
        Help.of(
                "Installs a module, or another version of one, while the process runs.",
                "Takes the module's jar as the body, of at most --max_module_size bytes. Answers"
                    + " when it runs, or does not: with 200 and the change that was made, or with"
                    + " 409 and the change that was tried; its outcome says what is wrong. Then"
                    + " nothing has changed and nothing of the jar is left."
                    + ModuleChanges.SHARED)
            .with("name", "what to call the jar in the folder of modules, such as hooks.jar")
            .with(
                "expect",
                "update: a version that is not higher is installed; swap: any version is. Without"
                    + " it none has to be installed, and one that is may not be higher")
            .with("sha256", "what the jar must have as its SHA-256, in hexadecimal"));
  }

  @Override
  public void handle(HttpExchange exchange, Optional<Principal> principal) throws Refused {
    String requester = ModuleChanges.requester(exchange, principal);
    String name = ModuleChanges.fileName(exchange);
    Set<Condition> conditions = conditions(exchange.query().get("expect"));
    changes.receive(
        exchange,
        jar -> changes.deployments().install(jar.file(), name, conditions, requester),
        changes::answer);
  }

  private static Set<Condition> conditions(String expected) throws Refused {
    if (expected == null) {
      return EnumSet.of(Condition.NOT_LOWER);
    }
    return switch (expected) {
      case "update" -> EnumSet.of(Condition.REPLACES, Condition.NOT_LOWER);
      case "swap" -> EnumSet.of(Condition.REPLACES);
      default -> throw new Refused(400, "Expecting 'expect' to be update or swap.\n");
    };
  }
}
