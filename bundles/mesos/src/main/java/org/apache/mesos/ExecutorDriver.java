package org.apache.mesos;

import org.apache.mesos.Protos.Status;
import org.apache.mesos.Protos.TaskStatus;

/**
 * Connects an {@link Executor} with its agent. All methods come back with the driver's state and do
 * nothing but that while it does not run.
 */
public interface ExecutorDriver {
  /** Starts it, once. */
  Status start();

  /** Ends it in order: what was sent before gets to the agent if that is there. */
  Status stop();

  /** Ends it for what the executor takes for an error; {@link #stop} may follow. */
  Status abort();

  /** Waits for its end. */
  Status join();

  /** {@link #start}, then {@link #join}. */
  Status run();

  /** Tells of a task; the driver repeats it until the agent has taken it. */
  Status sendStatusUpdate(TaskStatus status);

  /** Sends something to the framework, which may also never get there. */
  Status sendFrameworkMessage(byte[] data);
}
