package org.mezzo.acls;

/** Access control lists that cannot be used; the message names the field and what it has to be. */
public final class AclsException extends Exception {
  private static final long serialVersionUID = 1L;

  public AclsException(String message) {
    super(message);
  }

  public AclsException(String message, Throwable cause) {
    super(message, cause);
  }
}
