package org.mezzo.daemon.endpoints;

import java.util.Optional;
import java.util.Set;
import java.util.concurrent.Executor;
import org.mezzo.api.authentication.Principal;
import org.mezzo.api.authorization.Action;
import org.mezzo.daemon.border.Access;
import org.mezzo.daemon.border.ApiEndpoint;
import org.mezzo.daemon.border.EndpointDeclaration;
import org.mezzo.daemon.border.Help;
import org.mezzo.daemon.border.Permission;
import org.mezzo.daemon.border.Refused;
import org.mezzo.daemon.border.Router;
import org.mezzo.http.HttpExchange;

/** {@code /mezzo/modules/configure}: Mezzo's own. */
final class ConfigureModuleEndpoint implements ApiEndpoint {
  private static final String PATH = "/mezzo/modules/configure";
  private static final String SET = "set.";
  private static final String UNSET = "unset.";

  private final ModuleChanges changes;
  private final Executor answers;

  ConfigureModuleEndpoint(ModuleChanges changes, Executor answers) {
    this.changes = changes;
    this.answers = answers;
  }

  @Override
  public EndpointDeclaration declaration() {
    return new EndpointDeclaration(
        PATH,
        Set.of("POST"),
        Access.READWRITE,
        Permission.of(Action.CHANGE_MODULES),
        Help.of(
            "Changes parameters of a module while it runs.",
            "The body is a form: 'module' is its name, or KIND/NAME; 'set.PARAMETER' is a value"
                + " that is to stand above what --modules says, until it is changed again;"
                + " 'unset.PARAMETER', with whatever value, takes one back. The module tries them"
                + " in a rehearsal, then takes them while it runs, or another instance takes over."
                + " Answers with 200 and the change that was made, or with 409 and the change that"
                + " was tried; its outcome says what is wrong, and the former parameters stay."
                + ModuleChanges.SHARED));
  }

  @Override
  public void handle(HttpExchange exchange, Optional<Principal> principal) throws Refused {
    String requester = ModuleChanges.requester(exchange, principal);
    Router.when(
        exchange,
        Form.read(exchange),
        answers,
        form ->
            changes.respond(
                exchange,
                changes
                    .deployments()
                    .configure(
                        form.required("module"),
                        form.below(SET),
                        form.below(UNSET).keySet(),
                        requester)));
  }
}
