package org.mezzo.master.operator;

import org.mezzo.api.authorization.Action;
import org.mezzo.daemon.border.Permission;
import org.mezzo.daemon.calls.CallDeclaration;
import org.mezzo.master.reads.StateAnswers;
import org.mezzo.master.reads.Visibility;
import org.mezzo.master.state.MasterState;
import org.mezzo.protocol.v1.master.Call;
import org.mezzo.protocol.v1.master.Response;

/** GET_TASKS: running, unreachable and completed tasks. */
final class GetTasks extends ReadingCall {

  GetTasks(StateAnswers answers) {
    super(
        answers,
        CallDeclaration.of(
            Call.Type.GET_TASKS,
            Permission.perObject(Action.VIEW_FRAMEWORK, Action.VIEW_TASK),
            "Running, unreachable and completed tasks."));
  }

  @Override
  Response answer(MasterState state, Visibility visibility) {
    return Response.newBuilder()
        .setType(Response.Type.GET_TASKS)
        .setGetTasks(OperatorMessages.tasks(state, visibility))
        .build();
  }
}
