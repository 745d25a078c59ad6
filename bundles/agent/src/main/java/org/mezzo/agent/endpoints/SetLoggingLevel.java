package org.mezzo.agent.endpoints;

import java.time.Duration;
import java.util.Optional;
import org.mezzo.api.authorization.Action;
import org.mezzo.daemon.border.Permission;
import org.mezzo.daemon.border.Refused;
import org.mezzo.daemon.calls.ApiCall;
import org.mezzo.daemon.calls.CallDeclaration;
import org.mezzo.daemon.calls.CallExchange;
import org.mezzo.daemon.logging.LevelChange;
import org.mezzo.daemon.logging.Verbosity;
import org.mezzo.protocol.v1.agent.Call;

/** SET_LOGGING_LEVEL: logs more for a while (rule 352). */
final class SetLoggingLevel implements ApiCall<Call> {
  private final Verbosity verbosity;

  SetLoggingLevel(Verbosity verbosity) {
    this.verbosity = verbosity;
  }

  @Override
  public CallDeclaration<Call> declaration() {
    return CallDeclaration.<Call>of(
            Call.Type.SET_LOGGING_LEVEL,
            Permission.of(Action.SET_LOG_LEVEL),
            "Sets how much the whole process logs, from 0 to 3, for a while.")
        .carrying("set_logging_level");
  }

  @Override
  public Optional<String> problem(Call call) {
    return change(call).problem();
  }

  @Override
  public void handle(Call call, CallExchange exchange) throws Refused {
    change(call).make(verbosity, exchange.principal());
    exchange.ok();
  }

  private static LevelChange change(Call call) {
    Call.SetLoggingLevel asked = call.getSetLoggingLevel();
    return new LevelChange(
        Integer.toUnsignedLong(asked.getLevel()),
        Duration.ofNanos(asked.getDuration().getNanoseconds()));
  }
}
