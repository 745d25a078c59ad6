package org.mezzo.master.operator;

import org.mezzo.daemon.border.Permission;
import org.mezzo.daemon.calls.ApiCall;
import org.mezzo.daemon.calls.CallDeclaration;
import org.mezzo.daemon.calls.CallExchange;
import org.mezzo.daemon.logging.Verbosity;
import org.mezzo.protocol.v1.master.Call;
import org.mezzo.protocol.v1.master.Response;

/** GET_LOGGING_LEVEL: how much the process logs beyond what its flags say. */
final class GetLoggingLevel implements ApiCall<Call> {
  private final Verbosity verbosity;

  GetLoggingLevel(Verbosity verbosity) {
    this.verbosity = verbosity;
  }

  @Override
  public CallDeclaration<Call> declaration() {
    return CallDeclaration.of(
        Call.Type.GET_LOGGING_LEVEL,
        Permission.none("a number from 0 to 3 tells nothing of the cluster, as in Mesos"),
        "How much the process logs beyond what --logging_level says.");
  }

  @Override
  public void handle(Call call, CallExchange exchange) {
    exchange.respond(
        Response.newBuilder()
            .setType(Response.Type.GET_LOGGING_LEVEL)
            .setGetLoggingLevel(Response.GetLoggingLevel.newBuilder().setLevel(verbosity.level()))
            .build());
  }
}
