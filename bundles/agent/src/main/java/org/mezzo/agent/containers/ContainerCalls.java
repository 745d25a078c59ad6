package org.mezzo.agent.containers;

import java.util.List;
import org.mezzo.daemon.calls.ApiCall;
import org.mezzo.protocol.v1.agent.Call;

/** The calls of the agent's API that are about containers of operators. */
public final class ContainerCalls {
  private ContainerCalls() {}

  /** All that change something. */
  public static List<ApiCall<Call>> of(OperatorContainers containers) {
    return List.of(
        LaunchContainer.nested(containers),
        LaunchContainer.any(containers),
        WaitContainer.nested(containers),
        WaitContainer.any(containers),
        KillContainer.nested(containers),
        KillContainer.any(containers),
        RemoveContainer.nested(containers),
        RemoveContainer.any(containers));
  }
}
