package org.mezzo.master.scheduler;

import java.util.Optional;
import org.mezzo.daemon.calls.CallDeclaration;
import org.mezzo.master.transitions.Statuses;
import org.mezzo.master.transitions.Step;
import org.mezzo.protocol.v1.scheduler.Call;

/** ACKNOWLEDGE: lets go of a status update. */
final class Acknowledge extends FrameworkCall {

  Acknowledge(SubscribedFrameworks frameworks) {
    super(
        frameworks,
        CallDeclaration.<Call>of(
                Call.Type.ACKNOWLEDGE,
                own(),
                "Confirms a status update, which is not sent again then.")
            .carrying("acknowledge"));
  }

  @Override
  public Optional<String> problem(Call call) {
    return Uuids.problem(call.getAcknowledge().getUuid());
  }

  @Override
  Step step(Call call) {
    return tx -> {
      tx.count("master/messages_status_update_acknowledgement");
      Statuses.acknowledge(tx, call.getFrameworkId().getValue(), call.getAcknowledge());
    };
  }
}
