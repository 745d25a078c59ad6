package org.mezzo.master.scheduler;

import java.util.Optional;
import java.util.Set;
import org.mezzo.daemon.calls.RequiredMessages;
import org.mezzo.protocol.v1.FrameworkID;
import org.mezzo.protocol.v1.scheduler.Call;

/** What can be wrong with a scheduler call without looking at any state (rules 6, 23, 101). */
final class CallValidation {
  private static final int UUID_BYTES = 16;
  private static final Set<String> MESSAGE_OPTIONAL = Set.of("TEARDOWN", "REVIVE", "SUPPRESS");

  private CallValidation() {}

  static Optional<String> problem(Call call) {
    Optional<String> missing = RequiredMessages.missing(call, MESSAGE_OPTIONAL);
    // Of two things that are missing the framework's id is named first.
    if (!call.hasType() || (call.getType() == Call.Type.SUBSCRIBE && missing.isPresent())) {
      return missing;
    }
    if (call.getType() == Call.Type.SUBSCRIBE) {
      var info = call.getSubscribe().getFrameworkInfo();
      return same(call.hasFrameworkId(), call.getFrameworkId(), info.hasId(), info.getId())
          ? Optional.empty()
          : Optional.of("'framework_id' differs from 'subscribe.framework_info.id'");
    }
    if (!call.hasFrameworkId()) {
      return RequiredMessages.absent("framework_id");
    }
    if (missing.isPresent()) {
      return missing;
    }
    return switch (call.getType()) {
      case ACKNOWLEDGE -> uuid(call.getAcknowledge().getUuid().size());
      case ACKNOWLEDGE_OPERATION_STATUS ->
          uuid(call.getAcknowledgeOperationStatus().getUuid().size())
              .or(
                  () ->
                      call.getAcknowledgeOperationStatus().hasAgentId()
                          ? Optional.empty()
                          : RequiredMessages.absent("agent_id"));
      case UPDATE_FRAMEWORK -> {
        var info = call.getUpdateFramework().getFrameworkInfo();
        yield same(true, call.getFrameworkId(), info.hasId(), info.getId())
            ? Optional.empty()
            : Optional.of("'framework_id' differs from 'update_framework.framework_info.id'");
      }
      default -> Optional.empty();
    };
  }

  private static boolean same(boolean has, FrameworkID id, boolean otherHas, FrameworkID other) {
    return has == otherHas && id.getValue().equals(other.getValue());
  }

  private static Optional<String> uuid(int size) {
    return size == UUID_BYTES ? Optional.empty() : Optional.of("Not a valid UUID");
  }
}
