package org.mezzo.master.scheduler;

import org.mezzo.daemon.calls.CallDeclaration;
import org.mezzo.master.transitions.Reclaiming;
import org.mezzo.master.transitions.Step;
import org.mezzo.protocol.v1.scheduler.Call;

/** ACCEPT_INVERSE_OFFERS: agrees to give resources back; noted for operators. */
final class AcceptInverseOffers extends FrameworkCall {

  AcceptInverseOffers(SubscribedFrameworks frameworks) {
    super(
        frameworks,
        CallDeclaration.<Call>of(
                Call.Type.ACCEPT_INVERSE_OFFERS,
                own(),
                "Agrees to give resources back; noted for operators.")
            .carrying("accept_inverse_offers"));
  }

  @Override
  Step step(Call call) {
    return tx ->
        Reclaiming.answer(
            tx,
            call.getFrameworkId().getValue(),
            call.getAcceptInverseOffers().getInverseOfferIdsList(),
            true,
            call.getAcceptInverseOffers().getFilters());
  }
}
