package org.mezzo.containerizer;

/** The launcher of this agent cannot do what a container needs, however often it is tried. */
public final class UnableException extends LaunchException {
  private static final long serialVersionUID = 1L;

  public UnableException(String message) {
    super(message);
  }
}
