package org.mezzo.master.transitions;

import java.util.List;
import java.util.function.BiConsumer;

/**
 * Long work in several turns of the loop, so that other events get theirs. What it is done to may
 * change in between: whoever does a part of it looks again.
 */
final class Turns {
  /** What costs some ten microseconds each, such as a message, stays below ten milliseconds. */
  static final int PORTION = 200;

  private Turns() {}

  /**
   * Does something with each of many, in order.
   *
   * @param each done {@link #PORTION} times in each turn; those of the first in this one
   * @param then follows the last one in its turn
   */
  static <T> void each(Transition tx, List<T> all, BiConsumer<Transition, T> each, Step then) {
    from(tx, all, 0, each, then);
  }

  private static <T> void from(
      Transition tx, List<T> all, int first, BiConsumer<Transition, T> each, Step then) {
    int end = Math.min(all.size(), first + PORTION);
    for (T one : all.subList(first, end)) {
      each.accept(tx, one);
    }
    if (end < all.size()) {
      tx.effect(new Effect.Next(later -> from(later, all, end, each, then)));
    } else {
      then.apply(tx);
    }
  }

  /** Nothing follows. */
  static void end(Transition tx) {}
}
