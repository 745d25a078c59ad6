package org.mezzo.containerizer;

/** There is a container of that id, or it is still known how one ended. */
public final class ContainerExistsException extends LaunchException {
  private static final long serialVersionUID = 1L;

  public ContainerExistsException(ContainerId containerId) {
    super("Container '" + containerId + "' exists already");
  }
}
