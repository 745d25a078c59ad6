package org.mezzo.master.scheduler;

import org.mezzo.daemon.calls.CallDeclaration;
import org.mezzo.master.transitions.AgentOperations;
import org.mezzo.master.transitions.Step;
import org.mezzo.protocol.v1.scheduler.Call;

/** RECONCILE_OPERATIONS: asks for the latest status of some operations or all. */
final class ReconcileOperations extends FrameworkCall {

  ReconcileOperations(SubscribedFrameworks frameworks) {
    super(
        frameworks,
        CallDeclaration.<Call>of(
                Call.Type.RECONCILE_OPERATIONS,
                own(),
                "Asks for the latest status of some operations or all.")
            .carrying("reconcile_operations"));
  }

  @Override
  Step step(Call call) {
    return tx ->
        AgentOperations.reconcile(
            tx,
            call.getFrameworkId().getValue(),
            call.getReconcileOperations().getOperationsList());
  }
}
