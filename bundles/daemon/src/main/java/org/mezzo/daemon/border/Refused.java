package org.mezzo.daemon.border;

/**
 * Why a request is not served, with the answer that tells it: the one way in which what is done for
 * a request, at once or later, says no.
 */
public class Refused extends Exception {
  private static final long serialVersionUID = 1L;

  private final int status;

  /**
   * A refusal.
   *
   * @param status the HTTP status
   * @param text for the client; may be empty
   */
  public Refused(int status, String text) {
    super(text, null, false, false);
    this.status = status;
  }

  /** The HTTP status. */
  public int status() {
    return status;
  }
}
