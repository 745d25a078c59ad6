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

/**
 * Something to be done in the world after a transition was published. Whoever carries effects out
 * is a {@link Handler}, so that no effect can be forgotten.
 */
public sealed interface Effect {

  /** Has the handler's method for this kind of effect called, on the thread of the caller. */
  void accept(Handler handler);

  /** Carries effects out; one method for each kind. */
  interface Handler {
    void bindStream(BindStream effect);

    void send(Send effect);

    void heartbeat(Heartbeat effect);

    void endStream(EndStream effect);

    void toAgent(ToAgent effect);

    void toLink(ToLink effect);

    void refuseLink(RefuseLink effect);

    void bindLink(BindLink effect);

    void endLink(EndLink effect);

    void ping(Ping effect);

    void tell(Tell effect);

    void allocate(Allocate effect);

    void markUnreachable(MarkUnreachable effect);

    void store(Store effect);

    void after(After effect);

    void callOff(CallOff effect);

    void answer(Answer effect);

    void next(Next effect);

    void agentLost(AgentLost effect);

    void consult(Consult effect);

    void count(Count effect);
  }

  /**
   * Makes a stream that of a framework: from now on its end is the framework's disconnection (rule
   * 39). Goes before everything that is sent on it.
   */
  record BindStream(String streamId, String frameworkId) implements Effect {
    @Override
    public void accept(Handler handler) {
      handler.bindStream(this);
    }
  }

  /** Sends an event to a framework's stream, if it is still open. */
  record Send(String streamId, Event event) implements Effect {
    @Override
    public void accept(Handler handler) {
      handler.send(this);
    }
  }

  /** Begins the heartbeats of a stream; the first is sent at once (rule 30). */
  record Heartbeat(String streamId) implements Effect {
    @Override
    public void accept(Handler handler) {
      handler.heartbeat(this);
    }
  }

  /** Ends a stream in order. */
  record EndStream(String streamId) implements Effect {
    @Override
    public void accept(Handler handler) {
      handler.endStream(this);
    }
  }

  /** Sends an event to an agent, if it has a link. */
  record ToAgent(String agentId, MasterEvent.Builder event) implements Effect {
    @Override
    public void accept(Handler handler) {
      handler.toAgent(this);
    }
  }

  /**
   * Sends an event to whoever is behind a link, be it an agent's or not. Nothing that is sent to an
   * agent goes there for it.
   */
  record ToLink(long linkNumber, MasterEvent.Builder event) implements Effect {
    @Override
    public void accept(Handler handler) {
      handler.toLink(this);
    }
  }

  /** Tells whoever is behind a link why it is not admitted, and closes the link. */
  record RefuseLink(long linkNumber, String reason) implements Effect {
    @Override
    public void accept(Handler handler) {
      handler.refuseLink(this);
    }
  }

  /**
   * Makes a link that of an agent; an older one of the agent is closed. Only for whom the state has
   * admitted.
   */
  record BindLink(String agentId, long linkNumber) implements Effect {
    @Override
    public void accept(Handler handler) {
      handler.bindLink(this);
    }
  }

  /** Closes an agent's link and forgets it; pings end. */
  record EndLink(String agentId) implements Effect {
    @Override
    public void accept(Handler handler) {
      handler.endLink(this);
    }
  }

  /** Begins to ping an agent, or resets its count of misses. */
  record Ping(String agentId) implements Effect {
    @Override
    public void accept(Handler handler) {
      handler.ping(this);
    }
  }

  /**
   * Tells the allocator of a change of the ledger, if there is one.
   *
   * @param voids whether proposals are void that were made without knowing of it
   */
  record Tell(String operation, Consumer<Allocator> change, boolean voids) implements Effect {
    @Override
    public void accept(Handler handler) {
      handler.tell(this);
    }
  }

  /** Asks for an allocation cycle over one agent, or over all. */
  record Allocate(Optional<String> agentId) implements Effect {
    @Override
    public void accept(Handler handler) {
      handler.allocate(this);
    }
  }

  /**
   * Has an agent marked unreachable as soon as {@code --agent_removal_rate_limit} allows, unless it
   * comes back before.
   *
   * @param mark run then; must see for itself whether the cause still holds
   */
  record MarkUnreachable(String agentId, Step mark) implements Effect {
    @Override
    public void accept(Handler handler) {
      handler.markUnreachable(this);
    }
  }

  /**
   * Writes to the registry.
   *
   * @param then run when it is durable
   * @param refused run when it cannot be stored for what it contains; when it cannot be stored for
   *     any other reason the term ends
   */
  record Store(List<Registry.Change> changes, Step then, Refused refused) implements Effect {
    @Override
    public void accept(Handler handler) {
      handler.store(this);
    }
  }

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
  record After(String name, Duration delay, Step step) implements Effect {
    @Override
    public void accept(Handler handler) {
      handler.after(this);
    }
  }

  /** Calls off a timer, if there is one of that name. */
  record CallOff(String name) implements Effect {
    @Override
    public void accept(Handler handler) {
      handler.callOff(this);
    }
  }

  /**
   * Tells whoever asked for the transition what came of it, such as the client of a call; it sees
   * the state that the transition has published.
   */
  record Answer(Runnable answer) implements Effect {
    @Override
    public void accept(Handler handler) {
      handler.answer(this);
    }
  }

  /** Runs a step in the next turn of the loop, after what waits already. */
  record Next(Step step) implements Effect {
    @Override
    public void accept(Handler handler) {
      handler.next(this);
    }
  }

  /** Tells hooks that an agent is lost. */
  record AgentLost(AgentInfo agent) implements Effect {
    @Override
    public void accept(Handler handler) {
      handler.agentLost(this);
    }
  }

  /** Asks hooks and authorizer about an accepted launch, then runs the step with the answer. */
  record Consult(Consultation consultation) implements Effect {
    @Override
    public void accept(Handler handler) {
      handler.consult(this);
    }
  }

  /** Adds to a counter. */
  record Count(String metric, long by) implements Effect {
    @Override
    public void accept(Handler handler) {
      handler.count(this);
    }
  }
}
