package org.mezzo.resources;

/** A resource text or message that cannot be read; the message names the field and the remedy. */
public class ResourceFormatException extends Exception {
  private static final long serialVersionUID = 1L;

  public ResourceFormatException(String message) {
    super(message);
  }
}
