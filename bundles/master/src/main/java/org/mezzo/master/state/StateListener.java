package org.mezzo.master.state;

import java.util.List;

/** Told of each new root. */
@FunctionalInterface
public interface StateListener {

  /**
   * A transition was published. Called on the event loop, in order: must hand over at once.
   *
   * @param before the root until now
   * @param after the root from now on
   * @param happenings what operators may want to know, in order; often empty
   */
  void published(MasterState before, MasterState after, List<Happening> happenings);
}
