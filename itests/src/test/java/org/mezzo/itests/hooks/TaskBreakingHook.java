package org.mezzo.itests.hooks;

import java.util.Map;
import org.mezzo.api.hook.Hook;
import org.mezzo.protocol.v1.TaskInfo;

/** Goes into test bundles: works as it should, and has tasks fail that look at a variable. */
public final class TaskBreakingHook implements Hook {
  /** The variable that tasks have by it. */
  public static final String VARIABLE = "BROKEN";

  @Override
  public Map<String, String> agentTaskEnvironment(TaskInfo task) {
    return Map.of(VARIABLE, "yes");
  }
}
