package org.mezzo.master.scheduler;

import org.mezzo.daemon.calls.CallDeclaration;
import org.mezzo.master.transitions.Frameworks;
import org.mezzo.master.transitions.Step;
import org.mezzo.protocol.v1.scheduler.Call;

/** TEARDOWN: ends the framework with all its tasks, for good. */
final class Teardown extends FrameworkCall {

  Teardown(SubscribedFrameworks frameworks) {
    super(
        frameworks,
        CallDeclaration.of(
            Call.Type.TEARDOWN, own(), "Ends the framework with all its tasks, for good."));
  }

  @Override
  Step step(Call call) {
    return tx -> Frameworks.remove(tx, tx.framework(call.getFrameworkId().getValue()));
  }
}
