package org.mezzo.master.operator;

import org.mezzo.api.authorization.Action;
import org.mezzo.daemon.border.Permission;
import org.mezzo.daemon.calls.CallDeclaration;
import org.mezzo.master.reads.StateAnswers;
import org.mezzo.master.reads.Visibility;
import org.mezzo.master.state.MasterState;
import org.mezzo.protocol.v1.master.Call;
import org.mezzo.protocol.v1.master.Response;

/** GET_AGENTS: registered and recovered agents. */
final class GetAgents extends ReadingCall {

  GetAgents(StateAnswers answers) {
    super(
        answers,
        CallDeclaration.of(
            Call.Type.GET_AGENTS,
            Permission.perObject(Action.VIEW_ROLE),
            "Registered and recovered agents."));
  }

  @Override
  Response answer(MasterState state, Visibility visibility) {
    return Response.newBuilder()
        .setType(Response.Type.GET_AGENTS)
        .setGetAgents(OperatorMessages.agents(state, visibility))
        .build();
  }
}
