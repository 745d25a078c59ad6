package org.mezzo.daemon.endpoints;

import java.util.List;
import java.util.Optional;
import org.mezzo.api.authentication.Principal;
import org.mezzo.daemon.DaemonFrame;
import org.mezzo.daemon.border.Access;
import org.mezzo.daemon.border.ApiEndpoint;
import org.mezzo.daemon.border.EndpointDeclaration;
import org.mezzo.daemon.border.Help;
import org.mezzo.daemon.border.Permission;
import org.mezzo.daemon.border.Refused;
import org.mezzo.daemon.json.JsonOut;
import org.mezzo.daemon.logging.LoggerLevel;
import org.mezzo.daemon.logging.LoggerLevels;
import org.mezzo.http.HttpExchange;

/** {@code /mezzo/loggers}: Mezzo's own. */
public final class LoggersEndpoint implements ApiEndpoint {
  private static final String PATH = "/mezzo/loggers";

  private final String daemon;
  private final LoggerLevels levels;

  LoggersEndpoint(String daemon, LoggerLevels levels) {
    this.daemon = daemon;
    this.levels = levels;
  }

  /** Adds what a daemon shows of its process's loggers, and the door for changes. */
  public static void install(DaemonFrame frame, LoggerLevels levels) {
    frame
        .router()
        .add(new LoggersEndpoint(frame.name(), levels))
        .add(new LoggerLevelEndpoint(frame.name(), levels, frame.workers().answers()));
  }

  @Override
  public EndpointDeclaration declaration() {
    return new EndpointDeclaration(
        PATH,
        Access.READONLY,
        Permission.endpoint(PATH),
        Help.of(
                "The levels of the process's loggers.",
                "Answers with the daemon's name and the loggers that somebody has set the level of,"
                    + " by whom and until when.")
            .with(
                "logger",
                "answers with the level that holds for this one instead, or for those of the module"
                    + " KIND/NAME")
            .with("jsonp", CommonEndpoints.JSONP));
  }

  @Override
  public void handle(HttpExchange exchange, Optional<Principal> principal) throws Refused {
    String logger = exchange.query().get("logger");
    List<LoggerLevel> shown;
    try {
      shown = logger == null ? levels.list() : levels.of(logger);
    } catch (IllegalArgumentException | UnsupportedOperationException e) {
      throw refused(e);
    }
    CommonEndpoints.respondJson(exchange, json -> write(json, daemon, shown));
  }

  static Refused refused(RuntimeException e) {
    return new Refused(e instanceof IllegalArgumentException ? 400 : 501, e.getMessage() + ".\n");
  }

  static void write(JsonOut json, String daemon, List<LoggerLevel> levels) {
    json.object(
        () -> {
          json.field("daemon", daemon);
          json.array(
              "loggers",
              levels,
              one ->
                  json.object(
                      () -> {
                        json.field("logger", one.logger());
                        json.field("level", one.level().name());
                        one.until().ifPresent(end -> json.field("until", end.toString()));
                        json.field("by", one.by());
                      }));
        });
  }
}
