package org.mezzo.agent.executor;

import java.util.Optional;
import org.mezzo.agent.tasks.AgentTasks;
import org.mezzo.api.Metrics;
import org.mezzo.daemon.border.Refused;
import org.mezzo.daemon.calls.ApiCall;
import org.mezzo.daemon.calls.CallDeclaration;
import org.mezzo.daemon.calls.CallExchange;
import org.mezzo.daemon.calls.CallTable;
import org.mezzo.protocol.v1.CheckStatusInfo;
import org.mezzo.protocol.v1.TaskState;
import org.mezzo.protocol.v1.TaskStatus;
import org.mezzo.protocol.v1.executor.Call;

/** UPDATE: what becomes of a task. */
final class Update implements ApiCall<Call> {
  private static final int UUID_BYTES = 16;

  private final ExecutorApi api;
  private final Metrics.Counter invalid;

  Update(ExecutorApi api, Metrics.Counter invalid) {
    this.api = api;
    this.invalid = invalid;
  }

  @Override
  public CallDeclaration<Call> declaration() {
    return CallDeclaration.of(
            Call.Type.UPDATE, ExecutorApi.PERMISSION, "Tells what becomes of a task.")
        .carrying("update");
  }

  @Override
  public Optional<String> problem(Call call) {
    Optional<String> problem = problem(call, call.getUpdate().getStatus());
    if (problem.isPresent()) {
      invalid.increment();
    }
    return problem;
  }

  /** What is wrong with a status of an executor (rules 108, 109). */
  static Optional<String> problem(Call call, TaskStatus status) {
    String executor = call.getExecutorId().getValue();
    String who = "executor " + executor + " of framework " + call.getFrameworkId().getValue();
    if (!status.hasUuid()) {
      return Optional.of(CallTable.absent("uuid"));
    }
    if (status.getUuid().size() != UUID_BYTES) {
      return Optional.of("Not a valid UUID");
    }
    if (status.hasExecutorId() && !status.getExecutorId().getValue().equals(executor)) {
      return Optional.of(
          "ExecutorID in Call: "
              + executor
              + " does not match ExecutorID in TaskStatus: "
              + status.getExecutorId().getValue());
    }
    if (status.getSource() != TaskStatus.Source.SOURCE_EXECUTOR) {
      return Optional.of(
          "Received Call from " + who + " with invalid source, expecting 'SOURCE_EXECUTOR'");
    }
    if (status.getState() == TaskState.TASK_STAGING) {
      return Optional.of("Received TASK_STAGING from " + who + " which is not allowed");
    }
    return status.hasCheckStatus() ? problem(status.getCheckStatus()) : Optional.empty();
  }

  private static Optional<String> problem(CheckStatusInfo check) {
    if (!check.hasType()) {
      return Optional.of("CheckStatusInfo must specify 'type'");
    }
    return switch (check.getType()) {
      case COMMAND -> set(check.hasCommand(), "command", "COMMAND");
      case HTTP -> set(check.hasHttp(), "http", "HTTP");
      case TCP -> set(check.hasTcp(), "tcp", "TCP");
      case UNKNOWN -> Optional.of("'UNKNOWN' is not a valid check's status type");
    };
  }

  private static Optional<String> set(boolean there, String field, String type) {
    return there
        ? Optional.empty()
        : Optional.of("Expecting '" + field + "' to be set for " + type + " check's status");
  }

  @Override
  public void handle(Call call, CallExchange exchange) throws Refused {
    api.when(call, exchange, (AgentTasks tasks) -> tasks.update(call), exchange::accepted);
  }
}
