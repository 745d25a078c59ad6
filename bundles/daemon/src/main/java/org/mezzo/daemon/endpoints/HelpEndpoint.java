package org.mezzo.daemon.endpoints;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import org.mezzo.api.DaemonContext.Role;
import org.mezzo.api.authentication.Principal;
import org.mezzo.daemon.border.Access;
import org.mezzo.daemon.border.ApiEndpoint;
import org.mezzo.daemon.border.CallHelp;
import org.mezzo.daemon.border.EndpointDeclaration;
import org.mezzo.daemon.border.Help;
import org.mezzo.daemon.border.Permission;
import org.mezzo.daemon.border.Refused;
import org.mezzo.daemon.border.Router;
import org.mezzo.daemon.json.JsonOut;
import org.mezzo.http.HttpExchange;

/**
 * {@code /help}, {@code /help/<id>} and {@code /help/<id>/<name>}: what the router serves, from the
 * declarations. Ids are the daemon's own and the first segments of what all daemons share.
 */
final class HelpEndpoint implements ApiEndpoint {
  private static final String PATH = "/help";

  /** First segments of paths that do not belong to the daemon's own id. */
  private static final Set<String> SHARED =
      Set.of("files", "help", "logging", "metrics", "mezzo", "registrar(1)", "system", "version");

  /** An endpoint as the help lists it: {@code files} and {@code /browse}. */
  record Entry(String id, String name, ApiEndpoint endpoint) {
    /** Where it is served. */
    String path() {
      return "/" + id + (name.equals("/") ? "" : name);
    }
  }

  private final Router router;
  private final Role role;

  HelpEndpoint(Router router, Role role) {
    this.router = router;
    this.role = role;
  }

  @Override
  public EndpointDeclaration declaration() {
    return new EndpointDeclaration(
        PATH,
        Access.NONE,
        Permission.none("it tells how to ask, and nothing of what the answers hold"),
        Help.of(
                "Help on every endpoint.",
                "Answers with a page on all endpoints, on those of one id (/help/files), or on one"
                    + " of them (/help/files/browse).")
            .with("format", "json answers with an object instead of a page")
            .with("jsonp", CommonEndpoints.JSONP));
  }

  @Override
  public void handle(HttpExchange exchange, Optional<Principal> principal) throws Refused {
    String rest = router.local(exchange.path()).substring(PATH.length());
    String wanted = rest.startsWith("/") ? rest.substring(1) : "";
    Map<String, List<Entry>> shown = shown(wanted);
    if (shown.isEmpty()) {
      throw new Refused(404, "No help available for '/" + wanted + "'. See " + PATH + ".\n");
    }
    if ("json".equals(exchange.query().get("format"))) {
      CommonEndpoints.respondJson(exchange, json -> json(json, shown));
    } else {
      exchange.respond(HelpPage.of(wanted, shown, role));
    }
  }

  /** By id; what is wanted is empty for everything, an id, or an id and a name. */
  private Map<String, List<Entry>> shown(String wanted) {
    Map<String, List<Entry>> shown = new TreeMap<>();
    for (ApiEndpoint endpoint : router.endpoints()) {
      Entry entry = entry(endpoint);
      if (wanted.isEmpty() || wanted.equals(entry.id) || ("/" + wanted).equals(entry.path())) {
        shown.computeIfAbsent(entry.id, id -> new ArrayList<>()).add(entry);
      }
    }
    return shown;
  }

  private Entry entry(ApiEndpoint endpoint) {
    String path = endpoint.declaration().path();
    int slash = path.indexOf('/', 1);
    String first = path.substring(1, slash < 0 ? path.length() : slash);
    return SHARED.contains(first)
        ? new Entry(first, slash < 0 ? "/" : path.substring(slash), endpoint)
        : new Entry(router.mainId(), path, endpoint);
  }

  private void json(JsonOut json, Map<String, List<Entry>> shown) {
    json.object(
        () ->
            json.array(
                "processes",
                shown.entrySet(),
                process ->
                    json.object(
                        () -> {
                          json.field("id", process.getKey());
                          json.array(
                              "endpoints", process.getValue(), entry -> endpoint(json, entry));
                        })));
  }

  private void endpoint(JsonOut json, Entry entry) {
    EndpointDeclaration declaration = entry.endpoint.declaration();
    json.object(
        () -> {
          json.field("name", entry.name);
          json.field("path", entry.path());
          json.texts("methods", declaration.methods().stream().sorted().toList());
          json.field("summary", declaration.help().summary());
          json.field("description", declaration.help().description());
          json.array(
              "parameters",
              declaration.help().parameters(),
              parameter ->
                  json.object(
                      () -> {
                        json.field("name", parameter.name());
                        json.field("meaning", parameter.meaning());
                      }));
          declaration.access().realm(role).ifPresent(realm -> json.field("realm", realm));
          json.field("authorization", declaration.permission().toString());
          List<CallHelp> calls = entry.endpoint.calls();
          if (!calls.isEmpty()) {
            json.array("calls", calls, call -> call(json, call));
          }
        });
  }

  private static void call(JsonOut json, CallHelp call) {
    json.object(
        () -> {
          json.field("type", call.type());
          call.message().ifPresent(message -> json.field("message", message));
          json.field("summary", call.summary());
          json.field("authorization", call.permission().toString());
        });
  }
}
