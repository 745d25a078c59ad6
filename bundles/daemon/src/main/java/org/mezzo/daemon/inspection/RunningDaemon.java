package org.mezzo.daemon.inspection;

import java.util.SortedMap;
import org.mezzo.flags.Flags;

/**
 * A daemon of this process, for people to look at. A service while it runs; safe for any thread.
 */
public interface RunningDaemon {
  /** Its name in its process, such as {@code agent-1}. */
  String name();

  /** What it was started with; what should not be seen in there is not shown. */
  Flags startedWith();

  /** Its numbers of this moment; may wait for them a little. */
  SortedMap<String, Double> measured();
}
