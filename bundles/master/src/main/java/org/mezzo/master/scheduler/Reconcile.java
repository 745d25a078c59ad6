package org.mezzo.master.scheduler;

import org.mezzo.daemon.calls.CallDeclaration;
import org.mezzo.master.transitions.Step;
import org.mezzo.master.transitions.Tasks;
import org.mezzo.protocol.v1.scheduler.Call;

/** RECONCILE: asks for the latest status of some tasks or all. */
final class Reconcile extends FrameworkCall {

  Reconcile(SubscribedFrameworks frameworks) {
    super(
        frameworks,
        CallDeclaration.<Call>of(
                Call.Type.RECONCILE, own(), "Asks for the latest status of some tasks or all.")
            .carrying("reconcile"));
  }

  @Override
  Step step(Call call) {
    return tx -> {
      tx.count("master/messages_reconcile_tasks");
      Tasks.reconcile(tx, call.getFrameworkId().getValue(), call.getReconcile().getTasksList());
    };
  }
}
