package org.mezzo.master.scheduler;

import org.mezzo.daemon.calls.CallDeclaration;
import org.mezzo.master.transitions.Offers;
import org.mezzo.master.transitions.Step;
import org.mezzo.protocol.v1.scheduler.Call;

/** REVIVE: forgets the filters of some roles or all, and undoes SUPPRESS. */
final class Revive extends FrameworkCall {

  Revive(SubscribedFrameworks frameworks) {
    super(
        frameworks,
        CallDeclaration.of(
            Call.Type.REVIVE,
            own(),
            "Forgets the filters of some roles or all, and undoes SUPPRESS."));
  }

  @Override
  Step step(Call call) {
    return tx -> {
      tx.count("master/messages_revive_offers");
      Offers.revive(tx, call.getFrameworkId().getValue(), call.getRevive().getRolesList());
    };
  }
}
