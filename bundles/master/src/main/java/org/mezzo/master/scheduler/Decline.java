package org.mezzo.master.scheduler;

import org.mezzo.daemon.calls.CallDeclaration;
import org.mezzo.master.transitions.Offers;
import org.mezzo.master.transitions.Step;
import org.mezzo.protocol.v1.scheduler.Call;

/** DECLINE: gives offers back, for a while if a filter says so. */
final class Decline extends FrameworkCall {

  Decline(SubscribedFrameworks frameworks) {
    super(
        frameworks,
        CallDeclaration.<Call>of(
                Call.Type.DECLINE, own(), "Gives offers back, for a while if a filter says so.")
            .carrying("decline"));
  }

  @Override
  Step step(Call call) {
    return tx -> {
      tx.count("master/messages_decline_offers");
      Offers.decline(
          tx,
          call.getFrameworkId().getValue(),
          call.getDecline().getOfferIdsList(),
          call.getDecline().getFilters());
    };
  }
}
