package org.mezzo.master.election;

import java.util.EnumSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.ObjLongConsumer;
import org.mezzo.master.state.Happening;
import org.mezzo.master.state.MasterState;
import org.mezzo.master.state.OperationCounts;
import org.mezzo.master.state.StateListener;
import org.mezzo.protocol.v1.Offer;
import org.mezzo.protocol.v1.OperationState;

/**
 * Counts the operations that begin and end, by type and end, over all terms: {@code
 * master/operations/[<type>/]total} and one for each end. Called on the event loop.
 */
final class OperationTotals implements StateListener {
  /** The types that have numbers of their own. */
  static final Set<Offer.Operation.Type> TYPES =
      EnumSet.of(
          Offer.Operation.Type.RESERVE,
          Offer.Operation.Type.UNRESERVE,
          Offer.Operation.Type.CREATE,
          Offer.Operation.Type.DESTROY,
          Offer.Operation.Type.GROW_VOLUME,
          Offer.Operation.Type.SHRINK_VOLUME,
          Offer.Operation.Type.CREATE_DISK,
          Offer.Operation.Type.DESTROY_DISK);

  static final Set<Offer.Operation.Type> ALL_TYPES = EnumSet.allOf(Offer.Operation.Type.class);

  /** The states of operations that are not over, which are gauges. */
  static final List<OperationState> PASSING =
      List.of(
          OperationState.OPERATION_PENDING,
          OperationState.OPERATION_RECOVERING,
          OperationState.OPERATION_UNREACHABLE);

  private static final List<OperationState> ENDS =
      List.of(
          OperationState.OPERATION_FINISHED,
          OperationState.OPERATION_FAILED,
          OperationState.OPERATION_ERROR,
          OperationState.OPERATION_DROPPED,
          OperationState.OPERATION_GONE_BY_OPERATOR);

  private static final String PREFIX = "master/operations/";

  private final ObjLongConsumer<String> counter;

  /**
   * Has counted nothing.
   *
   * @param counter adds to the counter of a name
   */
  OperationTotals(ObjLongConsumer<String> counter) {
    this.counter = counter;
  }

  /** What is counted; all are to be there from the start. */
  static Set<String> names() {
    Set<String> names = new TreeSet<>();
    names.add(PREFIX + "total");
    ENDS.forEach(end -> names.add(PREFIX + lower(end)));
    for (Offer.Operation.Type type : TYPES) {
      names.add(PREFIX + lower(type) + "/total");
      ENDS.forEach(end -> names.add(PREFIX + lower(type) + "/" + lower(end)));
    }
    return names;
  }

  /** The name of a type, or of a state without what all have in common. */
  static String lower(Enum<?> value) {
    String name = value.name().toLowerCase(Locale.ROOT);
    return value instanceof OperationState ? name.substring("operation_".length()) : name;
  }

  @Override
  public void published(MasterState before, MasterState after, List<Happening> happenings) {
    if (before.operations() == after.operations()) {
      return;
    }
    OperationCounts old = before.operations().counts();
    OperationCounts now = after.operations().counts();
    for (Offer.Operation.Type type : ALL_TYPES) {
      count(type, "total", now.begun(type) - old.begun(type));
      for (OperationState end : ENDS) {
        count(type, lower(end), now.ended(type, end) - old.ended(type, end));
      }
    }
  }

  private void count(Offer.Operation.Type type, String what, int more) {
    if (more > 0) {
      counter.accept(PREFIX + what, more);
      if (TYPES.contains(type)) {
        counter.accept(PREFIX + lower(type) + "/" + what, more);
      }
    }
  }
}
