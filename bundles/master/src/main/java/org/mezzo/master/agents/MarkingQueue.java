package org.mezzo.master.agents;

import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import org.mezzo.daemon.loop.EventLoop;

/**
 * Agents that are to be marked unreachable, whatever the cause, one by one and as often as {@code
 * --agent_removal_rate_limit} allows (rules 140, 143 and 150). Belongs to the event loop.
 */
final class MarkingQueue implements AutoCloseable {
  private final EventLoop loop;
  private final RemovalRate rate;
  private final Map<String, Runnable> waiting = new LinkedHashMap<>();
  private boolean turnComes;
  private EventLoop.Timer turn = () -> {};
  private boolean closed;

  MarkingQueue(EventLoop loop, RemovalRate rate) {
    this.loop = loop;
    this.rate = rate;
  }

  /**
   * Queues an agent.
   *
   * @param mark run in its turn; must see for itself whether the cause still holds
   * @return false when it waits already
   */
  boolean add(String agentId, Runnable mark) {
    if (closed || waiting.putIfAbsent(agentId, mark) != null) {
      return false;
    }
    next();
    return true;
  }

  /** Takes an agent out; false when it did not wait. */
  boolean cancel(String agentId) {
    return waiting.remove(agentId) != null;
  }

  /** Each has a turn of its own, so that other events get theirs. */
  private void next() {
    if (!turnComes && !waiting.isEmpty() && !closed) {
      turnComes = true;
      loop.execute(this::turn);
    }
  }

  private void turn() {
    turnComes = false;
    if (waiting.isEmpty() || closed) {
      return;
    }
    Optional<Duration> wait = rate.acquire();
    if (wait.isPresent()) {
      turnComes = true;
      turn = loop.schedule(wait.get(), this::turn);
      return;
    }
    String agentId = waiting.keySet().iterator().next();
    waiting.remove(agentId).run();
    next();
  }

  @Override
  public void close() {
    closed = true;
    turn.cancel();
    waiting.clear();
  }
}
