package org.mezzo.master.scheduler;

import org.mezzo.daemon.calls.CallDeclaration;
import org.mezzo.master.transitions.Step;
import org.mezzo.protocol.v1.scheduler.Call;

/** DECLINE_INVERSE_OFFERS: refuses to give resources back; no such offers are made yet. */
final class DeclineInverseOffers extends FrameworkCall {

  DeclineInverseOffers(SubscribedFrameworks frameworks) {
    super(
        frameworks,
        CallDeclaration.<Call>of(
                Call.Type.DECLINE_INVERSE_OFFERS,
                own(),
                "Refuses to give resources back; no such offers are made yet.")
            .carrying("decline_inverse_offers"));
  }

  @Override
  Step step(Call call) {
    return tx -> {};
  }
}
