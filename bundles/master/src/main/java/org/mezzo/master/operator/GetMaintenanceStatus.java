package org.mezzo.master.operator;

import org.mezzo.api.authorization.Action;
import org.mezzo.daemon.border.Permission;
import org.mezzo.daemon.calls.CallDeclaration;
import org.mezzo.master.reads.MaintenanceReports;
import org.mezzo.master.reads.StateAnswers;
import org.mezzo.master.reads.Visibility;
import org.mezzo.master.state.MasterState;
import org.mezzo.protocol.v1.master.Call;
import org.mezzo.protocol.v1.master.Response;

/** GET_MAINTENANCE_STATUS: machines that wait for their maintenance, or are down (rule 245). */
final class GetMaintenanceStatus extends ReadingCall {

  GetMaintenanceStatus(StateAnswers answers) {
    super(
        answers,
        CallDeclaration.of(
            Call.Type.GET_MAINTENANCE_STATUS,
            Permission.perObject(Action.GET_MAINTENANCE_STATUS),
            "The machines that wait for their maintenance, and those that are down."));
  }

  @Override
  Response answer(MasterState state, Visibility visibility) {
    return Response.newBuilder()
        .setType(Response.Type.GET_MAINTENANCE_STATUS)
        .setGetMaintenanceStatus(
            Response.GetMaintenanceStatus.newBuilder()
                .setStatus(MaintenanceReports.status(state, visibility)))
        .build();
  }
}
