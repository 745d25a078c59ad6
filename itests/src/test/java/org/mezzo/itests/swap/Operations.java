package org.mezzo.itests.swap;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.mezzo.fixtures.Await;

/** What clients have asked for, how long it took them, and what went wrong. Safe for any thread. */
final class Operations {
  private static final Duration PATIENCE = Duration.ofSeconds(120);

  /** Something that a client asked for and got. */
  private record Operation(long begin, long end) {
    long took() {
      return end - begin;
    }
  }

  private final List<Operation> done = new ArrayList<>();
  private final List<String> failures = new ArrayList<>();

  synchronized void succeeded(long begin) {
    done.add(new Operation(begin, System.nanoTime()));
    notifyAll();
  }

  synchronized void failed(String why) {
    failures.add(why);
    notifyAll();
  }

  synchronized List<String> failures() {
    return List.copyOf(failures);
  }

  synchronized int count() {
    return done.size();
  }

  /** Waits until so many more have succeeded. */
  void awaitMore(int more) {
    int goal = count() + more;
    Await.until(more + " more operations, " + failures(), PATIENCE, () -> count() >= goal);
  }

  /** How long one takes usually: the median of all so far. */
  synchronized long usual() {
    List<Long> times = done.stream().map(Operation::took).sorted().toList();
    return times.isEmpty() ? 0 : times.get(times.size() / 2);
  }

  /** By how much more than usually a client waited for what was under way in that time. */
  synchronized long gap(long from, long to, long usual) {
    return done.stream()
        .filter(one -> one.begin <= to && one.end >= from)
        .mapToLong(one -> Math.max(0, one.took() - usual))
        .max()
        .orElse(0);
  }
}
