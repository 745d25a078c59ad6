package org.mezzo.daemon.endpoints;

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
import org.mezzo.http.HttpExchange;

/** {@code /mezzo/modules/uninstall}: Mezzo's own. */
final class UninstallModuleEndpoint implements ApiEndpoint {
  private static final String PATH = "/mezzo/modules/uninstall";

  private final ModuleChanges changes;

  UninstallModuleEndpoint(ModuleChanges changes) {
    this.changes = changes;
  }

  @Override
  public EndpointDeclaration declaration() {
    return new EndpointDeclaration(
        PATH,
        Set.of("POST", "DELETE"),
        Access.READWRITE,
        Permission.of(Action.CHANGE_MODULES),
        Help.of(
                "Removes a module and its jar while the process runs.",
                "Daemons go on without its modules. Answers with 200 and the change that was made,"
                    + " or with 409 and the change that was tried; its outcome says what is wrong,"
                    + " such as that another module needs it."
                    + ModuleChanges.SHARED)
            .with(
                "bundle",
                "the symbolic name of the module's bundle, as /mezzo/deployments has it"));
  }

  @Override
  public void handle(HttpExchange exchange, Optional<Principal> principal) throws Refused {
    String requester = ModuleChanges.requester(exchange, principal);
    String bundle = ModuleChanges.required(exchange, "bundle");
    changes.respond(exchange, changes.deployments().uninstall(bundle, requester));
  }
}
