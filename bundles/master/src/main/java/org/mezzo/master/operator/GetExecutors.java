package org.mezzo.master.operator;

import org.mezzo.api.authorization.Action;
import org.mezzo.daemon.border.Permission;
import org.mezzo.daemon.calls.CallDeclaration;
import org.mezzo.master.reads.StateAnswers;
import org.mezzo.master.reads.Visibility;
import org.mezzo.master.state.MasterState;
import org.mezzo.protocol.v1.master.Call;
import org.mezzo.protocol.v1.master.Response;

/** GET_EXECUTORS: executors. */
final class GetExecutors extends ReadingCall {

  GetExecutors(StateAnswers answers) {
    super(
        answers,
        CallDeclaration.of(
            Call.Type.GET_EXECUTORS,
            Permission.perObject(Action.VIEW_FRAMEWORK, Action.VIEW_EXECUTOR),
            "Executors."));
  }

  @Override
  Response answer(MasterState state, Visibility visibility) {
    return Response.newBuilder()
        .setType(Response.Type.GET_EXECUTORS)
        .setGetExecutors(OperatorMessages.executors(state, visibility))
        .build();
  }
}
