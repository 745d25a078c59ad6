package org.mezzo.master.state;

import org.mezzo.resources.Resources;
import org.pcollections.PMap;

/** Amounts kept by a key; a key that holds nothing is absent. */
public final class Ledger {
  private Ledger() {}

  /** With something more under the key. */
  public static PMap<String, Resources> add(
      PMap<String, Resources> amounts, String key, Resources more) {
    if (more.isEmpty()) {
      return amounts;
    }
    Resources now = amounts.get(key);
    return amounts.plus(key, now == null ? more : now.plus(more));
  }

  /** With something less under the key. */
  public static PMap<String, Resources> subtract(
      PMap<String, Resources> amounts, String key, Resources less) {
    Resources now = amounts.get(key);
    if (now == null) {
      return amounts;
    }
    Resources left = now.minus(less);
    return left.isEmpty() ? amounts.minus(key) : amounts.plus(key, left);
  }
}
