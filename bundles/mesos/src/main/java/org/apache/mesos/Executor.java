package org.apache.mesos;

import org.apache.mesos.Protos.ExecutorInfo;
import org.apache.mesos.Protos.FrameworkInfo;
import org.apache.mesos.Protos.SlaveInfo;
import org.apache.mesos.Protos.TaskID;
import org.apache.mesos.Protos.TaskInfo;

/**
 * What runs tasks on an agent. One call comes after the other, on the driver's thread, so that one
 * that takes long holds up all others; one that throws aborts the driver. No argument is null.
 */
public interface Executor {
  /** The agent has taken the executor. */
  void registered(
      ExecutorDriver driver,
      ExecutorInfo executorInfo,
      FrameworkInfo frameworkInfo,
      SlaveInfo slaveInfo);

  /** The agent, which had been away, has taken the executor again. */
  void reregistered(ExecutorDriver driver, SlaveInfo slaveInfo);

  /** The agent is away; tasks go on. */
  void disconnected(ExecutorDriver driver);

  /** A task to be run, of which {@link ExecutorDriver#sendStatusUpdate} has to tell. */
  void launchTask(ExecutorDriver driver, TaskInfo task);

  /** A task to be ended, which is to be told as TASK_KILLED. */
  void killTask(ExecutorDriver driver, TaskID taskId);

  /** Something that the framework has sent; it may also never come. */
  void frameworkMessage(ExecutorDriver driver, byte[] data);

  /** All tasks are to be ended, and this process with them. */
  void shutdown(ExecutorDriver driver);

  /**
   * The driver has aborted.
   *
   * @param message why, for people
   */
  void error(ExecutorDriver driver, String message);
}
