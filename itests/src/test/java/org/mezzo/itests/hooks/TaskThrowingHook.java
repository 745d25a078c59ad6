package org.mezzo.itests.hooks;

import java.util.Map;
import org.mezzo.api.hook.Hook;
import org.mezzo.protocol.v1.TaskInfo;

/** Goes into test bundles: starts well, and throws at every task that an agent launches. */
public final class TaskThrowingHook implements Hook {
  @Override
  public Map<String, String> agentTaskEnvironment(TaskInfo task) {
    throw new IllegalStateException("no variables today");
  }
}
