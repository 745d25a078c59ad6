package org.apache.mesos.v1.scheduler;

import org.apache.mesos.v1.scheduler.Protos.Call;

/** A connection with the leading master, by the v1 scheduler API. */
public interface Mesos {
  /** Sends a call, after those before it; dropped when no master is there to take it. */
  void send(Call call);

  /** Leaves the master and looks for one anew. */
  void reconnect();
}
