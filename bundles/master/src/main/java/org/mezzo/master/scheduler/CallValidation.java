package org.mezzo.master.scheduler;

import java.util.Optional;
import org.mezzo.protocol.v1.FrameworkID;
import org.mezzo.protocol.v1.scheduler.Call;

/** What can be wrong with a scheduler call without looking at any state (rules 6, 23, 101). */
final class CallValidation {
  private static final int UUID_BYTES = 16;

  private CallValidation() {}

  static Optional<String> problem(Call call) {
    if (!call.hasType()) {
      return absent("type");
    }
    if (call.getType() == Call.Type.SUBSCRIBE) {
      if (!call.hasSubscribe()) {
        return absent("subscribe");
      }
      var info = call.getSubscribe().getFrameworkInfo();
      return same(call.hasFrameworkId(), call.getFrameworkId(), info.hasId(), info.getId())
          ? Optional.empty()
          : Optional.of("'framework_id' differs from 'subscribe.framework_info.id'");
    }
    if (!call.hasFrameworkId()) {
      return absent("framework_id");
    }
    return switch (call.getType()) {
      case ACCEPT -> require(call.hasAccept(), "accept");
      case DECLINE -> require(call.hasDecline(), "decline");
      case ACCEPT_INVERSE_OFFERS -> require(call.hasAcceptInverseOffers(), "accept_inverse_offers");
      case DECLINE_INVERSE_OFFERS ->
          require(call.hasDeclineInverseOffers(), "decline_inverse_offers");
      case KILL -> require(call.hasKill(), "kill");
      case SHUTDOWN -> require(call.hasShutdown(), "shutdown");
      case ACKNOWLEDGE ->
          require(call.hasAcknowledge(), "acknowledge")
              .or(() -> uuid(call.getAcknowledge().getUuid().size()));
      case ACKNOWLEDGE_OPERATION_STATUS ->
          require(call.hasAcknowledgeOperationStatus(), "acknowledge_operation_status")
              .or(() -> uuid(call.getAcknowledgeOperationStatus().getUuid().size()))
              .or(() -> require(call.getAcknowledgeOperationStatus().hasAgentId(), "agent_id"));
      case RECONCILE -> require(call.hasReconcile(), "reconcile");
      case RECONCILE_OPERATIONS -> require(call.hasReconcileOperations(), "reconcile_operations");
      case MESSAGE -> require(call.hasMessage(), "message");
      case REQUEST -> require(call.hasRequest(), "request");
      case UPDATE_FRAMEWORK -> {
        var info = call.getUpdateFramework().getFrameworkInfo();
        yield require(call.hasUpdateFramework(), "update_framework")
            .or(
                () ->
                    same(true, call.getFrameworkId(), info.hasId(), info.getId())
                        ? Optional.empty()
                        : Optional.of(
                            "'framework_id' differs from 'update_framework.framework_info.id'"));
      }
      case SUBSCRIBE, TEARDOWN, REVIVE, SUPPRESS, UNKNOWN -> Optional.empty();
    };
  }

  private static boolean same(boolean has, FrameworkID id, boolean otherHas, FrameworkID other) {
    return has == otherHas && id.getValue().equals(other.getValue());
  }

  private static Optional<String> absent(String field) {
    return Optional.of("Expecting '" + field + "' to be present");
  }

  private static Optional<String> require(boolean present, String field) {
    return present ? Optional.empty() : absent(field);
  }

  private static Optional<String> uuid(int size) {
    return size == UUID_BYTES ? Optional.empty() : Optional.of("Not a valid UUID");
  }
}
