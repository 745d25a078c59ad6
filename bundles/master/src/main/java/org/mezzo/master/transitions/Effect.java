package org.mezzo.master.transitions;

import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;
import org.mezzo.api.allocator.Allocator;
import org.mezzo.coordination.Registry;
import org.mezzo.link.messages.MasterEvent;
import org.mezzo.protocol.v1.AgentInfo;
import org.mezzo.protocol.v1.scheduler.Event;

/** Something to be done in the world after a transition was published. */
public sealed interface Effect {

  /** Sends an event to a framework's stream, if it is still open. */
  record Send(String streamId, Event event) implements Effect {}

  /** Begins the heartbeats of a stream; the first is sent at once (rule 30). */
  record Heartbeat(String streamId) implements Effect {}

  /** Ends a stream in order. */
  record EndStream(String streamId) implements Effect {}

  /** Sends an event to an agent, if it has a link. */
  record ToAgent(String agentId, MasterEvent.Builder event) implements Effect {}

  /**
   * Sends an event to whoever is behind a link, be it an agent's or not. Nothing that is sent to an
   * agent goes there for it.
   */
  record ToLink(long linkNumber, MasterEvent.Builder event) implements Effect {}

  /** Tells whoever is behind a link why it is not admitted, and closes the link. */
  record RefuseLink(long linkNumber, String reason) implements Effect {}

  /**
   * Makes a link that of an agent; an older one of the agent is closed. Only for whom the state has
   * admitted.
   */
  record BindLink(String agentId, long linkNumber) implements Effect {}

  /** Closes an agent's link and forgets it; pings end. */
  record EndLink(String agentId) implements Effect {}

  /** Begins to ping an agent, or resets its count of misses. */
  record Ping(String agentId) implements Effect {}

  /** Tells the allocator of a change of the ledger, if there is one. */
  record Tell(String operation, Consumer<Allocator> change) implements Effect {}

  /** Asks for an allocation cycle over one agent, or over all. */
  record Allocate(Optional<String> agentId) implements Effect {}

  /**
   * Has an agent marked unreachable as soon as {@code --agent_removal_rate_limit} allows, unless it
   * comes back before.
   *
   * @param mark run then; must see for itself whether the cause still holds
   */
  record MarkUnreachable(String agentId, Step mark) implements Effect {}

  /**
   * Writes to the registry.
   *
   * @param then run when it is durable
   * @param refused run when it cannot be stored for what it contains; when it cannot be stored for
   *     any other reason the term ends
   */
  record Store(List<Registry.Change> changes, Step then, Refused refused) implements Effect {}

  /** What is to be done when the registry refused a write. */
  @FunctionalInterface
  interface Refused {
    void apply(Transition tx, String reason);
  }

  /**
   * Runs a step after a delay, unless the term is over by then.
   *
   * @param name of the timer; an earlier one of the same name that has not run is called off
   */
  record After(String name, Duration delay, Step step) implements Effect {}

  /** Calls off a timer, if there is one of that name. */
  record CallOff(String name) implements Effect {}

  /** Answers a call; it sees the state that the transition has published. */
  record Answer(Runnable answer) implements Effect {}

  /** Runs a step in the next turn of the loop, after what waits already. */
  record Next(Step step) implements Effect {}

  /** Tells hooks that an agent is lost. */
  record AgentLost(AgentInfo agent) implements Effect {}

  /** Asks hooks and authorizer about an accepted launch, then runs the step with the answer. */
  record Consult(Consultation consultation) implements Effect {}

  /** Adds to a counter. */
  record Count(String metric, long by) implements Effect {}
}
