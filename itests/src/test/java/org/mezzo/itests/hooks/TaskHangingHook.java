package org.mezzo.itests.hooks;

import java.util.Map;
import org.mezzo.api.hook.Hook;
import org.mezzo.protocol.v1.TaskInfo;

/** Goes into test bundles: starts well, and hangs at the first task that an agent launches. */
public final class TaskHangingHook implements Hook {
  @Override
  public Map<String, String> agentTaskEnvironment(TaskInfo task) {
    while (true) {
      try {
        Thread.sleep(Long.MAX_VALUE);
      } catch (InterruptedException e) {
        continue;
      }
    }
  }
}
