package org.mezzo.master.state;

import com.google.protobuf.ByteString;
import java.util.Optional;
import org.mezzo.protocol.v1.Offer;
import org.mezzo.protocol.v1.OperationState;
import org.mezzo.protocol.v1.OperationStatus;

/**
 * An operation on resources that was handed to an agent.
 *
 * @param uuid names it between master and agent
 * @param frameworkId who wants it; empty for an operator
 * @param info without allocations
 * @param latest what is known of how it went
 */
public record Operation(
    ByteString uuid,
    String frameworkId,
    String agentId,
    Offer.Operation info,
    OperationStatus latest) {

  /** The id its framework gave it; empty when it gave none, and is told nothing of it then. */
  public Optional<String> id() {
    return info.hasId() ? Optional.of(info.getId().getValue()) : Optional.empty();
  }

  /** Whether nothing more comes of it. */
  public boolean terminal() {
    return terminal(latest.getState());
  }

  /** Whether a state is one that nothing follows. */
  public static boolean terminal(OperationState state) {
    return switch (state) {
      case OPERATION_FINISHED,
          OPERATION_FAILED,
          OPERATION_ERROR,
          OPERATION_DROPPED,
          OPERATION_GONE_BY_OPERATOR ->
          true;
      default -> false;
    };
  }

  /** With another status. */
  public Operation with(OperationStatus status) {
    return new Operation(uuid, frameworkId, agentId, info, status);
  }
}
