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
import org.mezzo.daemon.json.JsonOut;
import org.mezzo.deployment.Verification;
import org.mezzo.http.HttpExchange;
import org.mezzo.http.HttpResponse;

/** {@code /mezzo/modules/verify}: Mezzo's own. */
final class VerifyModuleEndpoint implements ApiEndpoint {
  private static final String PATH = "/mezzo/modules/verify";

  private final ModuleChanges changes;

  VerifyModuleEndpoint(ModuleChanges changes) {
    this.changes = changes;
  }

  @Override
  public EndpointDeclaration declaration() {
    return new EndpointDeclaration(
        PATH,
        Set.of("POST"),
        Access.READWRITE,
        Permission.of(Action.VIEW_MODULES),
        Help.of(
                "Says what would become of a module if it were installed, and changes nothing.",
                "Takes the module's jar as the body, of at most --max_module_size bytes. Answers"
                    + " with what the jar is, whether it would be an install, a swap, an update or"
                    + " nothing (change), why it would be refused (problems) and what to know"
                    + " beforehand (notes). None of its code is run, so that it may fail all the"
                    + " same when it is."
                    + ModuleChanges.SHARED)
            .with("name", "what the jar is called, such as hooks.jar")
            .with("sha256", "what the jar must have as its SHA-256, in hexadecimal"));
  }

  @Override
  public void handle(HttpExchange exchange, Optional<Principal> principal) throws Refused {
    ModuleChanges.requester(exchange, principal);
    String name = ModuleChanges.fileName(exchange);
    changes.receive(exchange, jar -> changes.deployments().verify(jar.file(), name), this::answer);
  }

  private HttpResponse answer(Verification verification) {
    return HttpResponse.json(
        JsonOut.bytes(
            json ->
                json.object(
                    () -> {
                      json.field("daemon", changes.daemon());
                      json.object("verification", () -> fields(json, verification));
                    })));
  }

  private static void fields(JsonOut json, Verification verification) {
    json.field("passed", verification.passed());
    json.field("file", verification.fileName());
    json.field("name", verification.symbolicName());
    json.field("version", verification.version());
    json.field("digest", verification.digest());
    json.texts("modules", verification.modules());
    json.field("installed", verification.installed());
    json.field("change", verification.change());
    json.texts("problems", verification.problems());
    json.texts("notes", verification.notes());
  }
}
