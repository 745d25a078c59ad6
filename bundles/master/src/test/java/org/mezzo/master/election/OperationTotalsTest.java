package org.mezzo.master.election;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.ByteString;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.mezzo.master.state.MasterState;
import org.mezzo.master.state.Operation;
import org.mezzo.master.state.Operations;
import org.mezzo.protocol.v1.MasterInfo;
import org.mezzo.protocol.v1.Offer;
import org.mezzo.protocol.v1.OperationState;
import org.mezzo.protocol.v1.OperationStatus;

class OperationTotalsTest {
  private final Map<String, Long> counted = new TreeMap<>();
  private final OperationTotals totals =
      new OperationTotals((name, more) -> counted.merge(name, more, Long::sum));
  private MasterState state =
      MasterState.begin(
          MasterInfo.getDefaultInstance(),
          Instant.EPOCH,
          MasterState.Limits.DEFAULT,
          MasterState.Counters.ZERO);

  private static Operation operation(String uuid, Offer.Operation.Type type, OperationState state) {
    return new Operation(
        ByteString.copyFromUtf8(uuid),
        "f",
        "a",
        Offer.Operation.newBuilder().setType(type).build(),
        OperationStatus.newBuilder().setState(state).build());
  }

  private void published(Operations next) {
    MasterState before = state;
    state = state.with(next);
    totals.published(before, state, List.of());
  }

  @Test
  void eachBeginsAndEndsOnceAndIsNotForgotten() {
    Operation reserve =
        operation("1", Offer.Operation.Type.RESERVE, OperationState.OPERATION_PENDING);
    Operation create =
        operation("2", Offer.Operation.Type.CREATE, OperationState.OPERATION_PENDING);
    published(state.operations().with(reserve).with(create));
    assertThat(counted)
        .containsExactlyInAnyOrderEntriesOf(
            Map.of(
                "master/operations/total", 2L,
                "master/operations/reserve/total", 1L,
                "master/operations/create/total", 1L));

    Operation done =
        operation("1", Offer.Operation.Type.RESERVE, OperationState.OPERATION_FINISHED);
    published(state.operations().with(done));
    published(state.operations().with(done));
    published(state.operations().without(done));
    published(state.operations().without(create));
    assertThat(counted)
        .containsExactlyInAnyOrderEntriesOf(
            Map.of(
                "master/operations/total", 2L,
                "master/operations/reserve/total", 1L,
                "master/operations/create/total", 1L,
                "master/operations/finished", 1L,
                "master/operations/reserve/finished", 1L));
    assertThat(OperationTotals.names()).containsAll(counted.keySet());
  }
}
