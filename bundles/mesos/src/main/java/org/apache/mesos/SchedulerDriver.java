package org.apache.mesos;

import java.util.Collection;
import org.apache.mesos.Protos.ExecutorID;
import org.apache.mesos.Protos.Filters;
import org.apache.mesos.Protos.FrameworkInfo;
import org.apache.mesos.Protos.Offer;
import org.apache.mesos.Protos.OfferID;
import org.apache.mesos.Protos.Request;
import org.apache.mesos.Protos.SlaveID;
import org.apache.mesos.Protos.Status;
import org.apache.mesos.Protos.TaskID;
import org.apache.mesos.Protos.TaskInfo;
import org.apache.mesos.Protos.TaskStatus;
import org.apache.mesos.scheduler.Protos.OfferConstraints;

/**
 * Connects a {@link Scheduler} with the leading master. All methods come back with the driver's
 * state and do nothing but that while it does not run. That a call came back does not say that it
 * got to a master.
 */
public interface SchedulerDriver {
  /** Starts it, once. */
  Status start();

  /**
   * Ends it.
   *
   * @param failover whether the framework stays, with its tasks, for a driver that takes over
   */
  Status stop(boolean failover);

  /** Ends it and the framework, whose tasks are killed. */
  Status stop();

  /** Ends it for what the framework takes for an error; {@link #stop()} may follow. */
  Status abort();

  /** Waits for its end. */
  Status join();

  /** {@link #start}, then {@link #join}. */
  Status run();

  /** Says what the framework would like to be offered; allocators may ignore it. */
  Status requestResources(Collection<Request> requests);

  /**
   * Launches tasks on offers of one agent; what they leave over is declined with the filters.
   *
   * @param tasks none to decline all
   */
  Status launchTasks(Collection<OfferID> offerIds, Collection<TaskInfo> tasks, Filters filters);

  /** As above, with filters as they come. */
  Status launchTasks(Collection<OfferID> offerIds, Collection<TaskInfo> tasks);

  /**
   * As above, on one offer.
   *
   * @deprecated take the one for several offers
   */
  @Deprecated
  Status launchTasks(OfferID offerId, Collection<TaskInfo> tasks, Filters filters);

  /**
   * As above, on one offer.
   *
   * @deprecated take the one for several offers
   */
  @Deprecated
  Status launchTasks(OfferID offerId, Collection<TaskInfo> tasks);

  /** Asks for the end of a task, which an update tells. */
  Status killTask(TaskID taskId);

  /** Has operations done on offers of one agent, in their order; the rest is declined. */
  Status acceptOffers(
      Collection<OfferID> offerIds, Collection<Offer.Operation> operations, Filters filters);

  /** Gives an offer back; the filters say for how long the like is not wanted. */
  Status declineOffer(OfferID offerId, Filters filters);

  /** As above, with filters as they come. */
  Status declineOffer(OfferID offerId);

  /** Takes all filters and suppressions of the framework back. */
  Status reviveOffers();

  /** Takes filters and suppressions of these roles back. */
  Status reviveOffers(Collection<String> roles);

  /** Wants no offers until they are revived. */
  Status suppressOffers();

  /** Wants no offers for these roles until they are revived. */
  Status suppressOffers(Collection<String> roles);

  /**
   * Says that an update need not come again.
   *
   * @throws IllegalStateException when the driver does this by itself
   */
  Status acknowledgeStatusUpdate(TaskStatus status);

  /** Sends something to an executor, which may also never get there. */
  Status sendFrameworkMessage(ExecutorID executorId, SlaveID slaveId, byte[] data);

  /**
   * Asks for the states of tasks, which come as updates.
   *
   * @param statuses none to ask for all that the master knows
   */
  Status reconcileTasks(Collection<TaskStatus> statuses);

  /**
   * Changes what the framework says of itself.
   *
   * @param suppressedRoles all the roles for which it wants no offers from now on
   * @param offerConstraints which agents it wants offers of
   */
  Status updateFramework(
      FrameworkInfo frameworkInfo,
      Collection<String> suppressedRoles,
      OfferConstraints offerConstraints);

  /** As above, with offers of all agents. */
  Status updateFramework(FrameworkInfo frameworkInfo, Collection<String> suppressedRoles);
}
