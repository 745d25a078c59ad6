package org.mezzo.agent.endpoints;

import org.mezzo.api.authorization.Action;
import org.mezzo.daemon.border.Permission;
import org.mezzo.daemon.calls.ApiCall;
import org.mezzo.daemon.calls.CallDeclaration;
import org.mezzo.daemon.calls.CallExchange;
import org.mezzo.protocol.v1.agent.Call;

/** {@code PRUNE_IMAGES}: done at once, as the agent keeps no images. */
final class PruneImages implements ApiCall<Call> {
  @Override
  public CallDeclaration<Call> declaration() {
    return CallDeclaration.of(
        Call.Type.PRUNE_IMAGES,
        Permission.of(Action.PRUNE_IMAGES),
        "Removes images that nothing uses; this agent keeps none.");
  }

  @Override
  public void handle(Call call, CallExchange exchange) {
    exchange.ok();
  }
}
