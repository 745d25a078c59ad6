package org.mezzo.master.operator;

import org.mezzo.api.authorization.Action;
import org.mezzo.daemon.border.Permission;
import org.mezzo.daemon.calls.CallDeclaration;
import org.mezzo.master.reads.StateAnswers;
import org.mezzo.master.reads.Visibility;
import org.mezzo.master.state.MasterState;
import org.mezzo.protocol.v1.master.Call;
import org.mezzo.protocol.v1.master.Response;

/** GET_OPERATIONS: the operations on resources that are not over. */
final class GetOperations extends ReadingCall {

  GetOperations(StateAnswers answers) {
    super(
        answers,
        CallDeclaration.of(
            Call.Type.GET_OPERATIONS,
            Permission.perObject(Action.VIEW_ROLE),
            "The operations on resources that agents have not answered, or whose frameworks have"
                + " not acknowledged the answer."));
  }

  @Override
  Response answer(MasterState state, Visibility visibility) {
    return Response.newBuilder()
        .setType(Response.Type.GET_OPERATIONS)
        .setGetOperations(OperatorMessages.operations(state, visibility))
        .build();
  }
}
