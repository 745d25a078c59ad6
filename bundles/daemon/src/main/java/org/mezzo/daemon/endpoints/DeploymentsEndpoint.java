package org.mezzo.daemon.endpoints;

import java.util.Locale;
import java.util.Optional;
import org.mezzo.api.authentication.Principal;
import org.mezzo.daemon.border.Access;
import org.mezzo.daemon.border.ApiEndpoint;
import org.mezzo.daemon.border.EndpointDeclaration;
import org.mezzo.daemon.border.Help;
import org.mezzo.daemon.border.Permission;
import org.mezzo.daemon.json.JsonOut;
import org.mezzo.deployment.Action;
import org.mezzo.deployment.Deployment;
import org.mezzo.deployment.Deployments;
import org.mezzo.deployment.Shipped;
import org.mezzo.deployment.Verdict;
import org.mezzo.http.HttpExchange;

/** {@code /mezzo/deployments}: Mezzo's own. */
final class DeploymentsEndpoint implements ApiEndpoint {
  private static final String PATH = "/mezzo/deployments";

  private final String daemon;
  private final Deployments deployments;

  /**
   * Of the process that a daemon runs in.
   *
   * @param daemon its name
   */
  DeploymentsEndpoint(String daemon, Deployments deployments) {
    this.daemon = daemon;
    this.deployments = deployments;
  }

  @Override
  public EndpointDeclaration declaration() {
    return new EndpointDeclaration(
        PATH,
        Access.READONLY,
        Permission.endpoint(PATH),
        Help.of(
                "What is deployed in the process, and what was.",
                "Answers with the daemon's name; the module bundles that are wanted, with what has"
                    + " become of each; the verdicts by SHA-256 about bundles that are not tried"
                    + " again until somebody asks; bundles that are removed and whose classes"
                    + " cannot be freed; what came with the distribution; and the last changes with"
                    + " who asked, their stages and outcome, the newest first.")
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
                  json.array("deployments", deployments.list(), wanted -> deployment(json, wanted));
                  json.array("verdicts", deployments.verdicts(), passed -> verdict(json, passed));
                  json.texts("leaks", deployments.leaks());
                  json.array("shipped", deployments.shipped(), jar -> shipped(json, jar));
                  json.array("history", deployments.history(), action -> action(json, action));
                }));
  }

  private static void deployment(JsonOut json, Deployment wanted) {
    json.object(
        () -> {
          json.field("name", wanted.symbolicName());
          json.field("version", wanted.version());
          json.field("digest", wanted.digest());
          json.field("shipped", wanted.shipped());
          json.field("file", wanted.file());
          json.field("state", wanted.state());
          json.field("problem", wanted.problem());
          if (wanted.bundleId() >= 0) {
            json.integer("bundle_id", wanted.bundleId());
          }
          json.texts("modules", wanted.modules());
        });
  }

  private static void shipped(JsonOut json, Shipped jar) {
    json.object(
        () -> {
          json.field("file", jar.fileName());
          json.field("digest", jar.digest());
        });
  }

  private static void verdict(JsonOut json, Verdict passed) {
    json.object(
        () -> {
          json.field("digest", passed.digest());
          json.field("name", passed.symbolicName());
          json.field("version", passed.version());
          json.field("verdict", passed.kind().word());
          json.field("reason", passed.reason());
          json.field("at", passed.at().toString());
        });
  }

  private static void action(JsonOut json, Action action) {
    json.object(() -> fields(json, action));
  }

  /** Writes the fields of a change. */
  static void fields(JsonOut json, Action action) {
    json.integer("id", action.id());
    json.field("principal", action.principal());
    json.field("at", action.at().toString());
    json.field("action", action.kind().name().toLowerCase(Locale.ROOT));
    json.field("name", action.symbolicName());
    json.field("from", action.fromVersion());
    json.field("to", action.toVersion());
    json.field("succeeded", action.succeeded());
    json.field("outcome", action.outcome());
    json.integer("took_ms", action.took().toMillis());
    json.integer("gap_ms", action.gap().toMillis());
    json.array(
        "stages",
        action.stages(),
        stage ->
            json.object(
                () -> {
                  json.field("stage", stage.what());
                  json.integer("after_ms", stage.after().toMillis());
                }));
  }
}
