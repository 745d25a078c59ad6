package org.apache.mesos.v1.scheduler;

import org.apache.mesos.v1.scheduler.Protos.Event;

/** What a framework does about what it is told, one call after the other on one thread. */
public interface Scheduler {
  /** A master is there, to be sent SUBSCRIBE. */
  void connected(Mesos mesos);

  /** It is not any more; {@link #connected} follows when one is there again. */
  void disconnected(Mesos mesos);

  /** Something that the master says. */
  void received(Mesos mesos, Event event);
}
