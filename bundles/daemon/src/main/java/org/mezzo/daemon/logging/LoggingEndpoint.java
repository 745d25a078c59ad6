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
    int next = level(level.orElseThrow(() -> expecting(LEVEL)));
    Duration after = duration(duration.orElseThrow(() -> expecting(DURATION)));
    try {
      verbosity.set(next, after, principal.flatMap(Principal::value).orElse("Somebody"));
    } catch (UnsupportedOperationException e) {
      throw new Refused(501, e.getMessage() + ".\n");
    }
    exchange.respond(HttpResponse.status(200));
  }

  private static Optional<String> parameter(HttpExchange exchange, String name) {
    return Optional.ofNullable(exchange.query().get(name));
  }

  private static Refused expecting(String name) {
    return new Refused(400, "Expecting '" + name + "=value' in query.\n");
  }

  private static int level(String text) throws Refused {
    try {
      int level = Integer.parseInt(text);
      if (level >= 0 && level <= Verbosity.MOST) {
        return level;
      }
    } catch (NumberFormatException e) {
      // As any other text that is no level.
    }
    throw new Refused(
        400, "Invalid level '" + text + "': write a number from 0 to " + Verbosity.MOST + ".\n");
  }

  private static Duration duration(String text) throws Refused {
    try {
      Duration duration = FlagValues.duration(text);
      if (!duration.isNegative()) {
        return duration;
      }
    } catch (IllegalArgumentException e) {
      throw new Refused(400, "Invalid duration: " + e.getMessage() + ".\n");
    }
    throw new Refused(400, "Invalid duration: '" + text + "' is negative.\n");
  }
}
