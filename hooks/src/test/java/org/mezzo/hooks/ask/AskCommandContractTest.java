package org.mezzo.hooks.ask;

import java.util.Map;
import org.mezzo.api.hook.Hook;
import org.mezzo.testing.FakeDaemonContext;
import org.mezzo.testing.contract.HookContract;

/** With a command that leaves everything as it is. */
class AskCommandContractTest extends HookContract {
  @Override
  protected Hook module() {
    return new AskHook();
  }

  @Override
  protected FakeDaemonContext context(FakeDaemonContext plain) {
    String answers =
        "while read -r Q; do ID=${Q#*:}; ID=${ID%%,*}; echo \"{\\\"id\\\":$ID}\"; done";
    return plain.withParameters(
        Map.of("command", answers, "points", "agentRunTaskLabels,agentTaskStatus,agentFetched"));
  }
}
