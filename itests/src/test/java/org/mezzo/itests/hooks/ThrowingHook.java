package org.mezzo.itests.hooks;

import java.util.Map;
import org.mezzo.api.hook.Hook;
import org.mezzo.protocol.v1.AgentInfo;
import org.mezzo.protocol.v1.FrameworkInfo;
import org.mezzo.protocol.v1.Labels;
import org.mezzo.protocol.v1.TaskInfo;

/** Goes into test bundles. */
public final class ThrowingHook implements Hook {
  @Override
  public Labels masterLaunchTaskLabels(TaskInfo task, FrameworkInfo framework, AgentInfo agent) {
    throw new IllegalStateException("no labels today");
  }

  @Override
  public Map<String, String> agentTaskEnvironment(TaskInfo task) {
    throw new IllegalStateException("no variables today");
  }
}
