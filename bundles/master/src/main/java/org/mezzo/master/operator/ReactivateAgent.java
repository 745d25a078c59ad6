package org.mezzo.master.operator;

import java.util.concurrent.Executor;
import org.mezzo.api.authorization.Action;
import org.mezzo.daemon.border.Permission;
import org.mezzo.daemon.calls.CallDeclaration;
import org.mezzo.master.election.LeaderChanges;
import org.mezzo.master.transitions.Standings;
import org.mezzo.protocol.v1.master.Call;

/** REACTIVATE_AGENT: an agent is offered again (rule 254). */
final class ReactivateAgent extends ChangingCall {
  ReactivateAgent(LeaderChanges changes, Executor answers) {
    super(
        answers,
        CallDeclaration.<Call>of(
                Call.Type.REACTIVATE_AGENT,
                Permission.of(Action.REACTIVATE_AGENT),
                "Undoes DEACTIVATE_AGENT, or a drain that has come to its end.")
            .carrying("reactivate_agent"),
        (principal, call) -> {
          String agentId = call.getReactivateAgent().getAgentId().getValue();
          return changes.make((tx, outcome) -> Standings.reactivate(tx, agentId, outcome));
        });
  }
}
