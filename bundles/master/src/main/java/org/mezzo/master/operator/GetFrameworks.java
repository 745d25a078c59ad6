package org.mezzo.master.operator;

import org.mezzo.api.authorization.Action;
import org.mezzo.daemon.border.Permission;
import org.mezzo.daemon.calls.CallDeclaration;
import org.mezzo.master.reads.StateAnswers;
import org.mezzo.master.reads.Visibility;
import org.mezzo.master.state.MasterState;
import org.mezzo.protocol.v1.master.Call;
import org.mezzo.protocol.v1.master.Response;

/** GET_FRAMEWORKS: registered and completed frameworks. */
final class GetFrameworks extends ReadingCall {

  GetFrameworks(StateAnswers answers) {
    super(
        answers,
        CallDeclaration.of(
            Call.Type.GET_FRAMEWORKS,
            Permission.perObject(Action.VIEW_FRAMEWORK),
            "Registered and completed frameworks."));
  }

  @Override
  Response answer(MasterState state, Visibility visibility) {
    return Response.newBuilder()
        .setType(Response.Type.GET_FRAMEWORKS)
        .setGetFrameworks(OperatorMessages.frameworks(state, visibility))
        .build();
  }
}
