package org.mezzo.daemon.logging;

import java.time.Duration;
import java.util.Optional;
import org.mezzo.api.authentication.Principal;
import org.mezzo.daemon.border.Access;
import org.mezzo.daemon.border.ApiEndpoint;
import org.mezzo.daemon.border.EndpointDeclaration;
import org.mezzo.daemon.border.Help;
import org.mezzo.daemon.border.Permission;
import org.mezzo.daemon.border.Refused;
import org.mezzo.flags.FlagValues;
import org.mezzo.http.HttpExchange;
import org.mezzo.http.HttpResponse;

/** {@code /logging/toggle} (rule 352). */
public final class LoggingEndpoint implements ApiEndpoint {
  private static final String PATH = "/logging/toggle";
  private static final String LEVEL = "level";
  private static final String DURATION = "duration";

  private final Verbosity verbosity;

  /** The endpoint of any daemon of the process. */
  public LoggingEndpoint(Verbosity verbosity) {
    this.verbosity = verbosity;
  }

  @Override
  public EndpointDeclaration declaration() {
    return new EndpointDeclaration(
        PATH,
        Access.READWRITE,
        Permission.endpoint(PATH),
        Help.of(
                "Logs more for a while.",
                "Answers with the level without a query; it is 0 unless somebody has raised it."
                    + " With both parameters it sets the level of the whole process, which is 0"
                    + " again after the duration.")
            .with(
                LEVEL,
                "0 logs what --logging_level says, 1 Mezzo's DEBUG as well, 2 that of libraries as"
                    + " well, 3 everything")
            .with(DURATION, "how long it holds, such as 10secs or 15mins"));
  }

  @Override
  public void handle(HttpExchange exchange, Optional<Principal> principal) throws Refused {
    Optional<String> level = parameter(exchange, LEVEL);
    Optional<String> duration = parameter(exchange, DURATION);
    if (level.isEmpty() && duration.isEmpty()) {
      exchange.respond(HttpResponse.text(200, verbosity.level() + "\n"));
      return;
    }
    LevelChange change =
        new LevelChange(
            level(level.orElseThrow(() -> expecting(LEVEL))),
            duration(duration.orElseThrow(() -> expecting(DURATION))));
    Optional<String> problem = change.problem();
    if (problem.isPresent()) {
      throw new Refused(400, problem.get() + ".\n");
    }
    change.make(verbosity, principal);
    exchange.respond(HttpResponse.status(200));
  }

  private static Optional<String> parameter(HttpExchange exchange, String name) {
    return Optional.ofNullable(exchange.query().get(name));
  }

  private static Refused expecting(String name) {
    return new Refused(400, "Expecting '" + name + "=value' in query.\n");
  }

  private static long level(String text) throws Refused {
    try {
      return Long.parseLong(text);
    } catch (NumberFormatException e) {
      throw new Refused(400, LevelChange.noLevel(text) + ".\n");
    }
  }

  private static Duration duration(String text) throws Refused {
    try {
      return FlagValues.duration(text);
    } catch (IllegalArgumentException e) {
      throw new Refused(400, "Invalid duration: " + e.getMessage() + ".\n");
    }
  }
}
