package org.mezzo.master.rollouts;

import java.time.Instant;
import java.util.Optional;
import org.mezzo.link.messages.ModuleStatus;
import org.mezzo.protocol.v1.AgentInfo;

/**
 * An agent as a rollout sees it. Immutable.
 *
 * @param info with id
 * @param connected whether it has a link
 * @param follows whether it takes module bundles from the cluster: older ones do not
 * @param since when it was linked last, or the link was lost; of one that has not come back to a
 *     new leader, when that began to lead
 * @param returning it was admitted before this master led, and has not come back
 * @param status what it said last in this term
 * @param awaits what it has to have before anything of it is offered, for people; empty when it has
 *     all
 * @param tasks how its tasks ended
 */
public record HostView(
    AgentInfo info,
    boolean connected,
    boolean follows,
    Instant since,
    boolean returning,
    Optional<ModuleStatus> status,
    Optional<String> awaits,
    TaskHistory tasks) {

  /** One of whose tasks nothing is known. */
  HostView(
      AgentInfo info,
      boolean connected,
      boolean follows,
      Instant since,
      boolean returning,
      Optional<ModuleStatus> status) {
    this(info, connected, follows, since, returning, status, Optional.empty(), TaskHistory.NONE);
  }

  /** The id of the agent. */
  public String id() {
    return info.getId().getValue();
  }

  /** For people. */
  public String name() {
    return "agent " + id() + " (" + info.getHostname() + ")";
  }

  /** What is the same for all agents of a process; the agent itself where it does not say. */
  public String hostId() {
    return status.map(ModuleStatus::getHostId).filter(it -> !it.isEmpty()).orElse(id());
  }
}
