package org.mezzo.master.operator;

import java.util.concurrent.Executor;
import org.mezzo.api.authorization.Action;
import org.mezzo.daemon.border.Permission;
import org.mezzo.daemon.calls.CallDeclaration;
import org.mezzo.master.election.LeaderChanges;
import org.mezzo.master.transitions.Standings;
import org.mezzo.protocol.v1.master.Call;

/** DEACTIVATE_AGENT: nothing of an agent is offered any more (rule 253). */
final class DeactivateAgent extends ChangingCall {
  DeactivateAgent(LeaderChanges changes, Executor answers) {
    super(
        answers,
        CallDeclaration.<Call>of(
                Call.Type.DEACTIVATE_AGENT,
                Permission.of(Action.DEACTIVATE_AGENT),
                "Keeps an agent out of offers until it is reactivated; its tasks go on.")
            .carrying("deactivate_agent"),
        (principal, call) -> {
          String agentId = call.getDeactivateAgent().getAgentId().getValue();
          return changes.make((tx, outcome) -> Standings.deactivate(tx, agentId, outcome));
        });
  }
}
