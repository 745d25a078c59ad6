package org.mezzo.api.qos;

import java.util.Objects;
import org.mezzo.protocol.v1.ResourceUsage;
import org.osgi.annotation.versioning.ProviderType;

/**
 * Something that a {@link QosController} wants to be done: an executor is to be killed, its
 * container destroyed at once, its tasks told to be gone with {@code REASON_CONTAINER_PREEMPTED}.
 * Immutable; made by controllers with {@link #kill}.
 */
@ProviderType
public final class QosCorrection {
  private static final int LONGEST_WHY = 1000;

  private final String frameworkId;
  private final String executorId;
  private final String containerId;
  private final String why;

  private QosCorrection(String frameworkId, String executorId, String containerId, String why) {
    this.frameworkId = Objects.requireNonNull(frameworkId, "frameworkId");
    this.executorId = Objects.requireNonNull(executorId, "executorId");
    this.containerId = Objects.requireNonNull(containerId, "containerId");
    this.why = why.length() <= LONGEST_WHY ? why : why.substring(0, LONGEST_WHY);
  }

  /**
   * That one is to be killed, as long as it has the container in which it was seen.
   *
   * @param executor of the usage that the controller was given
   * @param why for the user whose tasks end with it: what was exceeded by how much; of more than
   *     1,000 characters the first
   */
  public static QosCorrection kill(ResourceUsage.Executor executor, String why) {
    return kill(
        executor.getExecutorInfo().getFrameworkId().getValue(),
        executor.getExecutorInfo().getExecutorId().getValue(),
        executor.getContainerId().getValue(),
        why);
  }

  /**
   * The same of an executor that is known by its ids.
   *
   * @param containerId empty for whichever container it has
   */
  public static QosCorrection kill(
      String frameworkId, String executorId, String containerId, String why) {
    return new QosCorrection(frameworkId, executorId, containerId, why);
  }

  /** Whose executor. */
  public String frameworkId() {
    return frameworkId;
  }

  /** Which of them; that of a command task has the task's id. */
  public String executorId() {
    return executorId;
  }

  /** The container that it must have; empty for any. */
  public String containerId() {
    return containerId;
  }

  /** For the user whose tasks end with it. */
  public String why() {
    return why;
  }

  @Override
  public String toString() {
    return "kill executor '" + executorId + "' of framework " + frameworkId + ": " + why;
  }
}
