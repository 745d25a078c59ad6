package org.mezzo.master.operator;

import org.mezzo.api.authorization.Action;
import org.mezzo.daemon.border.Permission;
import org.mezzo.daemon.calls.CallDeclaration;
import org.mezzo.master.reads.StateAnswers;
import org.mezzo.master.reads.Visibility;
import org.mezzo.master.state.MasterState;
import org.mezzo.protocol.v1.master.Call;
import org.mezzo.protocol.v1.master.Response;

/** GET_WEIGHTS: the weights that were set. */
final class GetWeights extends ReadingCall {

  GetWeights(StateAnswers answers) {
    super(
        answers,
        CallDeclaration.of(
            Call.Type.GET_WEIGHTS,
            Permission.perObject(Action.VIEW_ROLE),
            "The weights of roles that were set."));
  }

  @Override
  Response answer(MasterState state, Visibility visibility) {
    Response.Builder response = Response.newBuilder().setType(Response.Type.GET_WEIGHTS);
    Response.GetWeights weights = OperatorMessages.weights(state, visibility);
    if (weights.getWeightInfosCount() > 0) {
      response.setGetWeights(weights);
    }
    return response.build();
  }
}
