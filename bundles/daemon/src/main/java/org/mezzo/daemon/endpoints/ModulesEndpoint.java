package org.mezzo.daemon.endpoints;

import java.util.List;
import java.util.Optional;
import java.util.function.Supplier;
import org.mezzo.api.authentication.Principal;
import org.mezzo.daemon.border.Access;
import org.mezzo.daemon.border.ApiEndpoint;
import org.mezzo.daemon.border.EndpointDeclaration;
import org.mezzo.daemon.border.Help;
import org.mezzo.daemon.border.Permission;
import org.mezzo.daemon.json.JsonOut;
import org.mezzo.http.HttpExchange;
import org.mezzo.modules.ModuleDescription;

/** {@code /mezzo/modules}: Mezzo's own. */
final class ModulesEndpoint implements ApiEndpoint {
  private static final String PATH = "/mezzo/modules";

  private final String daemon;
  private final Supplier<List<ModuleDescription>> modules;

  ModulesEndpoint(String daemon, Supplier<List<ModuleDescription>> modules) {
    this.daemon = daemon;
    this.modules = modules;
  }

  @Override
  public EndpointDeclaration declaration() {
    return new EndpointDeclaration(
        PATH,
        Access.READONLY,
        Permission.endpoint(PATH),
        Help.of(
                "The modules of the process.",
                "Answers with the daemon's name and, for each module, its kind, name, version,"
                    + " bundle and state, its loggers, the daemons that hold it, and what is wrong"
                    + " with it.")
            .with("jsonp", CommonEndpoints.JSONP));
  }

  @Override
  public void handle(HttpExchange exchange, Optional<Principal> principal) {
    CommonEndpoints.respondJson(
        exchange,
        json ->
            json.object(
                () -> {
                  json.field("daemon", daemon);
                  json.array("modules", modules.get(), module -> module(json, module));
                }));
  }

  private static void module(JsonOut json, ModuleDescription module) {
    json.object(
        () -> {
          json.field("kind", module.kind());
          json.field("name", module.name());
          json.field("version", module.version());
          json.field("author", module.author());
          json.field("description", module.description());
          json.object(
              "bundle",
              () -> {
                json.integer("id", module.bundleId());
                json.field("name", module.bundleName());
                json.field("version", module.bundleVersion());
              });
          json.field("state", module.state());
          json.field("problem", module.problem());
          json.field("illness", module.illness());
          json.texts("loggers", module.loggers());
          json.texts("daemons", module.daemons());
        });
  }
}
