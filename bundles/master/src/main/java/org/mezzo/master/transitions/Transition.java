package org.mezzo.master.transitions;

import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.Consumer;
import org.mezzo.api.allocator.Allocator;
import org.mezzo.coordination.Registry;
import org.mezzo.link.messages.MasterEvent;
import org.mezzo.master.ledger.LedgerChange;
import org.mezzo.master.state.Agent;
import org.mezzo.master.state.Framework;
import org.mezzo.master.state.Happening;
import org.mezzo.master.state.MasterState;
import org.mezzo.protocol.v1.scheduler.Event;

/**
 * One change under way: the state so far, what has happened, and what is to be done once the state
 * is published. Belongs to the event loop.
 */
public final class Transition {
  private final MasterState before;
  private final Instant now;
  private final Settings settings;
  private final List<Effect> effects = new ArrayList<>();
  private final List<Happening> happenings = new ArrayList<>();
  private final List<LedgerChange> changes = new ArrayList<>();

  /** Agents of which the allocator has still to be told, with all that is on them by then. */
  private final Set<String> unannounced = new HashSet<>();

  private MasterState state;

  /** Begins at a state. */
  public Transition(MasterState before, Instant now, Settings settings) {
    this.before = before;
    this.state = before;
    this.now = now;
    this.settings = settings;
  }

  /** The state it began at. */
  public MasterState before() {
    return before;
  }

  /** The state so far. */
  public MasterState state() {
    return state;
  }

  /** When it happens. */
  public Instant now() {
    return now;
  }

  public Settings settings() {
    return settings;
  }

  /** What is to be done, in order. */
  public List<Effect> effects() {
    return effects;
  }

  /** What has happened, in order. */
  public List<Happening> happenings() {
    return happenings;
  }

  /** What has changed in the ledger, in order. */
  public List<LedgerChange> changes() {
    return changes;
  }

  /** Goes on from this state. */
  public void become(MasterState next) {
    state = next;
  }

  /** Adds or replaces a framework. */
  public void put(Framework framework) {
    state = state.with(framework);
  }

  /** Adds or replaces an agent. */
  public void put(Agent agent) {
    state = state.with(agent);
  }

  /**
   * Changes the ledger and tells the allocator; of a new agent it is told by {@link #announce}.
   *
   * @throws IllegalStateException when the ledger is not such that this can have happened; nothing
   *     of the transition happens then
   */
  public void post(LedgerChange change) {
    state = state.with(change.apply(state.ledger()));
    changes.add(change);
    if (change instanceof LedgerChange.Opened) {
      unannounced.add(change.agentId());
    }
    if (!unannounced.contains(change.agentId())) {
      AllocatorFeed.tell(this, change);
    }
  }

  /** Tells the allocator of a new agent, with all that is held on it by now. */
  public void announce(String agentId) {
    if (unannounced.remove(agentId)) {
      AllocatorFeed.tellAdded(this, agentId);
    }
  }

  /** The framework of that id, or null. */
  public Framework framework(String id) {
    return state.frameworks().get(id);
  }

  /** The registered agent of that id, or null. */
  public Agent agent(String id) {
    return state.agents().get(id);
  }

  /** Adds an effect. */
  public void effect(Effect effect) {
    effects.add(effect);
  }

  /** Adds a happening. */
  public void happened(Happening happening) {
    happenings.add(happening);
  }

  /** Sends to a framework, if it is connected. */
  public void send(Framework framework, Event event) {
    if (framework.connected()) {
      effects.add(new Effect.Send(framework.streamId(), event));
    }
  }

  /** Sends to an agent, if it has a link. */
  public void send(Agent agent, MasterEvent.Builder event) {
    if (agent.connected()) {
      effects.add(new Effect.ToAgent(agent.id(), event));
    }
  }

  /** Tells the allocator. */
  public void tell(String operation, Consumer<Allocator> change) {
    effects.add(new Effect.Tell(operation, change, false));
  }

  /** Tells the allocator by what it has to decide from now on: earlier proposals are void. */
  public void tellPolicy(String operation, Consumer<Allocator> change) {
    effects.add(new Effect.Tell(operation, change, true));
  }

  /** Asks for an allocation cycle over all agents. */
  public void allocate() {
    effects.add(new Effect.Allocate(Optional.empty()));
  }

  /** Asks for an allocation cycle over one agent. */
  public void allocate(String agentId) {
    effects.add(new Effect.Allocate(Optional.of(agentId)));
  }

  /**
   * Writes to the registry, then goes on.
   *
   * @param refused instead, when the registry refused it for what it contains
   */
  public void store(List<Registry.Change> changes, Step then, Effect.Refused refused) {
    effects.add(new Effect.Store(List.copyOf(changes), then, refused));
  }

  /**
   * Goes on after a delay.
   *
   * @param name of the timer, which replaces an earlier one of the same name
   */
  public void after(String name, Duration delay, Step step) {
    effects.add(new Effect.After(name, delay, step));
  }

  /** Calls off a timer of {@link #after}, if there is one. */
  public void callOff(String name) {
    effects.add(new Effect.CallOff(name));
  }

  /** Answers a call once what it changed is published. */
  public void answer(Runnable answer) {
    effects.add(new Effect.Answer(answer));
  }

  /** Adds one to a counter. */
  public void count(String metric) {
    effects.add(new Effect.Count(metric, 1));
  }
}
