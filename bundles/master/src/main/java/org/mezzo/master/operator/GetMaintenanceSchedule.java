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

/** GET_MAINTENANCE_SCHEDULE: when which machines are maintained (rule 240). */
final class GetMaintenanceSchedule extends ReadingCall {

  GetMaintenanceSchedule(StateAnswers answers) {
    super(
        answers,
        CallDeclaration.of(
            Call.Type.GET_MAINTENANCE_SCHEDULE,
            Permission.perObject(Action.GET_MAINTENANCE_SCHEDULE),
            "When which machines are maintained."));
  }

  @Override
  Response answer(MasterState state, Visibility visibility) {
    return Response.newBuilder()
        .setType(Response.Type.GET_MAINTENANCE_SCHEDULE)
        .setGetMaintenanceSchedule(
            Response.GetMaintenanceSchedule.newBuilder()
                .setSchedule(MaintenanceReports.schedule(state, visibility)))
        .build();
  }
}
