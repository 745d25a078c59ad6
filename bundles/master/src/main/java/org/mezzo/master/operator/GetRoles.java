package org.mezzo.master.operator;

import org.mezzo.api.authorization.Action;
import org.mezzo.daemon.border.Permission;
import org.mezzo.daemon.calls.CallDeclaration;
import org.mezzo.master.reads.StateAnswers;
import org.mezzo.master.reads.Visibility;
import org.mezzo.master.state.MasterState;
import org.mezzo.protocol.v1.master.Call;
import org.mezzo.protocol.v1.master.Response;

/** GET_ROLES: known roles with their weights and resources (rule 359). */
final class GetRoles extends ReadingCall {

  GetRoles(StateAnswers answers) {
    super(
        answers,
        CallDeclaration.of(
            Call.Type.GET_ROLES,
            Permission.perObject(Action.VIEW_ROLE),
            "Known roles with their weights and resources."));
  }

  @Override
  Response answer(MasterState state, Visibility visibility) {
    return Response.newBuilder()
        .setType(Response.Type.GET_ROLES)
        .setGetRoles(OperatorMessages.roles(state, visibility))
        .build();
  }
}
