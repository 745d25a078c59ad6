package org.mezzo.master.operator;

import org.mezzo.api.authorization.Action;
import org.mezzo.daemon.border.Permission;
import org.mezzo.daemon.calls.CallDeclaration;
import org.mezzo.master.reads.StateAnswers;
import org.mezzo.master.reads.Visibility;
import org.mezzo.master.state.MasterState;
import org.mezzo.protocol.v1.master.Call;
import org.mezzo.protocol.v1.master.Response;

/** GET_STATE: tasks, executors, frameworks and agents. */
final class GetState extends ReadingCall {

  GetState(StateAnswers answers) {
    super(
        answers,
        CallDeclaration.of(
            Call.Type.GET_STATE,
            Permission.perObject(
                Action.VIEW_FRAMEWORK, Action.VIEW_TASK, Action.VIEW_EXECUTOR, Action.VIEW_ROLE),
            "Tasks, executors, frameworks and agents."));
  }

  @Override
  Response answer(MasterState state, Visibility visibility) {
    return Response.newBuilder()
        .setType(Response.Type.GET_STATE)
        .setGetState(OperatorMessages.state(state, visibility))
        .build();
  }
}
