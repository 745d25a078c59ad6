package org.mezzo.api.isolator;

import java.util.Objects;
import org.mezzo.resources.Resources;
import org.osgi.annotation.versioning.ProviderType;

/**
 * A limit that a container has reached, because of which it is to be destroyed. Immutable; made by
 * isolators with {@link #of}.
 */
@ProviderType
public final class ContainerLimitation {
  private final String containerId;
  private final Resources resources;
  private final String reason;
  private final String message;

  private ContainerLimitation(
      String containerId, Resources resources, String reason, String message) {
    this.containerId = Objects.requireNonNull(containerId, "containerId");
    this.resources = Objects.requireNonNull(resources, "resources");
    this.reason = Objects.requireNonNull(reason, "reason");
    this.message = Objects.requireNonNull(message, "message");
  }

  /**
   * A limit that was reached.
   *
   * @param resources what was exceeded
   * @param reason a name of {@code TaskStatus.Reason}, such as {@code
   *     REASON_CONTAINER_LIMITATION_MEMORY}
   * @param message for the user whose task fails with it: what was exceeded by how much, and what
   *     to do
   */
  public static ContainerLimitation of(
      String containerId, Resources resources, String reason, String message) {
    return new ContainerLimitation(containerId, resources, reason, message);
  }

  /** Which container. */
  public String containerId() {
    return containerId;
  }

  /** What was exceeded. */
  public Resources resources() {
    return resources;
  }

  /** A name of {@code TaskStatus.Reason}. */
  public String reason() {
    return reason;
  }

  /** For the user whose task fails with it. */
  public String message() {
    return message;
  }
}
