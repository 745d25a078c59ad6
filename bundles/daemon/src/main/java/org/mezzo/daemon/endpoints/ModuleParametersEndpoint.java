package org.mezzo.daemon.endpoints;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.concurrent.Executor;
import org.mezzo.api.authentication.Principal;
import org.mezzo.daemon.border.Access;
import org.mezzo.daemon.border.ApiEndpoint;
import org.mezzo.daemon.border.EndpointDeclaration;
import org.mezzo.daemon.border.Help;
import org.mezzo.daemon.border.Permission;
import org.mezzo.daemon.border.Refused;
import org.mezzo.daemon.border.Router;
import org.mezzo.daemon.json.JsonOut;
import org.mezzo.http.HttpExchange;
import org.mezzo.modules.ModuleDescription;
import org.mezzo.modules.ModuleLeases;
import org.mezzo.modules.ParameterDescription;
import org.mezzo.modules.ParameterDescriptions;
import org.mezzo.modules.ParameterValue;

/** {@code /mezzo/modules/parameters}: Mezzo's own. */
final class ModuleParametersEndpoint implements ApiEndpoint {
  private static final String PATH = "/mezzo/modules/parameters";

  private final String daemon;
  private final ModuleLeases leases;
  private final Executor answers;

  /**
   * Of a daemon.
   *
   * @param answers where bundles are read for what they describe
   */
  ModuleParametersEndpoint(String daemon, ModuleLeases leases, Executor answers) {
    this.daemon = daemon;
    this.leases = leases;
    this.answers = answers;
  }

  @Override
  public EndpointDeclaration declaration() {
    return new EndpointDeclaration(
        PATH,
        Access.READONLY,
        Permission.endpoint(PATH),
        Help.of(
                "The parameters of a module.",
                "Answers with the daemon's name and, for each module that is called so, what it"
                    + " describes of its parameters, which values hold for this daemon, and whether"
                    + " an operator, the flag --modules or the module itself says so. Passwords are"
                    + " not shown.")
            .with("module", "its name, or KIND/NAME")
            .with("jsonp", CommonEndpoints.JSONP));
  }

  @Override
  public void handle(HttpExchange exchange, Optional<Principal> principal) throws Refused {
    String name = ModuleChanges.required(exchange, "module");
    answers.execute(() -> Router.guard(exchange, it -> answer(it, name)));
  }

  private void answer(HttpExchange exchange, String name) throws Refused {
    List<ModuleDescription> meant = new ArrayList<>();
    for (ModuleDescription module : leases.modules()) {
      boolean known = meant.stream().anyMatch(it -> title(it).equals(title(module)));
      if (!known && (module.name().equals(name) || title(module).equals(name))) {
        meant.add(module);
      }
    }
    if (meant.isEmpty()) {
      throw new Refused(404, "No module is called so; /mezzo/modules has those there are.\n");
    }
    CommonEndpoints.respondJson(
        exchange,
        json ->
            json.object(
                () -> {
                  json.field("daemon", daemon);
                  json.array("modules", meant, module -> module(json, module));
                }));
  }

  private static String title(ModuleDescription module) {
    return module.kind() + "/" + module.name();
  }

  private void module(JsonOut json, ModuleDescription module) {
    Optional<ParameterDescriptions> described =
        leases.configuration().described(module.kind(), module.name());
    json.object(
        () -> {
          json.field("kind", module.kind());
          json.field("name", module.name());
          json.field("described", described.isPresent());
          json.field("description", described.map(ParameterDescriptions::description).orElse(""));
          json.array(
              "parameters",
              ParameterValue.of(leases, module.kind(), module.name(), daemon),
              value -> parameter(json, value));
        });
  }

  private static void parameter(JsonOut json, ParameterValue parameter) {
    json.object(
        () -> {
          json.field("name", parameter.name());
          parameter.value().ifPresent(value -> json.field("value", value));
          json.field("origin", parameter.origin().word());
          parameter.description().ifPresent(it -> description(json, it));
        });
  }

  private static void description(JsonOut json, ParameterDescription described) {
    json.field("description", described.description());
    json.field("type", described.type().name().toLowerCase(Locale.ROOT));
    json.field("expected", described.expected());
    json.field("required", described.required());
    if (!described.isSecret()) {
      json.field("default", described.value());
    }
    json.texts("options", described.options());
  }
}
