package org.mezzo.driver.sessions;

/**
 * Who has a session. Called on one thread, and under no lock; the next call waits for the one
 * before to return.
 */
public interface Client {
  /** A master may lead; time to {@link Session#subscribe}. */
  void connected();

  /** An event came, heartbeats included. */
  void received(byte[] event);

  /** What was connected is not any more; {@link #connected} follows when another one is found. */
  void disconnected();

  /**
   * The master does not take the subscription and will not the next time; the session is over.
   *
   * @param status of HTTP; 0 when it is not the master's doing
   * @param message what the master says, or what is wrong with its answer; never empty
   */
  void refused(int status, String message);
}
