package org.mezzo.agent.tasks;

import org.mezzo.protocol.v1.executor.Event;

/** The stream of events to an executor that subscribed. Safe for any thread; nothing blocks. */
public interface ExecutorConnection {
  /** Sends an event, in order; nothing once the stream is closed. */
  void send(Event event);

  /** Ends the stream in order, after what was sent. */
  void end();
}
