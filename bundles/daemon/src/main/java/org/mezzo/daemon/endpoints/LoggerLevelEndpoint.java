package org.mezzo.daemon.endpoints;

import java.util.List;
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
import org.mezzo.daemon.logging.LoggerLevel;
import org.mezzo.daemon.logging.LoggerLevels;
import org.mezzo.http.HttpExchange;

/** {@code /mezzo/loggers/level}: Mezzo's own. */
final class LoggerLevelEndpoint implements ApiEndpoint {
  private static final String PATH = "/mezzo/loggers/level";

  private final String daemon;
  private final LoggerLevels levels;
  private final Executor answers;

  /**
   * Of a daemon's process.
   *
   * @param answers where changes are made, as these are written to a disk
   */
  LoggerLevelEndpoint(String daemon, LoggerLevels levels, Executor answers) {
    this.daemon = daemon;
    this.levels = levels;
    this.answers = answers;
  }

  @Override
  public EndpointDeclaration declaration() {
    return new EndpointDeclaration(
        PATH,
        Set.of("POST"),
        Access.READWRITE,
        Permission.of(Action.SET_LOG_LEVEL),
        Help.of(
                "Sets the level of a logger.",
                "Answers with the level that holds then. The change is in the history that"
                    + " /mezzo/deployments has. All daemons of the process share its log, which"
                    + " forgets what was set when it ends. Where --authenticate_http_readwrite is"
                    + " off, only requests from this machine are served.")
            .with("logger", "the begin of loggers' names, ROOT for all, or a module as KIND/NAME")
            .with(
                "level",
                "ERROR, WARN, INFO, DEBUG or TRACE; default for what held before anybody set it")
            .with(
                "duration",
                "after which the former level is back, such as 10mins, at most 7days; without it"
                    + " the level holds until it is changed"));
  }

  @Override
  public void handle(HttpExchange exchange, Optional<Principal> principal) throws Refused {
    String requester = ModuleChanges.requester(exchange, principal);
    String logger = ModuleChanges.required(exchange, "logger");
    String level = ModuleChanges.required(exchange, "level");
    Optional<String> duration = Optional.ofNullable(exchange.query().get("duration"));
    answers.execute(
        () ->
            Router.guard(
                exchange,
                it -> {
                  List<LoggerLevel> changed = change(logger, level, duration, requester);
                  CommonEndpoints.respondJson(
                      it, json -> LoggersEndpoint.write(json, daemon, changed));
                }));
  }

  private List<LoggerLevel> change(
      String logger, String level, Optional<String> duration, String requester) throws Refused {
    try {
      return levels.change(logger, level, duration, requester);
    } catch (IllegalArgumentException | UnsupportedOperationException e) {
      throw LoggersEndpoint.refused(e);
    }
  }
}
