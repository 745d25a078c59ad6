package org.mezzo.master.operator;

import java.util.concurrent.Executor;
import org.mezzo.api.authorization.Action;
import org.mezzo.daemon.border.Permission;
import org.mezzo.daemon.calls.CallDeclaration;
import org.mezzo.master.transitions.MaintenanceOrder;
import org.mezzo.protocol.v1.master.Call;

/** START_MAINTENANCE: machines are down (rule 243). */
final class StartMaintenance extends ChangingCall {
  StartMaintenance(MaintenanceOrders orders, Executor answers) {
    super(
        answers,
        CallDeclaration.<Call>of(
                Call.Type.START_MAINTENANCE,
                Permission.perObject(Action.START_MAINTENANCE),
                "Takes scheduled machines down: their agents have to end, and may not come back"
                    + " before the machines are up.")
            .carrying("start_maintenance"),
        (principal, call) ->
            orders.give(
                principal,
                new MaintenanceOrder.TakeDown(call.getStartMaintenance().getMachinesList())));
  }
}
