package org.mezzo.master.scheduler;

import java.util.Optional;
import org.mezzo.daemon.calls.CallDeclaration;
import org.mezzo.daemon.calls.CallTable;
import org.mezzo.master.transitions.AgentOperations;
import org.mezzo.master.transitions.Step;
import org.mezzo.protocol.v1.scheduler.Call;

/** ACKNOWLEDGE_OPERATION_STATUS: confirms the status of an operation (rule 310). */
final class AcknowledgeOperationStatus extends FrameworkCall {

  AcknowledgeOperationStatus(SubscribedFrameworks frameworks) {
    super(
        frameworks,
        CallDeclaration.<Call>of(
                Call.Type.ACKNOWLEDGE_OPERATION_STATUS,
                own(),
                "Confirms the status of an operation.")
            .carrying("acknowledge_operation_status"));
  }

  @Override
  public Optional<String> problem(Call call) {
    Call.AcknowledgeOperationStatus acknowledged = call.getAcknowledgeOperationStatus();
    return Uuids.problem(acknowledged.getUuid())
        .or(
            () ->
                acknowledged.hasAgentId()
                    ? Optional.empty()
                    : Optional.of(CallTable.absent("agent_id")));
  }

  @Override
  Step step(Call call) {
    return tx ->
        AgentOperations.acknowledge(
            tx, call.getFrameworkId().getValue(), call.getAcknowledgeOperationStatus());
  }
}
