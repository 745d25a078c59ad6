package org.mezzo.api.estimator;

import org.mezzo.api.Module;
import org.mezzo.protocol.v1.ResourceUsage;
import org.mezzo.resources.Resources;
import org.osgi.annotation.versioning.ConsumerType;

/**
 * Says how much of what an agent has given away is not used, so that it can be lent: the agent
 * offers it once more, as revocable resources, to frameworks that can live with losing it (rules
 * 315 to 318).
 *
 * <p>An agent asks its estimator every {@code --oversubscribed_resources_interval}, counted from
 * the answer before, and at once when an instance takes over. The estimator needs no state to
 * answer: it is given all that the agent knows of what runs.
 *
 * <p>Threading: see {@link org.mezzo.api.Module}. Deadline of a call: 10 seconds. One that throws,
 * is late or gives something that cannot be lent counts as failed, and what was lent before stays.
 * While there is no estimator, nothing is lent but what is in use already. No task ends because an
 * estimate became smaller: a {@link org.mezzo.api.qos.QosController} decides on that. An estimator
 * that (re)appears is told nothing before it is asked.
 */
@ConsumerType
public interface ResourceEstimator extends Module {

  /** The value of {@code mezzo.module.kind} of resource estimators. */
  String KIND = "resource-estimator";

  /** So much of one name is a mistake, not an estimate. */
  long MOST = 1_000_000_000;

  /**
   * What can be lent beyond what is lent and in use.
   *
   * @param usage the executors that run now with what they have, revocable or not, and what they
   *     use of it, as far as that is known; and all that the agent itself has. Its amounts are of
   *     one moment
   * @return scalars without reservations, disks, providers and allocation roles, at most {@link
   *     #MOST} of a name; the agent makes them revocable where they are not. Never null
   */
  Resources oversubscribable(ResourceUsage usage) throws Exception;
}
