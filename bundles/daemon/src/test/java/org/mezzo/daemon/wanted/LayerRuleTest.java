package org.mezzo.daemon.wanted;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.mezzo.daemon.wanted.LayerRule.Memory;
import org.mezzo.daemon.wanted.LayerRule.Verdict;

/** Shipped is below cluster, and cluster is below what somebody put there by hand. */
class LayerRuleTest {
  private static final Optional<String> NONE = Optional.empty();
  private static final Optional<String> SHIPPED = Optional.of("shipped");
  private static final Optional<String> CLUSTER = Optional.of("cluster");
  private static final Optional<String> EARLIER = Optional.of("earlier");
  private static final Optional<String> HAND = Optional.of("hand");
  private static final Optional<Memory> NEVER = Optional.empty();

  private static Optional<Memory> since(Optional<String> base, String... ours) {
    return Optional.of(new Memory(base, Set.of(ours)));
  }

  private static Verdict decide(
      Optional<String> wanted, Optional<String> installed, Optional<Memory> memory) {
    return LayerRule.decide(wanted, installed, memory, false);
  }

  @Test
  void clusterIsAboveWhatWasShipped() {
    assertThat(decide(CLUSTER, NONE, NEVER)).isEqualTo(Verdict.INSTALL);
    assertThat(decide(CLUSTER, SHIPPED, NEVER)).isEqualTo(Verdict.INSTALL);
    assertThat(decide(CLUSTER, SHIPPED, since(SHIPPED, "earlier"))).isEqualTo(Verdict.INSTALL);
    assertThat(decide(CLUSTER, EARLIER, since(SHIPPED, "earlier"))).isEqualTo(Verdict.INSTALL);
    assertThat(decide(CLUSTER, NONE, since(SHIPPED, "earlier"))).isEqualTo(Verdict.INSTALL);
  }

  @Test
  void handIsAboveTheCluster() {
    assertThat(decide(CLUSTER, HAND, since(SHIPPED, "cluster"))).isEqualTo(Verdict.OVERRIDDEN);
    assertThat(decide(CLUSTER, HAND, since(NONE, "cluster"))).isEqualTo(Verdict.OVERRIDDEN);
    assertThat(LayerRule.decide(CLUSTER, HAND, NEVER, true)).isEqualTo(Verdict.OVERRIDDEN);
    assertThat(decide(NONE, HAND, since(SHIPPED, "cluster"))).isEqualTo(Verdict.FORGET);
  }

  @Test
  void whatIsThereStays() {
    assertThat(decide(CLUSTER, CLUSTER, NEVER)).isEqualTo(Verdict.AS_WANTED);
    assertThat(LayerRule.decide(CLUSTER, CLUSTER, NEVER, true)).isEqualTo(Verdict.AS_WANTED);
  }

  @Test
  void whatIsWantedNoMoreGivesWayToWhatWasThereBefore() {
    assertThat(decide(NONE, CLUSTER, since(SHIPPED, "cluster"))).isEqualTo(Verdict.RESTORE);
    assertThat(decide(NONE, CLUSTER, since(NONE, "cluster"))).isEqualTo(Verdict.REMOVE);
    assertThat(decide(NONE, CLUSTER, since(CLUSTER, "cluster"))).isEqualTo(Verdict.FORGET);
    assertThat(decide(NONE, SHIPPED, since(SHIPPED, "cluster"))).isEqualTo(Verdict.FORGET);
    assertThat(decide(NONE, SHIPPED, NEVER)).isEqualTo(Verdict.FORGET);
  }
}
