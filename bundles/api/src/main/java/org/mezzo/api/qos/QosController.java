package org.mezzo.api.qos;

import java.util.List;
import org.mezzo.api.Module;
import org.mezzo.protocol.v1.ResourceUsage;
import org.osgi.annotation.versioning.ConsumerType;

/**
 * Protects the quality of service of what runs on resources of its own from what runs on lent ones:
 * says which executors with revocable resources have to go (rules 315 and 319).
 *
 * <p>An agent asks its controller again and again: {@code --qos_correction_interval_min}, and no
 * less than a second, after the answer before, and at once when an instance takes over.
 *
 * <p>Threading: see {@link org.mezzo.api.Module}. Deadline of a call: 10 seconds. One that throws,
 * is late or gives too much counts as failed, and nothing is corrected; the same while there is no
 * controller. One that (re)appears is told nothing before it is asked.
 */
@ConsumerType
public interface QosController extends Module {

  /** The value of {@code mezzo.module.kind} of QoS controllers. */
  String KIND = "qos-controller";

  /** So many corrections at a time are taken; an answer with more is a failed one. */
  int MOST = 10_000;

  /**
   * What has to go now.
   *
   * @param usage the executors that run now with what they have, revocable or not, and what they
   *     use of it, as far as that is known; and all that the agent itself has. Its amounts are of
   *     one moment
   * @return carried out in this order, at most {@link #MOST}; empty for nothing, never null. What
   *     has ended meanwhile, is not known or holds nothing revocable is passed over
   */
  List<QosCorrection> corrections(ResourceUsage usage) throws Exception;
}
