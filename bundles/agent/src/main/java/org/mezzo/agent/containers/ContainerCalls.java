package org.mezzo.agent.containers;

import java.time.Duration;
import java.util.List;
import org.mezzo.daemon.calls.ApiCall;
import org.mezzo.daemon.loop.EventLoop;
import org.mezzo.protocol.v1.agent.Call;

/** The calls of the agent's API that are about containers of operators. */
public final class ContainerCalls {
  private ContainerCalls() {}

  /** Whether a call comes as a stream. */
  public static boolean streamed(Call call) {
    return call.getType() == Call.Type.ATTACH_CONTAINER_INPUT;
  }

  /** Whether a call may be answered by RecordIO. */
  public static boolean answeredByStream(Call call) {
    return call.getType() == Call.Type.ATTACH_CONTAINER_OUTPUT
        || call.getType() == Call.Type.LAUNCH_NESTED_CONTAINER_SESSION;
  }

  /**
   * All that do something.
   *
   * @param loop times heartbeats
   * @param heartbeat between those on streams of output
   */
  public static List<ApiCall<Call>> of(
      OperatorContainers containers, EventLoop loop, Duration heartbeat) {
    return List.of(
        LaunchContainer.nested(containers),
        LaunchContainer.any(containers),
        WaitContainer.nested(containers),
        WaitContainer.any(containers),
        KillContainer.nested(containers),
        KillContainer.any(containers),
        RemoveContainer.nested(containers),
        RemoveContainer.any(containers),
        new LaunchSession(containers, loop, heartbeat),
        new AttachOutput(containers, loop, heartbeat),
        new AttachInput(containers));
  }
}
