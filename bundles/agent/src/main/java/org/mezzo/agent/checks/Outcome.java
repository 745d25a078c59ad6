package org.mezzo.agent.checks;

/** What came of a probe. */
public sealed interface Outcome {

  /** The command exited. */
  record Exited(int status) implements Outcome {}

  /**
   * There was an answer.
   *
   * @param status of the last one, where there were redirects
   */
  record Answered(int status) implements Outcome {}

  /**
   * TCP.
   *
   * @param reason why not, or empty
   */
  record Connected(boolean succeeded, String reason) implements Outcome {}

  /** It was not known within its time, or could not be tried this time (rule 230). */
  record Failed(String reason) implements Outcome {}

  /**
   * This agent will never be able to try it. The task is not looked at by other means, and goes on
   * for no framework that asked for checks.
   */
  record Impossible(String reason) implements Outcome {}

  /** Nobody was there to try it, who could be relied on: it says nothing of the task. */
  record Unknown(String reason) implements Outcome {}

  /** Whether it makes a task healthy (rule 230). */
  default boolean healthy() {
    if (this instanceof Exited exited) {
      return exited.status() == 0;
    } else if (this instanceof Answered answered) {
      return answered.status() >= 200 && answered.status() < 400;
    }
    return this instanceof Connected connected && connected.succeeded();
  }

  /** In words, for logs and messages. */
  default String describe() {
    if (this instanceof Exited exited) {
      return "the command exited with status " + exited.status();
    } else if (this instanceof Answered answered) {
      return "the answer had status " + answered.status();
    } else if (this instanceof Connected connected) {
      return connected.succeeded() ? "there was a connection" : connected.reason();
    } else if (this instanceof Failed failed) {
      return failed.reason();
    } else if (this instanceof Unknown unknown) {
      return unknown.reason();
    }
    return ((Impossible) this).reason();
  }
}
