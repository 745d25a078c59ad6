package org.mezzo.hooks.ask;

import java.io.IOException;
import java.time.Duration;

/** Who is asked, one question at a time. */
interface Respondent extends AutoCloseable {

  /** Whether a question can be asked now. */
  boolean ready();

  /**
   * Asks.
   *
   * @param id of the question
   * @param limit after which it is given up
   * @throws IOException when there is no answer, or none that can be understood; whoever is asked
   *     may be given a rest then
   */
  Answer ask(long id, byte[] question, Duration limit) throws IOException, InterruptedException;

  /** Ends it; waits a little. */
  @Override
  void close() throws InterruptedException;
}
