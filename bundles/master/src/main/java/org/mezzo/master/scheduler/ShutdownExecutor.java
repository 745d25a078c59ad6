package org.mezzo.master.scheduler;

import org.mezzo.daemon.calls.CallDeclaration;
import org.mezzo.master.transitions.Step;
import org.mezzo.master.transitions.Tasks;
import org.mezzo.protocol.v1.scheduler.Call;

/** SHUTDOWN: shuts an executor of the framework down. */
final class ShutdownExecutor extends FrameworkCall {

  ShutdownExecutor(SubscribedFrameworks frameworks) {
    super(
        frameworks,
        CallDeclaration.<Call>of(
                Call.Type.SHUTDOWN, own(), "Shuts an executor of the framework down.")
            .carrying("shutdown"));
  }

  @Override
  Step step(Call call) {
    return tx -> Tasks.shutdown(tx, call.getFrameworkId().getValue(), call.getShutdown());
  }
}
