package org.mezzo.master.rollouts;

import java.time.Instant;
import java.util.Optional;
import org.mezzo.link.messages.ModuleStatus;

/**
 * A daemon as a rollout sees it. Immutable.
 *
 * @param member which one
 * @param connected whether it has a link; of a master: whether its notice is there
 * @param follows whether it takes module bundles from the cluster: older ones do not
 * @param since when that was so last: when it was linked, or the link was lost; of one that has not
 *     come back to a new leader, when that began to lead
 * @param returning it was admitted before this master led, and has not come back
 * @param status what it said last in this term
 * @param awaits what it has to have before anything of it is offered, for people; empty when it has
 *     all
 * @param tasks how its tasks ended
 */
public record HostView(
    Member member,
    boolean connected,
    boolean follows,
    Instant since,
    boolean returning,
    Optional<ModuleStatus> status,
    Optional<String> awaits,
    TaskHistory tasks) {

  /** One of whose tasks nothing is known. */
  HostView(
      Member member,
      boolean connected,
      boolean follows,
      Instant since,
      boolean returning,
      Optional<ModuleStatus> status) {
    this(member, connected, follows, since, returning, status, Optional.empty(), TaskHistory.NONE);
  }

  /** The id of the daemon. */
  public String id() {
    return member.id();
  }

  /** For people. */
  public String name() {
    return member.name();
  }

  /** What is the same for all daemons of a process; the daemon itself where it does not say. */
  public String hostId() {
    return status.map(ModuleStatus::getHostId).filter(it -> !it.isEmpty()).orElse(id());
  }
}
