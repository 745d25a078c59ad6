package org.apache.mesos;

import java.util.List;
import org.apache.mesos.Protos.ExecutorID;
import org.apache.mesos.Protos.FrameworkID;
import org.apache.mesos.Protos.MasterInfo;
import org.apache.mesos.Protos.Offer;
import org.apache.mesos.Protos.OfferID;
import org.apache.mesos.Protos.SlaveID;
import org.apache.mesos.Protos.TaskStatus;

/**
 * What a framework does about what it is told. One call comes after the other, on the driver's
 * thread, which may be used to call the driver; one that throws aborts it. No argument is null.
 */
public interface Scheduler {
  /**
   * A master has taken the framework, for the first time in the life of this driver.
   *
   * @param frameworkId to be kept by those that take over from an earlier driver
   */
  void registered(SchedulerDriver driver, FrameworkID frameworkId, MasterInfo masterInfo);

  /** A master has taken the framework again: another one, or the same after a pause. */
  void reregistered(SchedulerDriver driver, MasterInfo masterInfo);

  /** Resources of agents, for nobody else until they are used, declined or rescinded. */
  void resourceOffers(SchedulerDriver driver, List<Offer> offers);

  /** An offer is not valid any more; a task launched on it is lost. */
  void offerRescinded(SchedulerDriver driver, OfferID offerId);

  /**
   * The state of a task. It comes again until it is acknowledged, which the driver does when this
   * returns unless it was made for explicit acknowledgements.
   */
  void statusUpdate(SchedulerDriver driver, TaskStatus status);

  /** Something that an executor has sent; it may also never come. */
  void frameworkMessage(
      SchedulerDriver driver, ExecutorID executorId, SlaveID slaveId, byte[] data);

  /** No master is there at the moment; tasks go on. */
  void disconnected(SchedulerDriver driver);

  /** An agent is gone, with the tasks on it, of which updates tell. */
  void slaveLost(SchedulerDriver driver, SlaveID slaveId);

  /**
   * An executor has ended; updates tell of its tasks.
   *
   * @param status with which its process ended
   */
  void executorLost(SchedulerDriver driver, ExecutorID executorId, SlaveID slaveId, int status);

  /**
   * The driver has aborted.
   *
   * @param message why, for people
   */
  void error(SchedulerDriver driver, String message);
}
