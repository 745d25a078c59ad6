package org.mezzo.master.scheduler;

import org.mezzo.daemon.calls.CallDeclaration;
import org.mezzo.master.transitions.Reclaiming;
import org.mezzo.master.transitions.Step;
import org.mezzo.protocol.v1.scheduler.Call;

/** DECLINE_INVERSE_OFFERS: refuses to give resources back; noted for operators. */
final class DeclineInverseOffers extends FrameworkCall {

  DeclineInverseOffers(SubscribedFrameworks frameworks) {
    super(
        frameworks,
        CallDeclaration.<Call>of(
                Call.Type.DECLINE_INVERSE_OFFERS,
                own(),
                "Refuses to give resources back; noted for operators.")
            .carrying("decline_inverse_offers"));
  }

  @Override
  Step step(Call call) {
    return tx ->
        Reclaiming.answer(
            tx,
            call.getFrameworkId().getValue(),
            call.getDeclineInverseOffers().getInverseOfferIdsList(),
            false,
            call.getDeclineInverseOffers().getFilters());
  }
}
