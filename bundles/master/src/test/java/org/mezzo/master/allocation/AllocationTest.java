package org.mezzo.master.allocation;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.mezzo.api.allocator.AllocationState;
import org.mezzo.api.allocator.Proposal;
import org.mezzo.api.allocator.Recovery;
import org.mezzo.fixtures.Await;
import org.mezzo.master.testing.TestCluster;
import org.mezzo.master.testing.TestScheduler;
import org.mezzo.protocol.v1.Offer;
import org.mezzo.protocol.v1.scheduler.Event;
import org.mezzo.resources.Resources;

@Timeout(60)
class AllocationTest {
  private static final String QUARANTINES = "modules/allocator/hierarchical/quarantines";

  @TempDir Path workDir;

  private static Proposal proposal(TestScheduler framework, String role, String agent)
      throws Exception {
    Resources little = Resources.parse("disk:1", "*");
    return new Proposal(framework.id, role, agent, little.allocatedTo(role));
  }

  /** The loop gets other events in between, and frameworks notice nothing of it. */
  @Test
  void proposalsOfManyTurnsBecomeOneEventForEachFramework() throws Exception {
    try (TestCluster cluster = new TestCluster(workDir);
        TestScheduler one = TestScheduler.protobuf(cluster.address());
        TestScheduler two = TestScheduler.protobuf(cluster.address())) {
      // Without cpus and memory, which the allocator would offer of its own accord.
      cluster.agent(5051, "disk:1000");
      one.subscribed(TestScheduler.info("a").build());
      two.subscribed(TestScheduler.info("b").build());
      String agent = cluster.state().agents().keySet().iterator().next();
      List<Proposal> proposals = new ArrayList<>();
      for (int i = 0; i < 450; i++) {
        proposals.add(proposal(one, "a", agent));
      }
      proposals.add(proposal(one, "a", "unknown"));
      for (int i = 0; i < 150; i++) {
        proposals.add(proposal(two, "b", agent));
      }
      List<Integer> made = new CopyOnWriteArrayList<>();
      try (AutoCloseable following =
          cluster
              .master
              .cluster()
              .follow(
                  root -> {},
                  (before, after, happenings) ->
                      made.add(after.offers().size() - before.offers().size()),
                  () -> {})) {
        synchronized (cluster.allocator) {
          cluster.allocator.lies.addAll(proposals);
        }
        List<Offer> offered = one.await(Event.Type.OFFERS).getOffers().getOffersList();
        assertThat(offered).hasSize(450).extracting(Offer::getId).doesNotHaveDuplicates();
        assertThat(two.await(Event.Type.OFFERS).getOffers().getOffersList()).hasSize(150);
        Await.until(() -> made.stream().mapToInt(Integer::intValue).sum() == 600);
      }
      assertThat(made.stream().filter(count -> count > 0))
          .containsExactly(100, 100, 100, 100, 99, 100, 1);
      assertThat(one.events).noneMatch(Event::hasOffers);
      assertThat(two.events).noneMatch(Event::hasOffers);
      assertThat(cluster.master.metrics().snapshot().get("allocator/mezzo/proposals_dropped"))
          .isEqualTo(1);
    }
  }

  private static double metric(TestCluster cluster, String name) {
    return cluster.master.metrics().snapshot().getOrDefault(name, 0.0);
  }

  /** Who threw in the middle of a cycle may have offered in its mind what nobody is offered. */
  @Test
  void anAllocatorThatThrewInACycleBeginsAnewWithTheWholeLedger() throws Exception {
    try (TestCluster cluster = new TestCluster(workDir)) {
      Await.until(() -> cluster.allocator.started != null);
      cluster.agent(5051, "cpus:10;mem:32000");
      AllocationState before = cluster.allocator.started;
      AtomicBoolean first = new AtomicBoolean(true);
      cluster.allocator.answer =
          proposals -> {
            if (first.getAndSet(false)) {
              throw new IllegalStateException("no allocation today");
            }
            return proposals;
          };
      Await.until("it begins anew", () -> cluster.allocator.started != before);
      assertThat(cluster.allocator.started.agents()).hasSize(1);
      assertThat(metric(cluster, QUARANTINES)).isZero();
    }
  }

  @Test
  void anAllocatorThatThrowsInEachCycleIsQuarantinedHoweverWellItTakesChanges() throws Exception {
    try (TestCluster cluster = new TestCluster(workDir, "allocation_interval=1hrs")) {
      cluster.allocator.answer =
          proposals -> {
            throw new IllegalStateException("no allocation today");
          };
      for (int i = 0; i < 6 && metric(cluster, QUARANTINES) == 0; i++) {
        double failed = metric(cluster, "allocator/mezzo/calls_failed");
        // The change of the ledger, which succeeds, comes before the cycle.
        cluster.agent(5051 + i, "cpus:10;mem:32000");
        Await.until(() -> metric(cluster, "allocator/mezzo/calls_failed") > failed);
      }
      assertThat(metric(cluster, QUARANTINES)).isPositive();
    }
  }

  private static void awaitRecovery(TestCluster cluster, int agents) {
    Await.until(() -> cluster.allocator.recovery.map(Recovery::agents).equals(Optional.of(agents)));
  }

  @Test
  void theAllocatorIsToldHowManyAgentsTheLeaderFoundInTheRegistry() throws Exception {
    try (TestCluster cluster = new TestCluster(workDir)) {
      awaitRecovery(cluster, 0);
      cluster.agent(5051, "cpus:10;mem:32000");
      cluster.agent(5052, "cpus:10;mem:32000");
      cluster.coordination.depose();
      Await.until(() -> cluster.master.cluster().state().isEmpty());
      cluster.coordination.elect();
      awaitRecovery(cluster, 2);
      Recovery told = cluster.allocator.recovery.orElseThrow();
      // One that begins later in the term knows it, too.
      AllocationState before = cluster.allocator.started;
      AtomicBoolean first = new AtomicBoolean(true);
      cluster.allocator.answer =
          proposals -> {
            if (first.getAndSet(false)) {
              throw new IllegalStateException("no allocation today");
            }
            return proposals;
          };
      Await.until("it begins anew", () -> cluster.allocator.started != before);
      assertThat(cluster.allocator.started.recovery()).contains(told);
    }
  }
}
