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

/** {@code /mezzo/modules/rollback}: Mezzo's own. */
final class RollbackModuleEndpoint implements ApiEndpoint {
  private static final String PATH = "/mezzo/modules/rollback";

  private final ModuleChanges changes;

  RollbackModuleEndpoint(ModuleChanges changes) {
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
                "Goes back to what ran before the version of a module that runs now.",
                "Answers with 200 and the change that was made, or with 409 and the change that was"
                    + " tried; its outcome says what is wrong, such as that nothing ran before that"
                    + " is still kept. The version that is left is not tried again until somebody"
                    + " asks for it."
                    + ModuleChanges.SHARED)
            .with(
                "bundle",
                "the symbolic name of the module's bundle, as /mezzo/deployments has it"));
  }

  @Override
  public void handle(HttpExchange exchange, Optional<Principal> principal) throws Refused {
    String requester = ModuleChanges.requester(exchange, principal);
    String bundle = ModuleChanges.required(exchange, "bundle");
    changes.respond(exchange, changes.deployments().rollback(bundle, requester));
  }
}
