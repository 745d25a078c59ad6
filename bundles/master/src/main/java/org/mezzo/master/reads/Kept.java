package org.mezzo.master.reads;

import java.time.Duration;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;

/**
 * The last answers about one root, those that were asked for last, within a bound. Those about a
 * root before it are let go, because nobody can ask for them any more. Safe for any thread.
 */
final class Kept {
  private static final class Entry {
    final Rendered answer;
    long usedNanos;

    Entry(Rendered answer, long usedNanos) {
      this.answer = answer;
      this.usedNanos = usedNanos;
    }
  }

  private final long bound;
  private final Map<Question, Entry> entries = new LinkedHashMap<>(16, 0.75f, true);
  private long root;
  private long bytes;

  /**
   * Keeps nothing yet.
   *
   * @param bound of all bytes together
   */
  Kept(long bound) {
    this.bound = bound;
  }

  /** The answer about a root, if it is still there. */
  synchronized Optional<Rendered> find(Root asked, Question question, long nowNanos) {
    moveOn(asked);
    Entry entry = asked.number() == root ? entries.get(question) : null;
    if (entry == null) {
      return Optional.empty();
    }
    entry.usedNanos = nowNanos;
    return Optional.of(entry.answer);
  }

  /** Keeps an answer, unless it is about the past or too large. */
  synchronized void keep(Root of, Question question, Rendered answer, long nowNanos) {
    moveOn(of);
    if (of.number() != root || answer.weight() > bound || !answer.lasting()) {
      return;
    }
    Entry before = entries.put(question, new Entry(answer, nowNanos));
    bytes += answer.weight() - (before == null ? 0 : before.answer.weight());
    Iterator<Entry> oldest = entries.values().iterator();
    while (bytes > bound) {
      bytes -= oldest.next().answer.weight();
      oldest.remove();
    }
  }

  private void moveOn(Root seen) {
    if (seen.number() > root) {
      root = seen.number();
      entries.clear();
      bytes = 0;
    }
  }

  /** Lets go of what nobody has asked for in so long. */
  synchronized void forget(Duration unused, long nowNanos) {
    entries
        .values()
        .removeIf(
            entry -> {
              boolean idle = nowNanos - entry.usedNanos >= unused.toNanos();
              bytes -= idle ? entry.answer.weight() : 0;
              return idle;
            });
  }

  /** What is held at most, in bytes. */
  synchronized long bytes() {
    return bytes;
  }
}
