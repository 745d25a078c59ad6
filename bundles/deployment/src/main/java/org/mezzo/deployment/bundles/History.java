package org.mezzo.deployment.bundles;

import java.time.Duration;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.Locale;
import org.mezzo.deployment.Action;
import org.mezzo.deployment.Action.Kind;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The last changes, latest first. Thread-safe. */
final class History {
  private static final Logger LOG = LoggerFactory.getLogger(History.class);
  private static final int LENGTH = 100;

  private final Deque<Action> actions = new ArrayDeque<>();

  /** Logs a change that ends now and keeps it. */
  Action record(
      Instant begin,
      Kind kind,
      String symbolicName,
      String from,
      String to,
      boolean succeeded,
      String outcome,
      Duration gap) {
    Action action =
        new Action(
            begin,
            kind,
            symbolicName,
            from,
            to,
            succeeded,
            outcome,
            Duration.between(begin, Instant.now()),
            gap);
    synchronized (actions) {
      actions.addFirst(action);
      while (actions.size() > LENGTH) {
        actions.removeLast();
      }
    }
    if (succeeded) {
      LOG.info(
          "{} {} {}{}: {} ({} ms, gap {} ms)",
          kind.name().toLowerCase(Locale.ROOT),
          symbolicName,
          from.isEmpty() || from.equals(to) || to.isEmpty() ? "" : from + " -> ",
          to.isEmpty() ? from : to,
          outcome,
          action.took().toMillis(),
          gap.toMillis());
    } else {
      LOG.error(
          "{} {} {} failed: {}", kind.name().toLowerCase(Locale.ROOT), symbolicName, to, outcome);
    }
    return action;
  }

  List<Action> list() {
    synchronized (actions) {
      return List.copyOf(actions);
    }
  }
}
