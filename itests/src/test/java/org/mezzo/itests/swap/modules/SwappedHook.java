package org.mezzo.itests.swap.modules;

import java.util.Map;
import org.mezzo.api.DaemonContext;
import org.mezzo.api.hook.Hook;
import org.mezzo.protocol.v1.AgentInfo;
import org.mezzo.protocol.v1.FrameworkID;
import org.mezzo.protocol.v1.FrameworkInfo;
import org.mezzo.protocol.v1.Label;
import org.mezzo.protocol.v1.Labels;
import org.mezzo.protocol.v1.TaskInfo;
import org.mezzo.protocol.v1.TaskStatus;

/** Signs everything that passes. Goes into test bundles. */
public final class SwappedHook implements Hook {
  private final Witness witness = new Witness(KIND);

  @Override
  public void open(DaemonContext context) {
    witness.opening(context);
  }

  private Labels signed(Labels labels, String key) {
    return labels.toBuilder()
        .addLabels(Label.newBuilder().setKey(key).setValue(witness.signature()))
        .build();
  }

  @Override
  public Labels masterLaunchTaskLabels(TaskInfo task, FrameworkInfo framework, AgentInfo agent) {
    return call("masterLaunchTaskLabels", () -> signed(task.getLabels(), "master"));
  }

  @Override
  public Labels agentRunTaskLabels(TaskInfo task, FrameworkInfo framework, AgentInfo agent) {
    if (task.getLabels().getLabelsList().stream()
        .noneMatch(label -> label.getKey().equals("master"))) {
      witness.fault("a task came to an agent past the master's hook");
    }
    return call("agentRunTaskLabels", () -> signed(task.getLabels(), "agent"));
  }

  @Override
  public Map<String, String> agentTaskEnvironment(TaskInfo task) {
    return call("agentTaskEnvironment", () -> Map.of("SWAP_HOOK", witness.signature()));
  }

  @Override
  public TaskStatus agentTaskStatus(FrameworkID framework, TaskStatus status) {
    return call(
        "agentTaskStatus",
        () -> status.toBuilder().setLabels(signed(status.getLabels(), "status")).build());
  }

  @Override
  public void agentTaskRemoved(FrameworkID framework, TaskInfo task) {
    call("agentTaskRemoved", () -> true);
  }

  private <R> R call(String operation, java.util.concurrent.Callable<R> body) {
    try {
      return witness.call(operation, body);
    } catch (Exception e) {
      throw new IllegalStateException(e);
    }
  }
}
