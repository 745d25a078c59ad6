package org.mezzo.master.state;

import java.util.Arrays;
import org.mezzo.protocol.v1.Offer;
import org.mezzo.protocol.v1.OperationState;

/**
 * How many operations there are, and were since the state began, by type and state. Immutable.
 *
 * <p>An operation has begun once the state knows of it, and ended once its state is one that
 * nothing follows, be it remembered after that or not.
 */
public final class OperationCounts {
  /** There is none and was none. */
  public static final OperationCounts NONE = new OperationCounts(new int[0][], new int[0][]);

  private static final int STATES = OperationState.values().length;

  /** Those that are known, by the ordinals of type and state. */
  private final int[][] present;

  /** Those that began, at the ordinal of OPERATION_PENDING, and ended. */
  private final int[][] ever;

  private OperationCounts(int[][] present, int[][] ever) {
    this.present = present;
    this.ever = ever;
  }

  /** How many of that type are known in that state. */
  public int present(Offer.Operation.Type type, OperationState state) {
    return at(present, type, state);
  }

  /** How many of that type have begun. */
  public int begun(Offer.Operation.Type type) {
    return at(ever, type, OperationState.OPERATION_PENDING);
  }

  /** How many of that type have come to that state, which is one that nothing follows. */
  public int ended(Offer.Operation.Type type, OperationState state) {
    return Operation.terminal(state) ? at(ever, type, state) : 0;
  }

  /** With an operation in the place of what was known of it; either may be null. */
  OperationCounts with(Operation before, Operation after) {
    int[][] nextPresent = present;
    int[][] nextEver = ever;
    if (before != null) {
      nextPresent = plus(nextPresent, type(before), state(before), -1);
    }
    if (after != null) {
      nextPresent = plus(nextPresent, type(after), state(after), 1);
      if (before == null) {
        nextEver = plus(nextEver, type(after), OperationState.OPERATION_PENDING, 1);
      }
      if (after.terminal() && (before == null || !before.terminal())) {
        nextEver = plus(nextEver, type(after), state(after), 1);
      }
    }
    return new OperationCounts(nextPresent, nextEver);
  }

  private static Offer.Operation.Type type(Operation operation) {
    return operation.info().getType();
  }

  private static OperationState state(Operation operation) {
    return operation.latest().getState();
  }

  private static int at(int[][] counts, Offer.Operation.Type type, OperationState state) {
    return type.ordinal() < counts.length && counts[type.ordinal()] != null
        ? counts[type.ordinal()][state.ordinal()]
        : 0;
  }

  private static int[][] plus(
      int[][] counts, Offer.Operation.Type type, OperationState state, int more) {
    int[][] next = Arrays.copyOf(counts, Math.max(counts.length, type.ordinal() + 1));
    int[] row = next[type.ordinal()];
    row = row == null ? new int[STATES] : row.clone();
    row[state.ordinal()] += more;
    next[type.ordinal()] = row;
    return next;
  }
}
