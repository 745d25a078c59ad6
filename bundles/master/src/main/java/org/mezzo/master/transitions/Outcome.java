package org.mezzo.master.transitions;

import java.util.Optional;
import java.util.function.Consumer;

/**
 * Who is told what came of a change that an operator wants, once that is published: exactly one of
 * the methods is called, once.
 *
 * @param told what was against it; empty when it is in force
 */
public record Outcome(Consumer<Optional<Refusal>> told) {
  /** Nobody waits for it. */
  public static final Outcome UNHEARD = new Outcome(refusal -> {});

  /** The change is in force. */
  public void done(Transition tx) {
    tx.answer(() -> told.accept(Optional.empty()));
  }

  /** The change is not made. */
  public void refused(Transition tx, Refusal refusal) {
    tx.answer(() -> told.accept(Optional.of(refusal)));
  }

  void refused(Transition tx, int status, String text) {
    refused(tx, new Refusal(status, text));
  }

  /** The registry cannot keep the change for what it contains. */
  public void notStored(Transition tx, String reason) {
    refused(tx, 500, "The registry refused the change: " + reason);
  }
}
