package org.mezzo.master.election;

import org.mezzo.coordination.Registry;

/** Where a master is elected, and given the registry for the terms that it wins. */
public interface Election extends AutoCloseable {

  /** Stands for election; the listener is told of a gain and of the loss, which ends it. */
  Place contend(Listener listener);

  /** Ends it; nobody is told anything after that. */
  @Override
  void close();

  /** A place in the election. */
  interface Place extends AutoCloseable {
    /** Gives leadership or candidacy up; returns when another one may lead, or after a while. */
    @Override
    void close();
  }

  /** Told of leadership, on the loop. */
  interface Listener {
    /** This master leads; the registry belongs to this term and fails once it is over. */
    void elected(Registry registry);

    /**
     * Leadership or candidacy was lost, or given up. The place is gone: who wants to lead again
     * contends again.
     */
    void lost(String reason);
  }
}
