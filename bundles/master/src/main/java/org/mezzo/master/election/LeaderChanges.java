package org.mezzo.master.election;

import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.function.Function;
import org.mezzo.daemon.border.Refused;
import org.mezzo.master.rollouts.Rollouts;
import org.mezzo.master.transitions.Outcome;
import org.mezzo.master.transitions.Refusal;
import org.mezzo.master.transitions.Transition;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Has changes that operators want made by the term that leads, and sees to it that whoever waits
 * for one is answered, also when the term ends before. Safe for any thread.
 */
public final class LeaderChanges {
  private static final Logger LOG = LoggerFactory.getLogger(LeaderChanges.class);

  private final Leadership leadership;

  public LeaderChanges(Leadership leadership) {
    this.leadership = leadership;
  }

  /** Judges a change and makes it, in this step and those that it brings about. */
  @FunctionalInterface
  public interface Change {
    /** Runs on the event loop as a step; tells the outcome sooner or later. */
    void make(Transition tx, Outcome outcome);
  }

  /**
   * Makes a change.
   *
   * @return completes on the event loop when the change is in force, with a {@link
   *     CompletionException} around a {@link Refused} when it is not made
   */
  public CompletionStage<Void> make(Change change) {
    CompletableFuture<Void> answer = new CompletableFuture<>();
    leadership.withTerm(
        term -> begin(term, change, answer), () -> refuse(answer, 503, "No leader elected"));
    return answer;
  }

  /**
   * Has something done with the modules of the cluster, on the event loop, and then says how all
   * are.
   *
   * @return fails as what was to be done, or as {@link #make} without a leader
   */
  public CompletionStage<Rollouts.Report> withRollouts(
      Function<Rollouts, CompletionStage<Void>> what) {
    CompletableFuture<Rollouts.Report> answer = new CompletableFuture<>();
    leadership.withTerm(
        term ->
            what.apply(term.rollouts())
                .whenComplete(
                    (done, failure) -> {
                      if (failure == null) {
                        answer.complete(term.rollouts().report());
                      } else {
                        answer.completeExceptionally(failure);
                      }
                    }),
        () -> refuse(answer, 503, "No leader elected"));
    return answer;
  }

  private static void begin(MasterTerm term, Change change, CompletableFuture<Void> answer) {
    AutoCloseable following =
        term.follow(
            state -> {},
            (before, after, happenings) -> {},
            () ->
                refuse(
                    answer,
                    503,
                    "This master leads no longer; whether the change was stored is not known"));
    answer.whenComplete((unused, failure) -> close(following));
    Outcome outcome = new Outcome(refusal -> tell(answer, refusal));
    try {
      term.run(tx -> change.make(tx, outcome));
    } catch (RuntimeException e) {
      answer.completeExceptionally(new CompletionException(e));
      throw e;
    }
  }

  private static void tell(CompletableFuture<Void> answer, Optional<Refusal> refusal) {
    if (refusal.isPresent()) {
      refuse(answer, refusal.get().status(), refusal.get().text());
    } else {
      answer.complete(null);
    }
  }

  private static void refuse(CompletableFuture<?> answer, int status, String text) {
    answer.completeExceptionally(new CompletionException(new Refused(status, text)));
  }

  private static void close(AutoCloseable following) {
    try {
      following.close();
    } catch (Exception e) {
      LOG.debug("A change that is over could not stop following its term", e);
    }
  }
}
