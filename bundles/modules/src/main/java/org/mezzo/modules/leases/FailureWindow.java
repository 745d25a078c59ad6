package org.mezzo.modules.leases;

import java.util.ArrayDeque;
import java.util.Deque;
import org.mezzo.modules.Kind.Breaker;

/** How the last calls of one instance went. Guarded by the lock of its lease. */
final class FailureWindow {
  private record Outcome(long atNanos, boolean failed) {}

  private final Breaker breaker;
  private final Deque<Outcome> last = new ArrayDeque<>();
  private int failed;
  private int failedInARow;

  FailureWindow(Breaker breaker) {
    this.breaker = breaker;
  }

  /** Notes a call; whether the instance has failed with it. */
  boolean note(boolean failure, long nowNanos) {
    failedInARow = failure ? failedInARow + 1 : 0;
    last.addLast(new Outcome(nowNanos, failure));
    failed += failure ? 1 : 0;
    while (last.size() > breaker.calls()
        || nowNanos - last.getFirst().atNanos > breaker.window().toNanos()) {
      failed -= last.removeFirst().failed ? 1 : 0;
    }
    return last.size() == breaker.calls() && failed >= breaker.share() * breaker.calls();
  }

  Breaker breaker() {
    return breaker;
  }

  int failedInARow() {
    return failedInARow;
  }

  int failed() {
    return failed;
  }
}
