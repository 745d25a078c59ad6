package org.mezzo.master.election;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.mezzo.coordination.Registry;
import org.mezzo.daemon.loop.Backoff;
import org.mezzo.daemon.loop.EventLoop;
import org.mezzo.daemon.metrics.MetricsRegistry;
import org.mezzo.fixtures.Await;
import org.mezzo.protocol.v1.MasterInfo;

/** What a master does that wins elections and cannot lead. */
@Timeout(60)
class LeadershipTest {
  private static final Duration FIRST = Duration.ofMillis(50);

  private final EventLoop loop = new EventLoop("leadership-test");
  private final Backoff backoff = new Backoff(FIRST, Duration.ofMinutes(1));
  private final List<Long> contentions = new CopyOnWriteArrayList<>();
  private volatile boolean broken = true;
  private volatile Election.Listener candidate;
  private Leadership leadership;

  /** An election without rivals: who contends is elected at once, and may be before it knows. */
  private final class Alone implements Election {
    @Override
    public Place contend(Listener listener) {
      candidate = listener;
      contentions.add(System.nanoTime());
      CompletableFuture<Void> elected =
          CompletableFuture.runAsync(() -> listener.elected(new Stored()), loop);
      if (contentions.size() == 1) {
        elected.join();
      }
      return () -> loop.execute(() -> listener.lost("resigned"));
    }

    @Override
    public void close() {}
  }

  private final class Stored implements Registry {
    @Override
    public CompletionStage<Map<String, byte[]>> load() {
      return broken
          ? CompletableFuture.failedStage(new IllegalStateException("on purpose"))
          : CompletableFuture.completedStage(Map.of());
    }

    @Override
    public CompletionStage<Void> apply(List<Change> changes) {
      return CompletableFuture.completedStage(null);
    }

    @Override
    public void end(String reason) {}
  }

  private void start() {
    leadership =
        new Leadership(
            loop,
            MasterTermTest.SELF,
            (counters, registry, failures) ->
                MasterTermTest.term(loop, new MetricsRegistry(), registry, failures, false),
            backoff);
    leadership.start(new Alone());
  }

  @AfterEach
  void close() {
    leadership.close();
    loop.close();
  }

  @Test
  void pausesLongerEachTimeBeforeItStandsForElectionAgain() throws Exception {
    start();
    Await.until(() -> contentions.size() >= 4);
    assertThat(Duration.ofNanos(contentions.get(3) - contentions.get(0)))
        .isGreaterThanOrEqualTo(FIRST.multipliedBy(1 + 2 + 4));
  }

  @Test
  void forgetsItsPausesOnceItLeads() throws Exception {
    start();
    Await.until(() -> contentions.size() >= 2);
    broken = false;
    Await.until(() -> leadership.state().isPresent());
    assertThat(CompletableFuture.supplyAsync(backoff::next, loop).get(20, TimeUnit.SECONDS))
        .isEqualTo(FIRST);
  }

  @Test
  void standsForElectionAgainOnceWhatItHadInItIsLost() throws Exception {
    broken = false;
    start();
    for (int times = 1; times < 4; times++) {
      int before = times;
      Await.until(() -> contentions.size() == before && leadership.state().isPresent());
      loop.execute(() -> candidate.lost("the session expired"));
    }
    Await.until(() -> contentions.size() == 4 && leadership.state().isPresent());
    leadership.close();
    assertThat(contentions).hasSize(4);
    assertThat(leadership.leading()).isFalse();
  }

  /** A detector may say what it likes: whether this master leads is decided by elections alone. */
  @Test
  void leadsByElectionAndNotByDetection() throws Exception {
    MasterInfo self = MasterTermTest.SELF;
    MasterInfo other = self.toBuilder().setId("other").setHostname("there").setPort(1).build();
    broken = false;
    start();
    Await.until(() -> leadership.state().isPresent());
    leadership.detected().leader(Optional.of(other));
    assertThat(leadership.leading()).isTrue();
    assertThat(leadership.leader()).contains(self);
    leadership.detected().leader(Optional.empty());
    assertThat(leadership.leader()).contains(self);

    leadership.close();
    leadership.detected().leader(Optional.of(self));
    assertThat(leadership.leading()).isFalse();
    assertThat(leadership.leader()).isEmpty();
    // What led at this address before this process did is gone.
    leadership.detected().leader(Optional.of(self.toBuilder().setId("before").build()));
    assertThat(leadership.leader()).isEmpty();
    leadership.detected().leader(Optional.of(other));
    assertThat(leadership.leader()).contains(other);
    leadership.detected().described(other.toBuilder().setVersion("2").build());
    assertThat(leadership.leader().orElseThrow().getVersion()).isEqualTo("2");
  }

  /** Whoever follows a master that does not lead must not wait for what never comes. */
  @Test
  void nobodyFollowsAMasterThatDoesNotLead() throws Exception {
    start();
    AtomicInteger ended = new AtomicInteger();
    leadership.close();
    assertThat(leadership.state()).isEqualTo(Optional.empty());
    leadership.follow(root -> {}, (before, after, happenings) -> {}, ended::incrementAndGet);
    Await.until(() -> ended.get() == 1);
  }
}
