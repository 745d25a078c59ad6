package org.mezzo.master.operator;

import java.util.concurrent.Executor;
import org.mezzo.api.authorization.Action;
import org.mezzo.daemon.border.Permission;
import org.mezzo.daemon.calls.CallDeclaration;
import org.mezzo.master.transitions.MaintenanceOrder;
import org.mezzo.protocol.v1.master.Call;

/** UPDATE_MAINTENANCE_SCHEDULE: when which machines are maintained (rule 240). */
final class UpdateMaintenanceSchedule extends ChangingCall {
  UpdateMaintenanceSchedule(MaintenanceOrders orders, Executor answers) {
    super(
        answers,
        CallDeclaration.<Call>of(
                Call.Type.UPDATE_MAINTENANCE_SCHEDULE,
                Permission.perObject(Action.UPDATE_MAINTENANCE_SCHEDULE),
                "Replaces the plan of when which machines are maintained.")
            .carrying("update_maintenance_schedule"),
        (principal, call) ->
            orders.give(
                principal,
                new MaintenanceOrder.Plan(call.getUpdateMaintenanceSchedule().getSchedule())));
  }
}
