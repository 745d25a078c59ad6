package org.mezzo.deployment.bundles;

import java.time.Duration;
import java.time.Instant;
import java.util.Locale;
import java.util.function.Supplier;
import org.mezzo.deployment.Action;
import org.mezzo.deployment.journal.Journal;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** A change on its way: its stages and its end go into the journal as they are reached. */
final class Transaction {
  private static final Logger LOG = LoggerFactory.getLogger(History.class);

  private final Journal journal;
  private final long id;
  private final Instant begin;
  private Supplier<String> lastStep = () -> "";

  Transaction(Journal journal, long id, Instant begin) {
    this.journal = journal;
    this.id = id;
    this.begin = begin;
  }

  /** It has come that far. */
  void stage(String what) {
    journal.stage(id, what, Duration.between(begin, Instant.now()));
  }

  /** What is to be done once it has succeeded; what that says is told behind the outcome. */
  void lastStep(Supplier<String> step) {
    lastStep = step;
  }

  /** It ends now; logs it. */
  Action end(boolean succeeded, String result, Duration gap) {
    String outcome = succeeded ? result + lastStep.get() : result;
    Action action =
        journal.done(id, succeeded, outcome, Duration.between(begin, Instant.now()), gap);
    String kind = action.kind().name().toLowerCase(Locale.ROOT);
    String from = action.fromVersion();
    String to = action.toVersion();
    if (succeeded) {
      LOG.info(
          "{} {} {}{}: {} ({} ms, gap {} ms)",
          kind,
          action.symbolicName(),
          from.isEmpty() || from.equals(to) || to.isEmpty() ? "" : from + " -> ",
          to.isEmpty() ? from : to,
          outcome,
          action.took().toMillis(),
          gap.toMillis());
    } else {
      LOG.error("{} {} {} failed: {}", kind, action.symbolicName(), to, outcome);
    }
    return action;
  }

  Action failed(String outcome) {
    return end(false, outcome, Duration.ZERO);
  }
}
