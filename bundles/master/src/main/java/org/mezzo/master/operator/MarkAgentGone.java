package org.mezzo.master.operator;

import java.util.concurrent.Executor;
import org.mezzo.api.authorization.Action;
import org.mezzo.daemon.border.Permission;
import org.mezzo.daemon.calls.CallDeclaration;
import org.mezzo.master.election.LeaderChanges;
import org.mezzo.master.transitions.Gone;
import org.mezzo.protocol.v1.master.Call;

/** MARK_AGENT_GONE: an agent is lost for ever (rule 152). */
final class MarkAgentGone extends ChangingCall {
  MarkAgentGone(LeaderChanges changes, Executor answers) {
    super(
        answers,
        CallDeclaration.<Call>of(
                Call.Type.MARK_AGENT_GONE,
                Permission.of(Action.MARK_AGENT_GONE),
                "Gives an agent up for good: its tasks are gone, and it may not come back.")
            .carrying("mark_agent_gone"),
        (principal, call) -> {
          String agentId = call.getMarkAgentGone().getAgentId().getValue();
          return changes.make((tx, outcome) -> Gone.mark(tx, agentId, outcome));
        });
  }
}
