package org.mezzo.master.operator;

import java.util.concurrent.Executor;
import org.mezzo.api.authorization.Action;
import org.mezzo.daemon.border.Permission;
import org.mezzo.daemon.calls.CallDeclaration;
import org.mezzo.master.transitions.MaintenanceOrder;
import org.mezzo.protocol.v1.master.Call;

/** STOP_MAINTENANCE: machines are up again (rule 244). */
final class StopMaintenance extends ChangingCall {
  StopMaintenance(MaintenanceOrders orders, Executor answers) {
    super(
        answers,
        CallDeclaration.<Call>of(
                Call.Type.STOP_MAINTENANCE,
                Permission.perObject(Action.STOP_MAINTENANCE),
                "Brings machines up that were taken down, and takes them off the schedule.")
            .carrying("stop_maintenance"),
        (principal, call) ->
            orders.give(
                principal,
                new MaintenanceOrder.BringUp(call.getStopMaintenance().getMachinesList())));
  }
}
