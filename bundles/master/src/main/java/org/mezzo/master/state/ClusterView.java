package org.mezzo.master.state;

import java.util.Optional;
import java.util.function.Consumer;
import org.mezzo.protocol.v1.MasterInfo;

/** What reading endpoints may see of a master daemon. Safe for any thread. */
public interface ClusterView {

  /** This master, whether it leads or not. */
  MasterInfo self();

  /** Who leads, as far as is known. */
  Optional<MasterInfo> leader();

  /** Whether this master leads; it may still be recovering. */
  boolean leading();

  /** The published root; empty unless this master leads and has recovered (rule 12). */
  Optional<MasterState> state();

  /**
   * Follows the roots of this term.
   *
   * @param begin called once on the event loop with the root that the first {@code listener} call
   *     follows; never called when this master does not lead or has not recovered
   * @param listener told of every later root
   * @param ended called once on the event loop when the term is over; soon, when there is none to
   *     follow
   * @return ends it
   */
  AutoCloseable follow(Consumer<MasterState> begin, StateListener listener, Runnable ended);
}
