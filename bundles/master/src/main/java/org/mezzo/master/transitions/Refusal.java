package org.mezzo.master.transitions;

/**
 * Why an operator's change is not made.
 *
 * @param status the HTTP status that tells it
 * @param text for the client
 */
public record Refusal(int status, String text) {
  /** The authorizer does not allow it. */
  public static final Refusal FORBIDDEN = new Refusal(403, "403 Forbidden.");

  static Refusal badRequest(String text) {
    return new Refusal(400, text);
  }
}
