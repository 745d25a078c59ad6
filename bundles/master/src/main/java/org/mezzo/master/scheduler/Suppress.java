package org.mezzo.master.scheduler;

import org.mezzo.daemon.calls.CallDeclaration;
import org.mezzo.master.transitions.Offers;
import org.mezzo.master.transitions.Step;
import org.mezzo.protocol.v1.scheduler.Call;

/** SUPPRESS: wants no offers for some roles or all until REVIVE. */
final class Suppress extends FrameworkCall {

  Suppress(SubscribedFrameworks frameworks) {
    super(
        frameworks,
        CallDeclaration.of(
            Call.Type.SUPPRESS, own(), "Wants no offers for some roles or all until REVIVE."));
  }

  @Override
  Step step(Call call) {
    return tx -> {
      tx.count("master/messages_suppress_offers");
      Offers.suppress(tx, call.getFrameworkId().getValue(), call.getSuppress().getRolesList());
    };
  }
}
