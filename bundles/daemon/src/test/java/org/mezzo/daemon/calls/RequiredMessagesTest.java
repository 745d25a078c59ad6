package org.mezzo.daemon.calls;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Set;
import org.junit.jupiter.api.Test;
import org.mezzo.protocol.v1.agent.Call;

class RequiredMessagesTest {
  private static Call.Builder call(Call.Type type) {
    return Call.newBuilder().setType(type);
  }

  @Test
  void namesTheMessageThatACallCannotDoWithout() {
    assertThat(RequiredMessages.missing(Call.getDefaultInstance(), Set.of()))
        .contains("Expecting 'type' to be present");
    assertThat(RequiredMessages.missing(call(Call.Type.GET_METRICS).build(), Set.of()))
        .contains("Expecting 'get_metrics' to be present");
    assertThat(
            RequiredMessages.missing(
                call(Call.Type.GET_METRICS)
                    .setGetMetrics(Call.GetMetrics.getDefaultInstance())
                    .build(),
                Set.of()))
        .isEmpty();
    assertThat(RequiredMessages.missing(call(Call.Type.GET_VERSION).build(), Set.of())).isEmpty();
    assertThat(RequiredMessages.missing(call(Call.Type.UNKNOWN).build(), Set.of())).isEmpty();
    assertThat(
            RequiredMessages.missing(call(Call.Type.PRUNE_IMAGES).build(), Set.of("PRUNE_IMAGES")))
        .isEmpty();
  }
}
